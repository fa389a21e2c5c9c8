import { Link, useNavigate } from "@tanstack/react-router";

import { useModels, useUsage } from "~/api/figures";
import { useWorkspaceId } from "~/api/workspace";
import { DailyChart } from "~/ui/Chart";
import { Facts } from "~/ui/Figures";
import { count, money, utcDay } from "~/ui/format";
import { Loaded } from "~/ui/Loading";
import { Notice, ProblemNotice } from "~/ui/Notice";
import { Sheet } from "~/ui/Sheet";
import { SourceLine } from "~/ui/Source";
import { useItem } from "~/ui/useItem";

import { ShutDown } from "./ModelsPage";
import { rowsOf } from "./rows";

export function ModelSheet() {
  const id = useItem();
  const workspaceId = useWorkspaceId();
  const navigate = useNavigate();
  const models = useModels(workspaceId);
  const usage = useUsage(workspaceId, utcDay(29), utcDay(), "model");
  return (
    <Sheet title={id} onClose={() => void navigate({ to: "/models", search: (now: object) => now })}>
      <Loaded query={models}>
        {(catalogue) => {
          const row = rowsOf(catalogue, usage.data).find((one) => one.model.id === id);
          if (!row)
            return (
              <p>
                The key does not reach a model of this name. <Link to="/models">See those it reaches</Link>, or <Link to="/keys">use another key</Link>.
              </p>
            );
          const none = usage.data === undefined ? "not known" : "none";
          const points = (usage.data?.buckets ?? []).map((bucket) => ({
            date: bucket.date,
            value: bucket.groups.find((group) => group.key === id)?.requests ?? 0,
          }));
          return (
            <>
              {catalogue.warnings
                .filter((one) => one.model === id)
                .map((one) => (
                  <Notice tone="caution" key={one.setting}>
                    <p>{one.message}</p>
                  </Notice>
                ))}
              {usage.data === undefined && usage.error && <ProblemNotice failure={usage.error} onRetry={() => void usage.refetch()} />}
              <Facts
                rows={[
                  ["For", row.model.capabilities.join(", ") || "not known"],
                  ["Shuts down", row.model.shutdownDate ? <ShutDown date={row.model.shutdownDate} key="date" /> : "no date announced"],
                  ["Named by", row.settings.length ? row.settings.join(", ") : "no setting here"],
                  ["Owned by", row.model.ownedBy ?? "not told"],
                  ["Requests, 30 days", row.used ? count(row.used.requests) : none],
                  ["Tokens in, out", row.used ? `${count(row.used.inputTokens)}, ${count(row.used.outputTokens)}` : none],
                  ["Cost, 30 days", row.used ? money(row.used.cost) : none],
                ]}
              />
              {usage.data && <DailyChart low caption="Requests per day, last 30 days" label="Requests per day" points={points} write={count} source={<SourceLine report={usage.data} />} none="Not used in these 30 days. A setting of the workspace, or a call that names it, uses it." />}
            </>
          );
        }}
      </Loaded>
    </Sheet>
  );
}
