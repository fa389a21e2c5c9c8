/** What a monthly cap would have done to last month's calls, day by day. */
import type { UsageReport } from "~/api/figures";

export interface Refused {
  spent: number;
  /** The day on which the cap would have been reached; null where it would have held the month. */
  reachedOn: string | null;
  /** Calls on the days after that one: on the day itself nobody can say which came before. */
  requestsAfter: number;
  requests: number;
}

export function wouldHaveRefused(report: Pick<UsageReport, "buckets">, cap: number): Refused {
  let spent = 0;
  let reachedOn: string | null = null;
  let requestsAfter = 0;
  let requests = 0;
  for (const day of report.buckets) {
    if (reachedOn !== null) requestsAfter += day.requests;
    requests += day.requests;
    spent += Number(day.cost ?? 0);
    if (reachedOn === null && spent >= cap) reachedOn = day.date;
  }
  return { spent, reachedOn, requestsAfter, requests };
}

/** The first and last UTC day of the month before the one of `today`. */
export function lastMonth(today: string): { start: string; end: string } {
  const [year = 0, month = 1] = today.split("-").map(Number);
  const day = (date: Date) => date.toISOString().slice(0, 10);
  return { start: day(new Date(Date.UTC(year, month - 2, 1))), end: day(new Date(Date.UTC(year, month - 1, 0))) };
}
