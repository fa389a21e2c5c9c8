import type { BadgeTone } from "~/ui/Figures";

import type { KeyProvider, KeyScope, StoredKey } from "./api";

export const NAMES: Record<KeyProvider, string> = { openai: "OpenAI key", "openai-admin": "OpenAI admin key" };

export const SCOPES: Record<KeyScope, string> = { user: "you alone", workspace: "everybody here" };

export const STATES: Record<StoredKey["state"], [BadgeTone, string]> = {
  ok: ["good", "works"],
  unchecked: ["caution", "not checked"],
  rejected: ["danger", "refused by OpenAI"],
  unreadable: ["danger", "cannot be opened"],
};

/** The sentence above the list: whose key pays for a call of this person. */
export function whoPays(keys: readonly StoredKey[]): string {
  const find = (scope: KeyScope) => keys.find((one) => one.provider === "openai" && one.scope === scope);
  const own = find("user");
  const shared = find("workspace");
  if (own) return `Your calls use your own key ${own.keyHint}${shared ? `; everybody else's use the workspace's ${shared.keyHint}` : ""}.`;
  if (shared) return `Every call here uses the workspace's key ${shared.keyHint}.`;
  return "There is no key here. Calls use the server's own key if it has one, else the local sandbox.";
}

export function whereFiguresComeFrom(keys: readonly StoredKey[]): string {
  return keys.some((one) => one.provider === "openai-admin")
    ? "With the admin key, usage and costs are OpenAI's own figures."
    : "Without an admin key, usage and costs are what OpenCTO metered itself.";
}
