import { type UsageFigures, type UsageReport, useUsage } from "~/api/figures";
import { useWorkspaceId } from "~/api/workspace";
import { type Column, DataTable } from "~/ui/DataTable";
import { count, longDay, money } from "~/ui/format";
import { Loaded } from "~/ui/Loading";
import { Empty } from "~/ui/Page";
import { SourceLine } from "~/ui/Source";
import { useListState } from "~/ui/useListState";

import { useShares } from "./api";
import { groupAddress } from "./groups";
import { HEADS, nameOf, shareName } from "./names";
import { type By, useSort } from "./order";
import type { Range } from "./range";

type Row = Pick<UsageFigures, "requests" | "inputTokens" | "outputTokens" | "cost"> & { key: string; name: string };

const FIGURES: readonly Column<Row>[] = [
  { name: "Requests", sort: "requests", number: true, cell: (row) => count(row.requests) },
  { name: "Tokens in", sort: "inputTokens", number: true, cell: (row) => count(row.inputTokens) },
  { name: "Tokens out", sort: "outputTokens", number: true, cell: (row) => count(row.outputTokens) },
  { name: "Cost", sort: "cost", number: true, cell: (row) => (row.cost === null && row.requests === 0 ? money(0) : money(row.cost)) },
];
const columnsOf = (by: By): readonly Column<Row>[] => [{ name: HEADS[by], sort: "key", cell: (row) => row.name }, ...FIGURES];

function Parts({ by, rows }: { by: By; rows: readonly Row[] }) {
  const [, change] = useListState();
  return (
    <DataTable
      label={`Usage by ${by}`}
      columns={columnsOf(by)}
      rows={rows}
      keyOf={(row) => row.key}
      open={(row) => (by === "day" ? `/usage/${row.key}` : groupAddress(by, row.key))}
      sort={{ now: useSort(by), change: (next) => change({ sort: next }) }}
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
  const usage = useUsage(useWorkspaceId(), range.start, range.end, by, useSort(by));
  return (
    <Loaded query={usage}>
      {(report) => (
        <>
          <p className="help">
            <SourceLine report={report} />
          </p>
          <Parts by={by} rows={by === "day" ? days(report) : report.groups.map((group) => ({ ...group, name: nameOf(by, group.key) }))} />
        </>
      )}
    </Loaded>
  );
}

const days = (report: UsageReport): Row[] =>
  report.buckets
    .filter((one) => one.requests > 0 || one.cost !== null)
    .map((one) => ({ ...one, key: one.date, name: longDay(one.date) }));

function Shares({ by, range }: { by: "surface" | "person"; range: Range }) {
  const shares = useShares(useWorkspaceId(), range, by, useSort(by));
  return (
    <Loaded query={shares}>
      {({ data }) => (
        <>
          <p className="help">From OpenCTO's own ledger: OpenAI does not know surfaces and people. Calls to the sandbox are not in it.</p>
          <Parts by={by} rows={data.map((share) => ({ ...share, key: share.key ?? "", name: shareName(by, share) }))} />
        </>
      )}
    </Loaded>
  );
}
