/** Bars per day or hour, or a line of a rate, with what each says on hover and by the arrow keys. Recharts comes with this file alone, after the first paint. */
import { Bar, BarChart, CartesianGrid, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";

import { day, longDay } from "~/ui/format";

export interface DailyPoint {
  /** The day, or the moment at which the hour begins. */
  date: string;
  /** null where there was nothing to measure, which is not zero. */
  value: number | null;
}

export interface DailyBarsProps {
  label: string;
  points: readonly DailyPoint[];
  /** How a value is written in full. */
  write: (value: number) => string;
  /** How a value is written on the axis. */
  tick?: (value: number) => string;
  low?: boolean;
  /** Amounts are bars, rates a line. */
  shape?: "bars" | "line";
  /** How a point's time is written on the axis, and in full. */
  time?: readonly [axis: (date: string) => string, full: (date: string) => string];
  /** Whether there is nothing between one value and the next, as with counts. */
  isWhole?: boolean;
}

const TICK = { fill: "var(--ink-soft)", fontSize: 12 };
const MARGIN = { top: 8, right: 4, bottom: 0, left: 0 };

export default function DailyBars({ label, points, write, tick = write, low = false, shape = "bars", time = [day, longDay], isWhole = false }: DailyBarsProps) {
  const [axis, full] = time;
  const around = [
    <CartesianGrid key="grid" vertical={false} stroke="var(--line)" />,
    <XAxis key="x" dataKey="date" tickFormatter={axis} tickLine={false} axisLine={{ stroke: "var(--line-strong)" }} minTickGap={28} tick={TICK} />,
    <YAxis key="y" tickFormatter={tick} tickLine={false} axisLine={false} width={56} tickCount={low ? 3 : 6} domain={[0, "auto"]} allowDecimals={!isWhole} tick={TICK} />,
    <Tooltip
      key="tip"
      cursor={shape === "bars" ? { fill: "var(--sunken)" } : { stroke: "var(--line-strong)" }}
      isAnimationActive={false}
      content={({ active, payload }) => {
        const point = payload[0]?.payload as DailyPoint | undefined;
        return active && point ? (
          <div className="chart-tip">
            {full(point.date)}: <strong>{point.value === null ? "nothing measured" : write(point.value)}</strong>
          </div>
        ) : null;
      }}
    />,
  ];
  return (
    <div className={low ? "chart-box low" : "chart-box"}>
      <ResponsiveContainer width="100%" height="100%">
        {shape === "bars" ? (
          <BarChart data={[...points]} margin={MARGIN} barCategoryGap="18%" title={label} accessibilityLayer>
            {around}
            <Bar dataKey="value" fill="var(--accent)" radius={[2, 2, 0, 0]} isAnimationActive={false} maxBarSize={36} />
          </BarChart>
        ) : (
          <LineChart data={[...points]} margin={MARGIN} title={label} accessibilityLayer>
            {around}
            <Line dataKey="value" stroke="var(--accent)" strokeWidth={2} dot={{ r: 2.5, fill: "var(--accent)" }} connectNulls={false} isAnimationActive={false} />
          </LineChart>
        )}
      </ResponsiveContainer>
    </div>
  );
}
