import type { ReactNode } from "react";

import { ago } from "./format";

export function Ago({ at }: { at: string | null | undefined }) {
  if (!at) return <span className="soft">never</span>;
  return (
    <time dateTime={at} title={new Date(at).toLocaleString()}>
      {ago(at)}
    </time>
  );
}

export type BadgeTone = "plain" | "good" | "caution" | "danger" | "accent";

export function Badge({ tone = "plain", children }: { tone?: BadgeTone; children: ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>;
}

/** One figure with its unit and what it is about. */
export function Figure({ label, value, note, tone }: { label: string; value: ReactNode; note?: ReactNode; tone?: BadgeTone }) {
  return (
    <div className={`figure ${tone ?? ""}`}>
      <dt>{label}</dt>
      <dd className="value">{value}</dd>
      {note && <dd className="note">{note}</dd>}
    </div>
  );
}

/** A list of names and values, such as in a side sheet. */
export function Facts({ rows }: { rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
