import type { UsageReport } from "~/api/figures";

import { Ago, Badge } from "./Figures";

const SOURCES: Record<UsageReport["source"], string> = {
  openai: "OpenAI's own figures",
  ledger: "metered by OpenCTO",
  sandbox: "the sandbox: nobody is billed",
};

/** Where figures come from and how fresh they are. */
export function SourceLine({ report }: { report: UsageReport }) {
  return (
    <span>
      <Badge tone={report.source === "sandbox" ? "caution" : "plain"}>{SOURCES[report.source]}</Badge> <Ago at={report.asOf} />
    </span>
  );
}

export function SourceNotes({ report }: { report: UsageReport }) {
  if (report.notes.length === 0) return null;
  return (
    <ul className="source" aria-label="Notes on the figures">
      {report.notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}
