import { Outlet } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { type UsageReport, useUsage } from "~/api/figures";
import { useMay, useWorkspaceId } from "~/api/workspace";
import { DailyChart } from "~/ui/Chart";
import { TextField } from "~/ui/Field";
import { Figure } from "~/ui/Figures";
import { count, longDay, money, plural, short, utcDay } from "~/ui/format";
import { Icon } from "~/ui/icons";
import { Loaded } from "~/ui/Loading";
import { Page, Section } from "~/ui/Page";
import { Segments } from "~/ui/Segments";
import { SourceLine, SourceNotes } from "~/ui/Source";
import { type ListSearch, useListState } from "~/ui/useListState";

import { Compared } from "./Compared";
import { type By, byOf, known, sortOf, useSort } from "./order";
import { lastDays, type Range, rangeOf } from "./range";
import { ByGroup } from "./Tables";

export { UsageSheet } from "./UsageSheet";

const PRESETS = [
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
] as const;

function sumUp({ totals, start, end, buckets }: UsageReport): string {
  const dearest = [...buckets].sort((one, other) => Number(other.cost ?? 0) - Number(one.cost ?? 0))[0];
  const peak = dearest && Number(dearest.cost ?? 0) > 0 ? ` The dearest day was ${longDay(dearest.date)} with ${money(dearest.cost)}.` : "";
  return `${money(totals.cost ?? "0")} for ${plural(totals.requests, "request")} from ${longDay(start)} to ${longDay(end)}.${peak}`;
}

/** A chart has its days as the calendar has them, however the table is sorted. */
const byDate = ({ buckets }: UsageReport) => [...buckets].sort((one, other) => (one.date < other.date ? -1 : 1));

/** What the table below shows, as rows of days or of the whole range, from where it has it. */
function csvAddress(workspaceId: string, range: Range, by: By, rows: { rowsOf: "day" | "range"; sort?: string | undefined }): string {
  const isShare = by === "surface" || by === "person";
  const asked = { workspaceId, ...range, groupBy: by, format: "csv", ...(isShare ? {} : { rowsOf: rows.rowsOf }), ...(rows.sort ? { sort: rows.sort } : {}) };
  return `${isShare ? "/api/v1/ledger/shares" : "/api/v1/cto/openai/usage"}?${new URLSearchParams(asked).toString()}`;
}

function Download({ href, children }: { href: string; children: ReactNode }) {
  return (
    <a className="button" href={href} download>
      <Icon name="download" size={18} />
      {children}
    </a>
  );
}

export function UsagePage() {
  const workspaceId = useWorkspaceId();
  const mayLedger = useMay("admin");
  const [search, change] = useListState();
  const today = utcDay();
  const range = rangeOf(search, today);
  const by = byOf(search);
  const sort = useSort(by);
  // the days in the order of the table, which asks for the same ones: the server is asked once
  const usage = useUsage(workspaceId, range.start, range.end, "day", by === "day" ? sort : sortOf({}, "day"));
  return (
    <Page
      title="Usage"
      lead={usage.data && sumUp(usage.data)}
      actions={
        <>
          <Download href={csvAddress(workspaceId, range, by, { rowsOf: by === "day" ? "day" : "range", sort: by === "day" ? known(search.sort) : sort })}>CSV</Download>
          {(by === "model" || by === "project") && <Download href={csvAddress(workspaceId, range, by, { rowsOf: "day" })}>CSV by day</Download>}
        </>
      }
    >
      <RangeTools range={range} today={today} change={change} />
      <Loaded query={usage} lines={6}>
        {(report) => (
          <>
            <Section title="Cost and tokens" note={<SourceLine report={report} />}>
              <dl className="figures">
                <Figure label="Cost" value={money(report.totals.cost ?? "0")} />
                <Figure label="Requests" value={count(report.totals.requests)} />
                <Figure label="Tokens in" value={short(report.totals.inputTokens)} note={`${short(report.totals.cachedInputTokens)} cached, ${short(report.totals.inputAudioTokens)} audio`} />
                <Figure label="Tokens out" value={short(report.totals.outputTokens)} note={`${short(report.totals.outputAudioTokens)} audio`} />
              </dl>
              <DailyChart
                caption="US dollars per day (UTC)"
                label="Cost per day"
                points={byDate(report).map((one) => ({ date: one.date, value: Number(one.cost ?? 0) }))}
                write={money}
                none="Nothing was spent in these days. Choose other days above, or ask the assistant something."
              />
              <SourceNotes report={report} />
            </Section>
            <Compared report={report} />
          </>
        )}
      </Loaded>
      <Section
        title="In parts"
        actions={
          <Segments
            label="By"
            value={by}
            options={[["day", "Day"], ["model", "Model"], ["project", "Project"], ...(mayLedger ? ([["surface", "Surface"], ["person", "Person"]] as const) : [])]}
            onChange={(next) => change({ by: next, sort: undefined })}
          />
        }
      >
        <ByGroup by={by} range={range} />
      </Section>
      <Outlet />
    </Page>
  );
}

function RangeTools({ range, today, change }: { range: Range; today: string; change: (search: ListSearch) => void }) {
  const preset = PRESETS.find(([days]) => lastDays(Number(days), today).start === range.start && range.end === today);
  return (
    <div className="tools">
      <Segments label="Days" options={PRESETS} value={preset?.[0] ?? ("" as "30")} onChange={(days) => change({ ...lastDays(Number(days), today) })} />
      <TextField label="From" type="date" value={range.start} max={range.end} onChange={(event) => event.target.value && change({ start: event.target.value, end: range.end })} />
      <TextField label="To" type="date" value={range.end} max={today} onChange={(event) => event.target.value && change({ start: range.start, end: event.target.value })} />
    </div>
  );
}
