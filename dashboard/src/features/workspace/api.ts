import { useQuery } from "@tanstack/react-query";

import { api, read, type Schemas } from "~/api/client";

export type Settings = Schemas["WorkspaceSettings"];
export type SettingsUpdate = Schemas["WorkspaceSettingsUpdate"];
export type LimitsUpdate = Schemas["WorkspaceLimitsUpdate"];

export const settingsKey = (ws: string) => ["settings", ws];

export function useSettings(ws: string) {
  return useQuery({
    queryKey: settingsKey(ws),
    queryFn: () => read(api.GET("/api/v1/workspaces/{ws}/settings", { params: { path: { ws } } })),
  });
}

export const changeSettings = (ws: string, body: SettingsUpdate) => read(api.PATCH("/api/v1/workspaces/{ws}/settings", { params: { path: { ws } }, body }));

export const changeLimits = (ws: string, body: LimitsUpdate) => read(api.PUT("/api/v1/workspaces/{ws}/limits", { params: { path: { ws } }, body }));

export const rename = (ws: string, name: string) => read(api.PATCH("/api/v1/workspaces/{ws}", { params: { path: { ws } }, body: { name } }));

export const deleteWorkspace = (ws: string, confirm: string) =>
  read(api.DELETE("/api/v1/workspaces/{ws}", { params: { path: { ws }, query: { confirm } } }));
