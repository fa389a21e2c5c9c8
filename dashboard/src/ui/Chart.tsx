import { lazy, type ReactNode, Suspense } from "react";

import type { DailyBarsProps } from "./charts/DailyBars";

const DailyBars = lazy(() => import("./charts/DailyBars"));

interface Props extends DailyBarsProps {
  caption: string;
  source?: ReactNode;
  /** What is said where every value is nothing: bars without a height say it to nobody. */
  none: string;
}

/** A chart of days or hours with its caption: what it shows, and where that is from. The table beneath it says the same. */
export function DailyChart({ caption, source, none, ...chart }: Props) {
  const isEmpty = chart.points.every((one) => !one.value);
  return (
    <figure className="chart" aria-label={chart.label}>
      <figcaption>
        <span>{caption}</span>
        {source}
      </figcaption>
      {isEmpty ? (
        <p className="soft">{none}</p>
      ) : (
        <Suspense fallback={<div className={chart.low ? "chart-box low" : "chart-box"} />}>
          <DailyBars {...chart} />
        </Suspense>
      )}
    </figure>
  );
}
