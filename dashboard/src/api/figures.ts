/** What more than one page asks for: the server's state, usage, limits, models. One key each, so that they are asked once. */
import { useQuery } from "@tanstack/react-query";

import { api, read, type Schemas } from "./client";

export type Status = Schemas["Status"];
export type StatusBucket = Schemas["StatusBucket"];
export type StatusHour = Schemas["StatusHour"];
export type UsageReport = Schemas["UsageReport"];
export type UsageFigures = Schemas["UsageFigures"];
export type ModelCatalogue = Schemas["ModelCatalogue"];
export type WorkspaceLimits = Schemas["WorkspaceLimits"];

const MINUTE = 60_000;

export function useStatus() {
  return useQuery({
    queryKey: ["status"],
    queryFn: () => read(api.GET("/api/v1/status")),
    refetchInterval: MINUTE / 4,
  });
}

/** The same figures hour by hour; stale with them. */
export function useStatusHours() {
  return useQuery({
    queryKey: ["status", "hours"],
    queryFn: () => read(api.GET("/api/v1/status/hours")),
    refetchInterval: MINUTE,
  });
}

export type GroupBy = "day" | "model" | "project";

/** With a `sort` the server sorts the groups of each day, or the days where nothing is grouped; without, days as the calendar has them. */
export function useUsage(workspaceId: string, start: string, end: string, groupBy: GroupBy = "day", sort?: string) {
  const asked = { workspaceId, start, end, groupBy };
  const key = ["usage", workspaceId, start, end, groupBy];
  return useQuery({
    queryKey: [...key, sort],
    queryFn: () => read(api.GET("/api/v1/cto/openai/usage", { params: { query: sort === undefined ? asked : { ...asked, sort } } })),
    // the rows stay while they are sorted anew, and with them the focus; those of other days do not
    placeholderData: (before, query) => (query?.queryKey.slice(0, key.length).join() === key.join() ? before : undefined),
    refetchInterval: MINUTE,
    staleTime: MINUTE / 2,
  });
}

export interface ModelsAsked {
  q?: string;
  capability?: Schemas["ListedModel"]["capabilities"][number];
  sort?: string;
}

/** By their ids, if no other order is asked for. */
export function useModels(workspaceId: string, asked: ModelsAsked = {}) {
  return useQuery({
    queryKey: ["models", workspaceId, asked],
    queryFn: () => read(api.GET("/api/v1/cto/openai/models", { params: { query: { workspaceId, sort: "id", ...asked } } })),
    // the rows stay while they are sorted or narrowed anew; those of another workspace do not
    placeholderData: (before, query) => (query?.queryKey[1] === workspaceId ? before : undefined),
    staleTime: 5 * MINUTE,
  });
}

export const limitsKey = (workspaceId: string) => ["limits", workspaceId];

export function useLimits(workspaceId: string) {
  return useQuery({
    queryKey: limitsKey(workspaceId),
    queryFn: () => read(api.GET("/api/v1/workspaces/{ws}/limits", { params: { path: { ws: workspaceId } } })),
    refetchInterval: MINUTE,
  });
}
