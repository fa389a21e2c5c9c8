/** A model with what is known of it here. The server sorts: what it lists, or for the figures what was used. */
import type { ModelCatalogue, UsageFigures, UsageReport } from "~/api/figures";

export interface ModelRow {
  model: ModelCatalogue["data"][number];
  settings: string[];
  used: Pick<UsageFigures, "requests" | "cost" | "inputTokens" | "outputTokens"> | null;
}

export function rowsOf(catalogue: ModelCatalogue, usage: UsageReport | undefined): ModelRow[] {
  const used = new Map(usage?.groups.map((group) => [group.key, group]));
  return catalogue.data.map((model) => ({
    model,
    settings: catalogue.inUse.filter((one) => one.model === model.id).map((one) => one.setting),
    used: used.get(model.id) ?? null,
  }));
}

/** As the report has its groups. What was not used is last, whichever way round, and stays as it came. */
export function asUsed(rows: readonly ModelRow[], usage: UsageReport | undefined): ModelRow[] {
  const known = new Map(rows.map((row) => [row.model.id, row]));
  const used = (usage?.groups ?? []).flatMap((group) => known.get(group.key) ?? []);
  return [...used, ...rows.filter((row) => row.used === null)];
}
