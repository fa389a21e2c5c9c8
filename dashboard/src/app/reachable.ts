/** Whether the server answers, from what the calls see and what the browser says of the network. */
import { useSyncExternalStore } from "react";

import { onAnswer } from "~/api/client";

type State = "ok" | "offline" | "reconnecting";

let state: State = navigator.onLine ? "ok" : "offline";
const listeners = new Set<() => void>();

function become(next: State): void {
  if (next === state) return;
  state = next;
  for (const tell of listeners) tell();
}

export function sawServer(reached: boolean): void {
  become(reached ? "ok" : navigator.onLine ? "reconnecting" : "offline");
}

export function watchReachability(): void {
  onAnswer(sawServer);
  window.addEventListener("offline", () => become("offline"));
  window.addEventListener("online", () => become("reconnecting"));
}

export function useReachable(): State {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => state,
  );
}
