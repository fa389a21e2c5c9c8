/** The line icons of the app, drawn on a 20 px grid. They are decoration: the word stands beside or in the label. */
const PATHS = {
  talk: "M8 6a2 2 0 0 1 4 0v4a2 2 0 0 1-4 0zM5.500 10a4.500 4.500 0 0 0 9 0M10 14.500v2.500",
  overview: "M3 11.5 10 4l7 7.5M5.5 9.5V16h9V9.5",
  models: "M10 3 16.5 6.5v7L10 17l-6.500-3.5v-7zM3.500 6.500 10 10l6.500-3.500M10 10v7",
  usage: "M4 16V9.500M10 16V4M16 16v-4.500M3 16.500h14",
  keys: "M7 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM10.500 10h7v3M14 10v2.200",
  sessions: "M4 4.500h12v8.500H9l-3.500 3v-3H4z",
  people: "M7.500 9.500a2.750 2.750 0 1 0 0-5.500 2.750 2.750 0 0 0 0 5.500ZM2.500 16c.3-2.800 2.300-4.300 5-4.300s4.700 1.500 5 4.300M13 4.300a2.600 2.600 0 0 1 0 4.900M14.500 12.200c1.700.6 2.800 1.900 3 3.800",
  workspace: "M4 6h5M13 6h3M4 14h3M11 14h5M11 4v4M9 12v4",
  audit: "M6 3.500h8v13H6zM8.500 7h3M8.500 10h3M8.500 13h1.500",
  account: "M10 9.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM4 16.500c.4-3 2.800-4.700 6-4.700s5.600 1.700 6 4.700",
  search: "M9 14a5 5 0 1 0 0-10 5 5 0 0 0 0 10Zm3.700-1.300L16.500 16.500",
  more: "M4.500 10h.01M10 10h.01M15.500 10h.01",
  close: "m5 5 10 10M15 5 5 15",
  down: "m5.500 8 4.500 4.500L14.500 8",
  up: "m5.500 12.500 4.500-4.500 4.500 4.500",
  right: "m8 5.500 4.500 4.500L8 14.500",
  check: "m4.500 10.500 3.500 3.500 7.500-8",
  alert: "M10 6v5M10 13.800h.01M10 3 17.500 16.500h-15z",
  sun: "M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM10 2.500v1.500M10 16v1.500M2.500 10H4M16 10h1.500M4.700 4.700l1 1M14.300 14.300l1 1M4.700 15.300l1-1M14.300 5.700l1-1",
  moon: "M15.500 11.800A6.500 6.500 0 0 1 8.200 4.500a6 6 0 1 0 7.300 7.300Z",
  plus: "M10 4v12M4 10h12",
  out: "M8 4H4.500v12H8M12 6.500 15.500 10 12 13.500M15 10H8",
  doctor: "M3 10h3l2-5 3.500 10 2-5H17",
  download: "M10 3.500v9M6.500 9.500 10 13l3.500-3.500M4 16.500h12",
  phone: "M6.500 3h7a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1ZM9 14.500h2",
  book: "M4 4.500h4.500L10 6l1.500-1.500H16v11h-4.500L10 17l-1.500-1.500H4zM10 6v11",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 20 20" width={size} height={size} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: an open ring with a notch, like a gauge that listens. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg className="mark" viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <path d="M26.72 13.53A11 11 0 1 1 18.47 5.28" />
      <path d="M19 13 24.3 7.7" />
    </svg>
  );
}
