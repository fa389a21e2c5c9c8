import { useQuery } from "@tanstack/react-query";

import { api, read, type Schemas } from "~/api/client";
import type { ListSearch } from "~/ui/useListState";

export type Session = Schemas["VoiceSessionFound"];
export type SessionDetail = Schemas["VoiceSessionDetail"];
export type Item = Schemas["SessionItem"];
export type ToolCall = Schemas["SessionToolCall"];
export type Latency = Schemas["SessionLatency"];

export const SESSIONS = ["voice-sessions"];

export function fetchSessions(workspaceId: string, search: ListSearch, cursor: string | undefined) {
  const query = {
    workspaceId,
    limit: 25,
    ...(search.q ? { q: search.q } : {}),
    ...(search.sort ? { sort: search.sort } : {}),
    ...(search.start ? { from: `${search.start}T00:00:00Z` } : {}),
    ...(search.end ? { to: new Date(Date.parse(`${search.end}T00:00:00Z`) + 86_400_000).toISOString() } : {}),
    ...(cursor ? { cursor } : {}),
  };
  return read(api.GET("/api/v1/realtime/sessions", { params: { query } }));
}

export function useVoiceSession(rs: string) {
  return useQuery({
    queryKey: [...SESSIONS, "one", rs],
    queryFn: () => read(api.GET("/api/v1/realtime/sessions/{rs}", { params: { path: { rs } } })),
  });
}

export const deleteSession = (rs: string) => read(api.DELETE("/api/v1/realtime/sessions/{rs}", { params: { path: { rs } } }));

export const exportAddress = (rs: string, format: "json" | "markdown" | "text") => `/api/v1/realtime/sessions/${encodeURIComponent(rs)}/export?format=${format}`;
