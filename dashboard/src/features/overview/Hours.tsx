import { useState } from "react";

import { type StatusBucket, type StatusHour, useStatusHours } from "~/api/figures";
import { DailyChart } from "~/ui/Chart";
import { type Column, DataTable } from "~/ui/DataTable";
import { Ago } from "~/ui/Figures";
import { count, hour, longHour, plural, seconds } from "~/ui/format";
import { Loaded } from "~/ui/Loading";
import { Empty } from "~/ui/Page";
import { Segments } from "~/ui/Segments";

import { NAMES } from "./Traffic";

type Bucket = StatusBucket["bucket"];

const KINDS = Object.entries(NAMES) as [Bucket, string][];

/** What went wrong in an hour, and whose it was. */
const TROUBLES: readonly { name: string; of: (one: StatusHour) => number }[] = [
  { name: "429, ours", of: (one) => one.rateLimited.opencto },
  { name: "429, OpenAI's", of: (one) => one.rateLimited.openai },
  { name: "5xx, ours", of: (one) => one.failed.opencto },
  { name: "5xx, OpenAI's", of: (one) => one.failed.openai },
];

const COLUMNS: readonly Column<StatusHour>[] = [
  { name: "Hour", cell: (one) => longHour(one.beginsAt) },
  { name: "Requests", number: true, cell: (one) => count(one.requests) },
  ...TROUBLES.map(({ name, of }): Column<StatusHour> => ({ name, number: true, cell: (one) => count(of(one)) })),
  { name: "Half within", number: true, cell: (one) => seconds(one.p50Seconds) },
  { name: "95 % within", number: true, cell: (one) => seconds(one.p95Seconds) },
];

const quiet = <Empty title="No calls of this kind in the last 24 hours">Talk to the assistant, or run the doctor below: each call shows up here within seconds.</Empty>;

/** The last day hour by hour, one kind of call at a time: refusals, failures and times, each drawn on its own, and all as a table. */
export function Hours() {
  const query = useStatusHours();
  const [chosen, setChosen] = useState<Bucket>("realtime_token");
  return (
    <div className="stack">
      <div className="row">
        <Segments label="Kind of call" options={KINDS} value={chosen} onChange={setChosen} />
      </div>
      <Loaded query={query} lines={4}>
        {({ buckets, asOf }) => (
          <>
            <p className="help">
              The last 24 hours, counted by this server for all its processes, <Ago at={asOf} />.
            </p>
            <Drawn hours={buckets.find((one) => one.bucket === chosen)?.hours ?? []} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function Drawn({ hours }: { hours: readonly StatusHour[] }) {
  if (hours.every((one) => one.requests === 0))
    return quiet;
  return (
    <>
      <div className="multiples">
        <Times hours={hours} />
        {TROUBLES.map(({ name, of }) => (
          <Trouble key={name} name={name} points={hours.map((one) => ({ date: one.beginsAt, value: of(one) }))} />
        ))}
      </div>
      <details className="as-table">
        <summary>These hours as a table</summary>
        <DataTable label="Requests hour by hour" columns={COLUMNS} rows={hours.filter((one) => one.requests > 0).toReversed()} keyOf={(one) => one.beginsAt} empty={quiet} />
      </details>
    </>
  );
}

function Trouble({ name, points }: { name: string; points: { date: string; value: number }[] }) {
  const all = points.reduce((sum, one) => sum + one.value, 0);
  const caption = all === 0 ? name : `${name}: ${plural(all, "answer")} in 24 hours`;
  return <DailyChart low isWhole caption={caption} label={`${name}, per hour`} points={points} write={count} time={[hour, longHour]} none="None in 24 hours." />;
}

function Times({ hours }: { hours: readonly StatusHour[] }) {
  const points = hours.map((one) => ({ date: one.beginsAt, value: one.p95Seconds }));
  return (
    <DailyChart
      low
      shape="line"
      caption="95 % of answers within, per hour (UTC)"
      label="95 % of answers within, per hour"
      points={points}
      write={seconds}
      time={[hour, longHour]}
      none="No call was answered in 24 hours."
    />
  );
}
