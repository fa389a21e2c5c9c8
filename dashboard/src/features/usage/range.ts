/** The days that a page of usage is about, from its address: the last 30 where it says none. */
import type { ListSearch } from "~/ui/useListState";

export interface Range {
  start: string;
  end: string;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOST_DAYS = 180;

const back = (day: string, days: number) => new Date(Date.parse(`${day}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);

export const lastDays = (days: number, today: string): Range => ({ start: back(today, days - 1), end: today });

/** What the address says, made to fit: not in the future, in order, at most 180 days. */
export function rangeOf(search: ListSearch, today: string): Range {
  const end = isDay(search.end) && search.end <= today ? search.end : today;
  const start = isDay(search.start) && search.start <= end ? search.start : back(end, 29);
  const earliest = back(end, MOST_DAYS - 1);
  return { start: start < earliest ? earliest : start, end };
}

export function isDay(text: string | undefined): text is string {
  return text !== undefined && DAY.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}
