/** A model with what is known of it here. The catalogue comes whole and from memory, so it is narrowed and sorted in the page. */
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

const SORTS: Record<string, (row: ModelRow) => string | number> = {
  id: (row) => row.model.id,
  shutdown: (row) => row.model.shutdownDate ?? "9999",
  used: (row) => -row.settings.length,
  requests: (row) => row.used?.requests ?? 0,
  cost: (row) => Number(row.used?.cost ?? -1),
};

export function narrowed(rows: readonly ModelRow[], wanted: { text: string; capability: string; sort: string }): ModelRow[] {
  const text = wanted.text.toLowerCase();
  const value = SORTS[wanted.sort.replace(/^-/, "")] ?? ((row: ModelRow) => row.model.id);
  const direction = wanted.sort.startsWith("-") ? -1 : 1;
  return rows
    .filter((row) => row.model.id.toLowerCase().includes(text))
    .filter((row) => wanted.capability === "" || row.model.capabilities.some((one) => one === wanted.capability))
    .sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      return (a < b ? -1 : a > b ? 1 : 0) * direction || one.model.id.localeCompare(other.model.id);
    });
}
