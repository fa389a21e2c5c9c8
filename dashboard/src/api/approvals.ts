/** What the assistant wants to change, and a person's yes or no. */
import { useQuery } from "@tanstack/react-query";

import { api, read, type Schemas } from "./client";

export type Approval = Schemas["Approval"];
export type Decision = Schemas["ApprovalDecision"]["decision"];

export const APPROVALS = ["approvals"];
/** Where the news of an event got lost. */
const LOOK_AGAIN_MS = 15_000;

export const isOpen = ({ state }: Pick<Approval, "state">): boolean => state === "pending" || state === "approved";

export function readApproval(workspaceId: string, approvalId: string): Promise<Approval> {
  return read(api.GET("/api/v1/approvals/{ap}", { params: { path: { ap: approvalId }, query: { workspaceId } } }));
}

export function useApproval(workspaceId: string, approvalId: string) {
  return useQuery({
    queryKey: [...APPROVALS, workspaceId, approvalId],
    queryFn: () => readApproval(workspaceId, approvalId),
    refetchInterval: ({ state }) => (state.data && !isOpen(state.data) ? false : LOOK_AGAIN_MS),
  });
}

/** Those that wait: of the whole workspace for who decides, else what the person asked for. */
export function useWaiting(workspaceId: string) {
  return useQuery({
    queryKey: [...APPROVALS, workspaceId, "pending"],
    queryFn: async () => (await read(api.GET("/api/v1/approvals", { params: { query: { workspaceId, state: "pending", limit: 50 } } }))).data,
  });
}

export function decide(workspaceId: string, approvalId: string, decision: Decision): Promise<Approval> {
  return read(api.POST("/api/v1/approvals/{ap}/decision", { params: { path: { ap: approvalId } }, body: { decision, workspaceId } }));
}
