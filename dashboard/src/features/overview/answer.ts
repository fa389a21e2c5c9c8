/** The sentence at the top of the overview, from what is known. */
import type { Status, UsageReport } from "~/api/figures";
import { count, money, plural } from "~/ui/format";

export interface Month {
  spent: number | null;
  /** The same days of the month before; null where nothing is known of them. */
  before: number | null;
}

const cost = (buckets: UsageReport["buckets"]): number | null => {
  const known = buckets.filter((one) => one.cost !== null);
  return known.length === 0 ? null : known.reduce((sum, one) => sum + Number(one.cost), 0);
};

/** This month so far beside as many days of the last one. `today` is a UTC day. */
export function monthOf(report: UsageReport, today: string): Month {
  const thisMonth = today.slice(0, 7);
  const dayOfMonth = today.slice(8);
  const sameDays = report.buckets.filter((one) => one.date.slice(0, 7) < thisMonth && one.date.slice(8) <= dayOfMonth);
  return { spent: cost(report.buckets.filter((one) => one.date.startsWith(thisMonth))), before: cost(sameDays) };
}

export function spendWords({ spent, before }: Month): string {
  if (spent === null) return "Nothing with a known price was used this month.";
  const amount = `${money(spent)} this month`;
  if (before === null || before < 0.01) return `${amount}.`;
  const change = Math.round((spent / before - 1) * 100);
  if (change === 0) return `${amount}, as much as by this day last month.`;
  return `${amount}, ${count(Math.abs(change))} % ${change > 0 ? "above" : "below"} the same days of last month.`;
}

export function healthWords(status: Status): string {
  if (status.status !== "ready") {
    const failing = Object.entries(status.checks).filter(([, state]) => state !== "ok");
    return failing.length > 0 ? `Not ready: ${failing.map(([name]) => name).join(" and ")} does not answer.` : "The server is shutting down.";
  }
  const day = status.buckets.flatMap((bucket) => bucket.windows.filter((one) => one.window === "24h"));
  const sum = (pick: (window: (typeof day)[number]) => number) => day.reduce((total, one) => total + pick(one), 0);
  const refused = sum((one) => one.rateLimited.opencto + one.rateLimited.openai);
  const failed = sum((one) => one.failed.opencto + one.failed.openai);
  const requests = sum((one) => one.requests);
  if (requests === 0) return "Healthy, and quiet: no request in the last day.";
  const trouble = [failed > 0 ? `${count(failed)} failed` : "", refused > 0 ? `${count(refused)} ${refused === 1 ? "was" : "were"} refused by a limit` : ""].filter(Boolean);
  return trouble.length === 0
    ? `Healthy: all of the last day's ${plural(requests, "request")} went through.`
    : `Healthy; of the last day's ${plural(requests, "request")} ${trouble.join(" and ")}.`;
}
