import { useState } from "react";

import type { Status, StatusBucket } from "~/api/figures";
import { type Column, DataTable } from "~/ui/DataTable";
import { Ago, Badge } from "~/ui/Figures";
import { count, seconds } from "~/ui/format";
import { Empty } from "~/ui/Page";
import { Segments } from "~/ui/Segments";

type Window = StatusBucket["windows"][number];

const WINDOWS = [
  ["5m", "5 minutes"],
  ["1h", "1 hour"],
  ["24h", "24 hours"],
] as const;

export const NAMES: Record<StatusBucket["bucket"], string> = {
  realtime_token: "Voice sessions",
  cto_openai_proxy: "Models and usage",
  voice_respond: "Spoken questions",
};

interface Row {
  bucket: StatusBucket["bucket"];
  window: Window;
}

/** A number of trouble: zero is quiet, more has a colour and its word in the head. */
const trouble = (value: number) => (value === 0 ? <span className="soft">0</span> : <Badge tone="danger">{count(value)}</Badge>);

const COLUMNS: readonly Column<Row>[] = [
  {
    name: "Calls",
    cell: ({ bucket }) => (
      <>
        {NAMES[bucket]} <code className="soft small">{bucket}</code>
      </>
    ),
  },
  { name: "Requests", number: true, cell: ({ window }) => count(window.requests) },
  { name: "429, ours", number: true, cell: ({ window }) => trouble(window.rateLimited.opencto) },
  { name: "429, OpenAI's", number: true, cell: ({ window }) => trouble(window.rateLimited.openai) },
  { name: "5xx, ours", number: true, cell: ({ window }) => trouble(window.failed.opencto) },
  { name: "5xx, OpenAI's", number: true, cell: ({ window }) => trouble(window.failed.openai) },
  { name: "Half within", number: true, cell: ({ window }) => seconds(window.p50Seconds) },
  { name: "95 % within", number: true, cell: ({ window }) => seconds(window.p95Seconds) },
];

const nothing = <Empty title="No calls are counted yet">Talk to the assistant, or run the doctor below: each call shows up here within seconds.</Empty>;

export function Traffic({ status }: { status: Status }) {
  const [chosen, setChosen] = useState<Window["window"]>("24h");
  const rows = status.buckets.flatMap(({ bucket, windows }) =>
    windows.filter((window) => window.window === chosen).map((window) => ({ bucket, window })),
  );
  return (
    <div className="stack">
      <div className="row">
        <Segments label="Over" options={WINDOWS} value={chosen} onChange={setChosen} />
        <span className="help">
          as of <Ago at={status.asOf} />
        </span>
      </div>
      <DataTable label="Requests by kind of call" columns={COLUMNS} rows={rows} keyOf={(row) => row.bucket} empty={nothing} />
    </div>
  );
}
