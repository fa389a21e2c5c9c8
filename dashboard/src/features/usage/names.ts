import type { Schemas } from "~/api/client";

import type { By } from "./order";

export const HEADS: Record<By, string> = { day: "Day", model: "Model", project: "Project", surface: "Surface", person: "Person" };

/** What a key is called that the server has no name for. */
export function nameOf(by: By, key: string): string {
  if (by === "person") return key === "" ? "The server itself" : `Somebody who has left (${key})`;
  return key === "" ? "not known" : key;
}

export const shareName = (by: By, share: Schemas["LedgerShare"]): string => share.name ?? nameOf(by, share.key ?? "");
