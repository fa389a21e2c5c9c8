import { useNavigate } from "@tanstack/react-router";

import { useUsage } from "~/api/figures";
import { useWorkspaceId } from "~/api/workspace";
import { DataTable } from "~/ui/DataTable";
import { Facts } from "~/ui/Figures";
import { count, longDay, money } from "~/ui/format";
import { Loaded } from "~/ui/Loading";
import { Sheet } from "~/ui/Sheet";
import { SourceLine } from "~/ui/Source";
import { useItem } from "~/ui/useItem";

/** One day: every kind of token, and the models. */
export function DaySheet() {
  const day = useItem();
  const navigate = useNavigate();
  const usage = useUsage(useWorkspaceId(), day, day, "model");
  return (
    <Sheet title={/^\d{4}-\d{2}-\d{2}$/.test(day) ? longDay(day) : day} note="One day in UTC" onClose={() => void navigate({ to: "/usage", search: (now: object) => now })}>
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
              columns={[
                { name: "Model", cell: (group) => group.key },
                { name: "Requests", number: true, cell: (group) => count(group.requests) },
                { name: "Cost", number: true, cell: (group) => money(group.cost) },
              ]}
              rows={report.buckets[0]?.groups ?? []}
              keyOf={(group) => group.key}
              empty={<p className="soft">No model was used on this day. The bars of the page show on which days some were.</p>}
            />
          </>
        )}
      </Loaded>
    </Sheet>
  );
}
