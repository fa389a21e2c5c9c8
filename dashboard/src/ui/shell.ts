/** Whether the browser keeps the pages' shell for times without a server: the app asks it to, and any page may say what came of that. */
import { useSyncExternalStore } from "react";

/** `missing`: the browser has no worker for this page. `refused`: it did not take ours. */
export type Shell = "asked" | "kept" | "missing" | "refused";

let shell: Shell = "asked";
const listeners = new Set<() => void>();

export function tellShell(now: Shell): void {
  shell = now;
  for (const tell of listeners) tell();
}

export function useShell(): Shell {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => shell,
  );
}
