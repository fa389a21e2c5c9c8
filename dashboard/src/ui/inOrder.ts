/** The order of a list that comes whole in one answer: sorted in the page, since the server has nothing more of it. */
type Value = string | number | null | undefined;

interface Sortable<Row> {
  sort?: string;
  /** What the page sorts the column by; what is not known is last, whichever way round. */
  by?: (row: Row) => Value;
}

/** `sort` is the `sort` of a column, with a hyphen before it to turn it. Rows that are alike stay as they came. */
export function inOrder<Row>(rows: readonly Row[], columns: readonly Sortable<Row>[], sort: string): readonly Row[] {
  const value = columns.find((column) => column.sort === sort.replace(/^-/, ""))?.by;
  if (!value) return rows;
  const direction = sort.startsWith("-") ? -1 : 1;
  return [...rows].sort((one, other) => compared(value(one), value(other), direction));
}

function compared(one: Value, other: Value, direction: number): number {
  if (one === null || one === undefined) return other === null || other === undefined ? 0 : 1;
  if (other === null || other === undefined) return -1;
  if (typeof one === "number" && typeof other === "number") return (one - other) * direction;
  return String(one).localeCompare(String(other), "en", { numeric: true, sensitivity: "base" }) * direction;
}
