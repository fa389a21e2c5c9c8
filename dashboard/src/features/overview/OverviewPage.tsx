import { Link } from "@tanstack/react-router";

import { useStatus, useUsage } from "~/api/figures";
import { useHere } from "~/api/workspace";
import { DailyChart } from "~/ui/Chart";
import { Figure } from "~/ui/Figures";
import { count, money, short, utcDay } from "~/ui/format";
import { Loaded } from "~/ui/Loading";
import { Notice } from "~/ui/Notice";
import { Page, Section } from "~/ui/Page";
import { SourceLine } from "~/ui/Source";

import { healthWords, monthOf, spendWords } from "./answer";
import { Doctor } from "./Doctor";
import { DyingModels } from "./DyingModels";
import { Hours } from "./Hours";
import { Traffic } from "./Traffic";
import { WaitingForYou } from "./WaitingForYou";

/** The first day of the month before, so that this month can be held against it. */
function firstOfLastMonth(today: string): string {
  const [year = 2026, month = 1] = today.split("-").map(Number);
  return new Date(Date.UTC(year, month - 2, 1)).toISOString().slice(0, 10);
}

export function OverviewPage() {
  const { workspace } = useHere();
  const today = utcDay();
  const usage = useUsage(workspace.workspaceId, firstOfLastMonth(today), today);
  const status = useStatus();
  const sentences = [status.data ? healthWords(status.data) : "", usage.data ? spendWords(monthOf(usage.data, today)) : ""];
  return (
    <Page title="Overview" lead={<p>{sentences.filter(Boolean).join(" ") || "Asking how things are…"}</p>}>
      {usage.data?.source === "sandbox" && (
        <Notice tone="caution" title="This is the sandbox">
          <p>
            There is no OpenAI key here, so a local stand-in answers and nobody is billed. <Link to="/keys/new">Add a key</Link> to talk to
            OpenAI.
          </p>
        </Notice>
      )}
      <WaitingForYou />
      <Loaded query={usage} lines={6}>
        {(report) => {
          const day = report.buckets.at(-1);
          const shown = report.buckets.slice(-30);
          const costs = shown.map((one) => ({ date: one.date, value: Number(one.cost ?? 0) }));
          const tokens = shown.map((one) => ({ date: one.date, value: one.inputTokens + one.outputTokens }));
          return (
            <div className="columns">
              <Section title="Spend" note={<SourceLine report={report} />} actions={<Link to="/usage">Usage</Link>}>
                <dl className="figures">
                  <Figure label="Today (UTC)" value={money(day?.cost ?? "0")} />
                  <Figure label="This month" value={money(monthOf(report, today).spent ?? 0)} />
                </dl>
                <DailyChart caption="US dollars per day, last 30 days" label="Spend per day" points={costs} write={money} none="Nothing was spent in these 30 days. What the assistant costs shows up here a minute after it spoke." />
              </Section>
              <Section title="Tokens" note={<SourceLine report={report} />}>
                <dl className="figures">
                  <Figure label="In, today" value={short(day?.inputTokens ?? 0)} />
                  <Figure label="Out, today" value={short(day?.outputTokens ?? 0)} />
                  <Figure label="Requests, today" value={count(day?.requests ?? 0)} />
                </dl>
                <DailyChart caption="Tokens in and out per day, last 30 days" label="Tokens per day" points={tokens} write={count} tick={short} none="No tokens in these 30 days. Ask the assistant something, and they show up here." />
              </Section>
            </div>
          );
        }}
      </Loaded>
      <Section title="Requests" note="How calls to this server ended. A limit's refusal is a 429, a failure a 5xx; each names whose it was.">
        <Hours />
        <Loaded query={status}>{(found) => <Traffic status={found} />}</Loaded>
      </Section>
      <div className="columns">
        <DyingModels />
        <Doctor />
      </div>
    </Page>
  );
}
