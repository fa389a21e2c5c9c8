import { useQuery } from "@tanstack/react-query";

import { api, read, type Schemas } from "~/api/client";
import { type UsageFigures, type UsageReport, useUsage } from "~/api/figures";
import { useWorkspaceId } from "~/api/workspace";
import { type Column, DataTable } from "~/ui/DataTable";
import { count, longDay, money } from "~/ui/format";
import { inOrder } from "~/ui/inOrder";
import { Loaded } from "~/ui/Loading";
import { Empty } from "~/ui/Page";
import { SourceLine } from "~/ui/Source";
import { useListState } from "~/ui/useListState";

import type { Range } from "./range";
import type { By } from "./UsagePage";

type Row = Pick<UsageFigures, "requests" | "inputTokens" | "outputTokens" | "cost"> & { key: string; name: string };

const FIGURES: readonly Column<Row>[] = [
  { name: "Requests", sort: "requests", by: (row) => row.requests, number: true, cell: (row) => count(row.requests) },
  { name: "Tokens in", sort: "in", by: (row) => row.inputTokens, number: true, cell: (row) => count(row.inputTokens) },
  { name: "Tokens out", sort: "out", by: (row) => row.outputTokens, number: true, cell: (row) => count(row.outputTokens) },
  {
    name: "Cost",
    sort: "cost",
    by: (row) => (row.cost === null ? null : Number(row.cost)),
    number: true,
    cell: (row) => (row.cost === null && row.requests === 0 ? money(0) : money(row.cost)),
  },
];
const FIRST: Record<By, Column<Row>> = {
  day: { name: "Day", sort: "day", by: (row) => row.key, cell: (row) => row.name },
  model: { name: "Model", sort: "name", by: (row) => row.name, cell: (row) => row.name },
  project: { name: "Project", sort: "name", by: (row) => row.name, cell: (row) => row.name },
  surface: { name: "Surface", sort: "name", by: (row) => row.name, cell: (row) => row.name },
  person: { name: "Person", sort: "name", by: (row) => row.name, cell: (row) => row.name },
};

/** A report comes whole, at most 180 days of it, so the page sorts it: days the newest first, everything else the dearest. */
function Sorted({ by, rows }: { by: By; rows: readonly Row[] }) {
  const [search, change] = useListState();
  const sort = search.sort ?? (by === "day" ? "-day" : "-cost");
  const columns = [FIRST[by], ...FIGURES];
  return (
    <DataTable
      label={`Usage by ${by}`}
      columns={columns}
      rows={inOrder(rows, columns, sort)}
      keyOf={(row) => row.key}
      open={by === "day" ? (row) => `/usage/${row.key}` : undefined}
      sort={{ now: sort, change: (next) => change({ sort: next }) }}
      empty={nothing}
    />
  );
}

const nothing = (
  <Empty title="Nothing was used in these days">Choose other days above, or ask the assistant something: each call shows up here.</Empty>
);

export function ByGroup({ by, range }: { by: By; range: Range }) {
  if (by === "surface" || by === "person") return <Shares by={by} range={range} />;
  return <Reported by={by} range={range} />;
}

function Reported({ by, range }: { by: "day" | "model" | "project"; range: Range }) {
  const usage = useUsage(useWorkspaceId(), range.start, range.end, by);
  return (
    <Loaded query={usage}>
      {(report) => (
        <>
          <p className="help">
            <SourceLine report={report} />
          </p>
          <Sorted by={by} rows={by === "day" ? days(report) : groups(report)} />
        </>
      )}
    </Loaded>
  );
}

const days = (report: UsageReport): Row[] =>
  report.buckets
    .filter((one) => one.requests > 0 || one.cost !== null)
    .map((one) => ({ ...one, key: one.date, name: longDay(one.date) }));

/** The groups of all days added up, those asked most first. */
function groups(report: UsageReport): Row[] {
  const sums = new Map<string, Row>();
  for (const group of report.buckets.flatMap((bucket) => bucket.groups)) {
    const sum = sums.get(group.key) ?? { key: group.key, name: group.key, requests: 0, inputTokens: 0, outputTokens: 0, cost: null };
    sum.requests += group.requests;
    sum.inputTokens += group.inputTokens;
    sum.outputTokens += group.outputTokens;
    if (group.cost !== null) sum.cost = String(Number(sum.cost ?? 0) + Number(group.cost));
    sums.set(group.key, sum);
  }
  return [...sums.values()].sort((one, other) => other.requests - one.requests);
}

const SURFACES: Record<string, string> = {
  realtime_token: "Voice: sessions begun",
  realtime: "Voice: conversations",
  cto_openai_proxy: "Models and usage",
  voice_respond: "Spoken questions",
  key_check: "Keys tried",
};

function shareName(by: "surface" | "person", share: Schemas["LedgerShare"]): string {
  if (by === "person") return share.name ?? (share.key === null ? "The server itself" : `Somebody who has left (${share.key})`);
  return (share.key !== null && SURFACES[share.key]) || (share.key ?? "not known");
}

function Shares({ by, range }: { by: "surface" | "person"; range: Range }) {
  const workspaceId = useWorkspaceId();
  const shares = useQuery({
    queryKey: ["shares", workspaceId, range, by],
    queryFn: () => read(api.GET("/api/v1/ledger/shares", { params: { query: { workspaceId, ...range, groupBy: by } } })),
  });
  return (
    <Loaded query={shares}>
      {({ data }) => (
        <>
          <p className="help">From OpenCTO's own ledger: OpenAI does not know surfaces and people. Calls to the sandbox are not in it.</p>
          <Sorted by={by} rows={data.map((share) => ({ ...share, key: share.key ?? "", name: shareName(by, share) }))} />
        </>
      )}
    </Loaded>
  );
}
