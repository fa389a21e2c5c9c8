/** The people and keys of the workspace that the palette finds. Who may not see them is refused by the server and finds none. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { api, read } from "~/api/client";
import { Problem } from "~/api/problem";
import { idOf, useKeys } from "~/features/keys/api";
import { NAMES, SCOPES } from "~/features/keys/words";

import type { PaletteEntry } from "./match";

const PAUSE_MS = 150;
const PEOPLE = 12;

/** What was typed, a moment after the last key. */
function useSettled(typed: string): string {
  const [settled, setSettled] = useState(typed);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return settled;
}

const isRefusal = (failure: unknown) => failure instanceof Problem && failure.code === "FORBIDDEN";

export function useFound(workspaceId: string, typed: string, go: (to: string) => () => void) {
  const settled = useSettled(typed);
  // The server searches for one text, the palette for words in any order: it is asked for the longest of them.
  const q = settled.split(/\s+/).reduce((longest, word) => (word.length > longest.length ? word : longest), "");
  const people = useQuery({
    queryKey: ["members", workspaceId, "found", q],
    queryFn: () => read(api.GET("/api/v1/workspaces/{ws}/members", { params: { path: { ws: workspaceId }, query: { limit: PEOPLE, ...(q ? { q } : {}) } } })),
    placeholderData: keepPreviousData,
  });
  const keys = useKeys(workspaceId);
  const entries: PaletteEntry[] = [
    ...(people.data?.data ?? []).map((one) => ({
      id: one.personId,
      kind: "Person",
      name: one.name,
      also: one.email ?? one.role,
      icon: "people" as const,
      run: go(`/people/${one.personId}`),
    })),
    ...(keys.data?.keys ?? []).map((one) => ({
      id: idOf(one),
      kind: "Key",
      name: `${NAMES[one.provider]} ${one.keyHint}`,
      also: SCOPES[one.scope],
      icon: "keys" as const,
      run: go(`/keys/${idOf(one)}`),
    })),
  ];
  return {
    entries,
    isAsking: settled !== typed || people.isFetching || keys.isPending,
    failure: [people.error, keys.error].find((one) => one !== null && !isRefusal(one)) ?? null,
  };
}
