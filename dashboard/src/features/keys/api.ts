import { useQuery } from "@tanstack/react-query";

import { api, read, type Schemas } from "~/api/client";

export type StoredKey = Schemas["StoredKey"];
export type KeyReport = Schemas["KeyReport"];
export type KeyProvider = Schemas["KeyProvider"];
export type KeyScope = StoredKey["scope"];

export const keysKey = (workspaceId: string) => ["keys", workspaceId];

export const USUAL_ORDER = "provider";

export function useKeys(workspaceId: string, sort = USUAL_ORDER) {
  return useQuery({
    queryKey: [...keysKey(workspaceId), sort],
    queryFn: () => read(api.GET("/api/v1/llm/keys", { params: { query: { workspaceId, sort } } })),
    // the rows stay while they are sorted anew, and with them the focus; those of another workspace do not
    placeholderData: (before, query) => (query?.queryKey[1] === workspaceId ? before : undefined),
  });
}

/** What changes with the keys: they themselves, and everything that is asked with them. */
export const stalesOfKeys = (workspaceId: string) => [keysKey(workspaceId), ["models", workspaceId], ["usage", workspaceId]];

export function saveKey(workspaceId: string, provider: KeyProvider, scope: KeyScope, apiKey: string) {
  return read(api.PUT("/api/v1/llm/keys/{provider}", { params: { path: { provider } }, body: { apiKey, workspaceId, scope } }));
}

export function deleteKey(workspaceId: string, key: Pick<StoredKey, "provider" | "scope">) {
  return read(
    api.DELETE("/api/v1/llm/keys/{provider}", { params: { path: { provider: key.provider }, query: { scope: key.scope, workspaceId } } }),
  );
}

/** How a row is called in the address. */
export const idOf = (key: Pick<StoredKey, "provider" | "scope">) => `${key.provider}.${key.scope}`;
