import { useQuery } from "@tanstack/react-query";

import { api, read } from "~/api/client";

import type { Range } from "./range";

/** Who or what used how much, of our own ledger, sorted by the server. */
export function useShares(workspaceId: string, range: Range, groupBy: "surface" | "person", sort: string) {
  const key = ["shares", workspaceId, range.start, range.end, groupBy];
  return useQuery({
    queryKey: [...key, sort],
    queryFn: () => read(api.GET("/api/v1/ledger/shares", { params: { query: { workspaceId, ...range, groupBy, sort } } })),
    // the rows stay while they are sorted anew, and with them the focus; those of other days do not
    placeholderData: (before, query) => (query?.queryKey.slice(0, key.length).join() === key.join() ? before : undefined),
  });
}
