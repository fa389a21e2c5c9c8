import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

export type ListSearch = Record<string, string | undefined>;

/** What a list is narrowed to and sorted by, kept in the address so that it can be sent to somebody. */
export function useListState(): [ListSearch, (change: ListSearch) => void] {
  const search: ListSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = useCallback(
    (changed: ListSearch) =>
      void navigate({ to: ".", replace: true, search: (now: ListSearch) => clean({ ...now, ...changed }) }),
    [navigate],
  );
  return [search, change];
}

function clean(search: ListSearch): ListSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value));
}
