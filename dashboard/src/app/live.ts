/** What changes on the server makes stale what is shown of it, at once in every open page. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { SESSION } from "~/api/session";

import { gatherer, TYPES } from "./gather";
import { sawServer } from "./reachable";

const AGAIN_MS = 3_000;

function listen(queries: QueryClient, workspaceId: string): () => void {
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const after = (task: () => void, ms: number) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      task();
    }, ms);
    timers.add(timer);
  };
  const hear = gatherer((name) => void queries.invalidateQueries({ queryKey: [name] }), after);
  let source: EventSource | null = null;
  const open = () => {
    source = new EventSource(`/api/v1/events?workspaceId=${encodeURIComponent(workspaceId)}`);
    source.onopen = () => sawServer(true);
    for (const type of TYPES) source.addEventListener(type, () => hear(type));
    source.onerror = (event) => {
      const isProblem = event instanceof MessageEvent; // the server ended it and said why; else the line was lost
      if (isProblem) void queries.invalidateQueries({ queryKey: SESSION });
      else if (source?.readyState === EventSource.CONNECTING) sawServer(false);
      if (isProblem || source?.readyState === EventSource.CLOSED) {
        source?.close();
        after(open, AGAIN_MS);
      }
    };
  };
  open();
  return () => {
    source?.close();
    for (const timer of timers) clearTimeout(timer);
  };
}

export function useLive(workspaceId: string): void {
  const queries = useQueryClient();
  useEffect(() => listen(queries, workspaceId), [queries, workspaceId]);
}
