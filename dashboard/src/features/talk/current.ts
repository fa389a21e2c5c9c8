/** Which conversation is open on this page, if any. Light on purpose: the frame asks for it, and the rest loads with the talk page. */
import { useSyncExternalStore } from "react";

import type { Talk } from "./talk";

let current: Talk | null = null;
const listeners = new Set<() => void>();

export function currentTalk(): Talk | null {
  return current;
}

export function setCurrentTalk(talk: Talk | null): void {
  current = talk;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useCurrentTalk(): Talk | null {
  return useSyncExternalStore(subscribe, currentTalk);
}

const nothing = () => () => undefined;

/** Draws again with each change of it. */
export function useChanges(talk: Talk | null): void {
  useSyncExternalStore(talk?.subscribe ?? nothing, () => talk?.version ?? 0);
}
