/** How figures, money and times are written. */
const WHOLE = new Intl.NumberFormat("en-US");
const SHORT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const MONEY = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const LONG_DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const AND = new Intl.ListFormat("en");

export const count = (value: number) => WHOLE.format(value);
export const short = (value: number) => SHORT.format(value);
export const list = (parts: readonly string[]) => AND.format(parts);

/** "1 key", "2 keys". */
export const plural = (value: number, one: string, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** Money to the cent; what is less than a cent but not nothing says so; null is unknown, never zero. */
export function money(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return "unknown";
  const amount = Number(value);
  return amount > 0 && amount < 0.01 ? "< $0.01" : MONEY.format(amount);
}

export function seconds(value: number | null): string {
  if (value === null) return "–";
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(value < 10 ? 1 : 0)} s`;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

export function ago(moment: string, now = Date.now()): string {
  const distance = (Date.parse(moment) - now) / 1000;
  const step = STEPS.find(([, length]) => Math.abs(distance) >= length);
  return step ? RELATIVE.format(Math.round(distance / step[1]), step[0]) : "just now";
}

export const day = (iso: string) => DAY.format(new Date(`${iso.slice(0, 10)}T00:00:00Z`));
export const longDay = (iso: string) => LONG_DAY.format(new Date(`${iso.slice(0, 10)}T00:00:00Z`));

export const hour = (iso: string) => `${iso.slice(11, 13)}:00`;
export const longHour = (iso: string) => `${longDay(iso)}, ${hour(iso)} UTC`;

/** The UTC day of a moment, `back` days before it, as YYYY-MM-DD. */
export function utcDay(back = 0, now = Date.now()): string {
  return new Date(now - back * 86_400_000).toISOString().slice(0, 10);
}

/** First letter large: for sentences made of parts. */
export const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
