import { APPROVALS, type Approval, decide, type Decision } from "~/api/approvals";

import { Button } from "./Button";
import { Ago, Badge } from "./Figures";
import { ProblemNotice } from "./Notice";
import { useSubmit } from "./useSubmit";

/** What would happen, and a yes or no from who may give it; afterwards, what came of it. */
export function ApprovalAsk({ approval, onDecided }: { approval: Approval; onDecided?: () => void }) {
  const { submit, busy, problem } = useSubmit<Decision, Approval>({
    send: (decision) => decide(approval.workspaceId, approval.id, decision),
    stales: [APPROVALS],
    ...(onDecided ? { onDone: onDecided } : {}),
  });
  return (
    <div className="approval" role="group" aria-label={`Approval of ${approval.tool.replaceAll("_", " ")}`}>
      <pre aria-label="What would run" tabIndex={0}>
        {approval.tool} {JSON.stringify(approval.arguments, null, 1)}
      </pre>
      <p className="approval-effect">{approval.effect}</p>
      {approval.state === "pending" ? (
        <>
          <p className="small soft">
            <Badge tone={approval.risk === "destroys" ? "danger" : "caution"}>{approval.risk}</Badge> Asked for by {approval.requestedByName}. Nothing is
            done without a yes; it runs out <Ago at={approval.expiresAt} />.
          </p>
          {approval.mayDecide ? (
            <div className="row">
              <Button tone="primary" small busy={busy} onClick={() => submit("approve")}>
                Approve
              </Button>
              <Button small busy={busy} onClick={() => submit("deny")}>
                Decline
              </Button>
            </div>
          ) : (
            <p className="small">{whoMay(approval)} can approve it, in the dashboard or with <code>opencto approvals</code>.</p>
          )}
        </>
      ) : (
        <p className="small">{cameOf(approval)}</p>
      )}
      {problem && <ProblemNotice failure={problem} />}
    </div>
  );
}

function whoMay({ approverRole }: Approval): string {
  return approverRole === "owner" ? "An owner of the workspace" : approverRole === "admin" ? "An admin or owner of the workspace" : "A member of the workspace";
}

/** How it ended, in a sentence. */
export function cameOf({ state, decidedByName, error }: Approval): string {
  const who = decidedByName ?? "Somebody";
  switch (state) {
    case "pending":
      return "It waits for a yes.";
    case "approved":
      return `${who} approved it. It runs now.`;
    case "used":
      return `${who} approved it, and it was done.`;
    case "denied":
      return `${who} declined it. Nothing was done.`;
    case "expired":
      return "Nobody decided in time. Nothing was done.";
    case "failed":
      return error ?? "It was approved and failed.";
  }
}
