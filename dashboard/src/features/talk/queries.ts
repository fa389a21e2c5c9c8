import { queryOptions } from "@tanstack/react-query";

import { api, read } from "~/api/client";

/** Where answers come from, before the first conversation: of the models list, which asks the same key. */
export function sandboxQuery(workspaceId: string) {
  return queryOptions({
    queryKey: ["talk", "source", workspaceId],
    queryFn: async () => (await read(api.GET("/api/v1/cto/openai/models", { params: { query: { workspaceId } } }))).keySource,
    retry: false,
    staleTime: 60_000,
  });
}

/** What a conversation cost so far, as the server reckons it; asked again with each answer. */
export function sessionQuery(sessionId: string, responses: number) {
  return queryOptions({
    queryKey: ["talk", "session", sessionId, responses],
    queryFn: async ({ signal }) => {
      await new Promise((resolve) => setTimeout(resolve, responses > 0 ? 2_500 : 0)); // The record follows in batches of two seconds.
      return read(api.GET("/api/v1/realtime/sessions/{rs}", { params: { path: { rs: sessionId } }, signal }));
    },
    retry: false,
    placeholderData: (before: unknown) => before as never,
    gcTime: 0, // each answer asks anew, and nobody asks for an older one
  });
}
