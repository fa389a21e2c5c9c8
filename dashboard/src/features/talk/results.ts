/** What a tool gave, read for a table: text in, text out, nothing is ever taken for markup. */
export interface Table {
  columns: string[];
  rows: string[][];
  source: string;
}

const LISTS = ["data", "models", "rows", "items", "buckets", "results"];
const MOST_COLUMNS = 5;
const MOST_DAYS = 180;
const DAY_MS = 86_400_000;

export function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 1);
  } catch {
    return json;
  }
}

/** Null where it holds no list of alike things. */
export function rowsOf(output: string): Table | null {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    return null;
  }
  const source = isRecord(value) && typeof value.source === "string" ? `source: ${value.source}` : "";
  const list: unknown[] | undefined = Array.isArray(value) ? value : isRecord(value) ? listWithin(value) : undefined;
  if (list?.length && list.every((one) => typeof one === "string")) return { columns: ["name"], source, rows: list.map((one) => [one]) };
  const records = list?.filter(isRecord) ?? [];
  const first = records[0];
  if (!first || records.length !== list?.length) return null;
  const columns = Object.keys(first)
    .filter((name) => records.some((one) => isPlain(one[name])))
    .slice(0, MOST_COLUMNS);
  return { columns, source, rows: records.map((one) => columns.map((name) => cell(one[name]))) };
}

/** Whether it is a list, or has one, and there is nothing in it. */
export function isEmptyList(output: string): boolean {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    return false;
  }
  if (Array.isArray(value)) return value.length === 0;
  const lists = isRecord(value) ? Object.entries(value).filter(([name, one]) => Array.isArray(one) && (LISTS.includes(name) || name.startsWith("by_"))) : [];
  return lists.length > 0 && lists.every(([, one]) => Array.isArray(one) && one.length === 0);
}

/** Cost per day from `start` to `end`, days without use included; null where it tells of no days. */
export function daysOf(output: string): { date: string; value: number }[] | null {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    return null;
  }
  if (!isRecord(value) || !Array.isArray(value.by_day) || typeof value.start !== "string" || typeof value.end !== "string") return null;
  const costs = new Map<string, number>();
  for (const row of value.by_day) if (isRecord(row) && typeof row.day === "string") costs.set(row.day, Number(row.cost ?? 0));
  const [first, last] = [Date.parse(value.start), Date.parse(value.end)];
  const count = Math.round((last - first) / DAY_MS) + 1;
  if (!(count > 1 && count <= MOST_DAYS) || costs.size === 0 || [...costs.values()].some((cost) => !Number.isFinite(cost))) return null;
  return Array.from({ length: count }, (_, place) => new Date(first + place * DAY_MS).toISOString().slice(0, 10)).map((date) => ({ date, value: costs.get(date) ?? 0 }));
}

function listWithin(value: Record<string, unknown>): unknown[] | undefined {
  const names = Object.keys(value).filter((name) => LISTS.includes(name) || name.startsWith("by_"));
  return names.map((name) => value[name]).find((one) => Array.isArray(one) && one.length > 0) as unknown[] | undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isPlain = (value: unknown) => value !== null && value !== undefined && (!Array.isArray(value) ? typeof value !== "object" : value.every((one) => typeof one === "string"));

function cell(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
