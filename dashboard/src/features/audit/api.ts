import { useQuery } from "@tanstack/react-query";

import { api, read, type Schemas } from "~/api/client";
import type { ListSearch } from "~/ui/useListState";

export type AuditRow = Schemas["AuditRow"];

interface Asked {
  workspaceId: string;
  action?: string;
  actorId?: string;
  targetId?: string;
  from?: string;
  to?: string;
}

/** The order in which the trail is chained, or the other way round; nothing else orders it. */
export type Order = "at" | "-at";

/** What the address narrows the trail to. Days are whole and in UTC. */
export function askedOf(workspaceId: string, search: ListSearch): Asked {
  return {
    workspaceId,
    ...(search.action ? { action: search.action } : {}),
    ...(search.actor ? { actorId: search.actor } : {}),
    ...(search.target ? { targetId: search.target } : {}),
    ...(search.start ? { from: `${search.start}T00:00:00Z` } : {}),
    ...(search.end ? { to: new Date(Date.parse(`${search.end}T00:00:00Z`) + 86_400_000).toISOString() } : {}),
  };
}

export const fetchAudit = (asked: Asked, sort: Order, cursor: string | undefined) =>
  read(api.GET("/api/v1/audit", { params: { query: { ...asked, sort, limit: 50, ...(cursor ? { cursor } : {}) } } }));

export function useAuditRow(seq: string) {
  return useQuery({
    queryKey: ["audit", "one", seq],
    queryFn: () => read(api.GET("/api/v1/audit/{seq}", { params: { path: { seq: Number(seq) } } })),
    enabled: isSeq(seq),
    staleTime: Infinity, // what was written does not change
  });
}

/** Whether an address names a row: the trail numbers them from 1. */
export const isSeq = (text: string) => /^[1-9]\d{0,14}$/.test(text);

export const exportAddress = (asked: Asked, format: "csv" | "jsonl") => `/api/v1/audit/export?${new URLSearchParams({ ...asked, format }).toString()}`;

export const verify = () => read(api.POST("/api/v1/audit/verify"));
