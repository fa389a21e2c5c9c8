import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Button } from "./Button";
import { SelectField } from "./Field";
import { Icon } from "./icons";

export interface Column<Row> {
  name: string;
  /** What the server sorts the list by. */
  sort?: string;
  number?: boolean;
  cell: (row: Row) => ReactNode;
}

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** Where the side sheet of a row stands; its first cell becomes the link. */
  open?: ((row: Row) => string) | undefined;
  /** The one action of a row, or its menu. */
  action?: ((row: Row) => ReactNode) | undefined;
  sort?: { now: string; change: (sort: string) => void } | undefined;
  more?: { busy: boolean; load: () => void } | undefined;
  /** What stands in its place without rows: that there is none, and what to do next. */
  empty: ReactNode;
}

export function DataTable<Row>({ label, columns, rows, keyOf, open, action, sort, more, empty }: Props<Row>) {
  if (rows.length === 0) return empty;
  return (
    <div className="table-box">
      {sort && rows.length > 1 && <SortBy label={label} columns={columns} sort={sort} />}
      <table className="table" aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.name} column={column} sort={sort} />
            ))}
            {action && (
              <th scope="col">
                <span className="sr">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} className={open ? "opens" : undefined}>
              {columns.map((column, index) => (
                <td key={column.name} data-label={column.name} className={column.number ? "number" : undefined}>
                  {index === 0 && open ? (
                    <Link to={open(row)} search={(now: object) => now} className="row-link">
                      {column.cell(row)}
                    </Link>
                  ) : (
                    column.cell(row)
                  )}
                </td>
              ))}
              {action && <td className="row-action">{action(row)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {more && (
        <Button small busy={more.busy} onClick={more.load} className="more">
          Show more
        </Button>
      )}
    </div>
  );
}

/** The same as the heads, for a phone, where rows are cards and there are none. */
function SortBy<Row>({ label, columns, sort }: { label: string; columns: readonly Column<Row>[]; sort: NonNullable<Props<Row>["sort"]> }) {
  const offered = columns.flatMap(({ name, sort: by }) =>
    by === undefined
      ? []
      : [
          { value: by, label: `${name}, rising` },
          { value: `-${by}`, label: `${name}, falling` },
        ],
  );
  const options = offered.some((one) => one.value === sort.now) ? offered : [{ value: sort.now, label: "as it comes" }, ...offered];
  return (
    <div className="sort-by">
      <SelectField label="Sort by" aria-label={`Sort ${label} by`} value={sort.now} options={options} onChange={(event) => sort.change(event.target.value)} />
    </div>
  );
}

/** The head of a column; a button where the list can be sorted by it: up, then down; figures the largest first. */
function Head<Row>({ column, sort }: { column: Column<Row>; sort?: Props<Row>["sort"] | undefined }) {
  const className = column.number ? "number" : undefined;
  const by = column.sort;
  if (by === undefined || sort === undefined)
    return (
      <th scope="col" className={className}>
        {column.name}
      </th>
    );
  const isUp = sort.now === by;
  const isDown = sort.now === `-${by}`;
  const next = isUp || (column.number && !isDown) ? `-${by}` : by;
  return (
    <th scope="col" className={className} aria-sort={isUp ? "ascending" : isDown ? "descending" : "none"}>
      <button type="button" className="sorter" onClick={() => sort.change(next)}>
        {column.name}
        {(isUp || isDown) && <Icon name={isUp ? "up" : "down"} size={14} />}
      </button>
    </th>
  );
}
