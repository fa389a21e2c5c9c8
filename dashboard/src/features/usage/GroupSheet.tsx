import { type UsageReport, useUsage } from "~/api/figures";
import { useWorkspaceId } from "~/api/workspace";
import { DailyChart } from "~/ui/Chart";
import { Facts } from "~/ui/Figures";
import { count, longDay, money } from "~/ui/format";
import { Loaded } from "~/ui/Loading";
import { Sheet } from "~/ui/Sheet";
import { SourceLine, SourceNotes } from "~/ui/Source";

import { HEADS, nameOf } from "./names";
import { useSort } from "./order";
import type { Range } from "./range";

interface Props {
  by: "model" | "project";
  of: string;
  range: Range;
  onClose: () => void;
}

/** The group of what names no model or project. */
const OTHER = "other";

/** One model or project in the days of the page: every kind of token, and its days. Of the answer that the table has. */
export function GroupSheet({ by, of, range, onClose }: Props) {
  const usage = useUsage(useWorkspaceId(), range.start, range.end, by, useSort(by));
  return (
    <Sheet title={nameOf(by, of)} note={`${HEADS[by]}, ${longDay(range.start)} to ${longDay(range.end)} (UTC)`} onClose={onClose}>
      <Loaded query={usage}>{(report) => <Figures by={by} of={of} report={report} />}</Loaded>
    </Sheet>
  );
}

function Figures({ by, of, report }: Pick<Props, "by" | "of"> & { report: UsageReport }) {
  const figures = report.groups.find((group) => group.key === of);
  const source = (
    <p className="help">
      <SourceLine report={report} />
    </p>
  );
  if (!figures)
    return (
      <>
        {source}
        <p>
          {of === "" ? `The address names no ${by}.` : `No ${by} of this name was used in these days.`} Close this to choose other days, or open a row of the table.
        </p>
      </>
    );
  const perDay = report.buckets.map((bucket) => ({ date: bucket.date, group: bucket.groups.find((group) => group.key === of) }));
  return (
    <>
      {source}
      {of === OTHER && <p>What was used or billed without naming a {by}: these figures are of all of it together.</p>}
      <Facts
        rows={[
          ["Cost", figures.cost === null && figures.requests === 0 ? money(0) : money(figures.cost)],
          ["Requests", count(figures.requests)],
          ["Tokens in", `${count(figures.inputTokens)}, of them ${count(figures.cachedInputTokens)} cached and ${count(figures.inputAudioTokens)} audio`],
          ["Tokens out", `${count(figures.outputTokens)}, of them ${count(figures.outputAudioTokens)} audio`],
        ]}
      />
      <DailyChart
        low
        caption="US dollars per day (UTC)"
        label={`Cost per day of this ${by}`}
        points={perDay.map(({ date, group }) => ({ date, value: Number(group?.cost ?? 0) }))}
        write={money}
        none={figures.cost === null ? "Its price is not known, so there are no costs to draw." : "Nothing was spent on it in these days."}
      />
      <DailyChart
        low
        isWhole
        caption="Requests per day (UTC)"
        label={`Requests per day of this ${by}`}
        points={perDay.map(({ date, group }) => ({ date, value: group?.requests ?? 0 }))}
        write={count}
        none="No requests were counted in these days: it is billed by something else."
      />
      <SourceNotes report={report} />
    </>
  );
}
