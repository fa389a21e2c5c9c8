import { type UsageReport, useUsage } from "~/api/figures";
import { useWorkspaceId } from "~/api/workspace";
import { type Column, DataTable } from "~/ui/DataTable";
import { Facts } from "~/ui/Figures";
import { count, longDay, money } from "~/ui/format";
import { Loaded } from "~/ui/Loading";
import { Sheet } from "~/ui/Sheet";
import { SourceLine } from "~/ui/Source";
import { useListState } from "~/ui/useListState";

import { known } from "./order";

const COLUMNS: readonly Column<UsageReport["buckets"][number]["groups"][number]>[] = [
  { name: "Model", sort: "key", cell: (group) => group.key },
  { name: "Requests", sort: "requests", number: true, cell: (group) => count(group.requests) },
  { name: "Cost", sort: "cost", number: true, cell: (group) => money(group.cost) },
];

/** One day: every kind of token, and the models. The order of these has a name of its own in the address, beside the page's. */
export function DaySheet({ day, onClose }: { day: string; onClose: () => void }) {
  const [search, change] = useListState();
  const sort = known(search.models) ?? "-cost";
  const usage = useUsage(useWorkspaceId(), day, day, "model", sort);
  return (
    <Sheet title={longDay(day)} note="One day in UTC" onClose={onClose}>
      <Loaded query={usage}>
        {({ totals, ...report }) => (
          <>
            <p className="help">
              <SourceLine report={{ totals, ...report }} />
            </p>
            <Facts
              rows={[
                ["Cost", money(totals.cost ?? "0")],
                ["Requests", count(totals.requests)],
                ["Tokens in", `${count(totals.inputTokens)}, of them ${count(totals.cachedInputTokens)} cached and ${count(totals.inputAudioTokens)} audio`],
                ["Tokens out", `${count(totals.outputTokens)}, of them ${count(totals.outputAudioTokens)} audio`],
              ]}
            />
            <DataTable
              label="Models of the day"
              columns={COLUMNS}
              rows={report.buckets[0]?.groups ?? []}
              keyOf={(group) => group.key}
              sort={{ now: sort, change: (next) => change({ models: next }) }}
              empty={<p className="soft">No model was used on this day. The bars of the page show on which days some were.</p>}
            />
          </>
        )}
      </Loaded>
    </Sheet>
  );
}
