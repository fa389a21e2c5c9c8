import type { IconName } from "~/ui/icons";

export interface PaletteEntry {
  /** What tells it from others of the same kind and name; the name where absent. */
  id?: string;
  kind: string;
  name: string;
  /** What is shown beside the name and found as well. */
  also?: string;
  icon: IconName;
  run: () => void;
}

const SHOWN = 12;

/** Entries that hold every typed word, those that begin with the first one before the others. */
export function match(entries: readonly PaletteEntry[], typed: string): PaletteEntry[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const holds = (entry: PaletteEntry) => {
    const text = `${entry.name} ${entry.also ?? ""} ${entry.kind}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const first = words[0] ?? "";
  const rank = (entry: PaletteEntry) => (entry.name.toLowerCase().startsWith(first) ? 0 : 1);
  return entries
    .filter(holds)
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, SHOWN);
}
