/** What usage is grouped by beside days, and the address of the sheet of one group: `/usage/model.gpt-6-luna`, which is no day. */
export const GROUPS = ["model", "project", "surface", "person"] as const;

export type GroupKind = (typeof GROUPS)[number];

export interface GroupItem {
  kind: GroupKind;
  /** Empty where nobody knows it. */
  key: string;
}

const isKind = (text: string): text is GroupKind => (GROUPS as readonly string[]).includes(text);

/** The key is written so that it stays one part of the path also where the server has decoded it: keys have slashes. */
export const groupAddress = (kind: GroupKind, key: string) => `/usage/${encodeURIComponent(`${kind}.${encodeURIComponent(key)}`)}`;

/** Which group an address means; undefined where it means none. */
export function groupOf(item: string): GroupItem | undefined {
  const [, kind = "", written = ""] = /^([a-z]+)\.(.*)$/s.exec(item) ?? [];
  if (!isKind(kind)) return undefined;
  try {
    return { kind, key: decodeURIComponent(written) };
  } catch {
    return undefined;
  }
}
