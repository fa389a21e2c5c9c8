import { useHere } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { Ago, Facts } from "~/ui/Figures";
import { Loaded } from "~/ui/Loading";
import { ProblemNotice } from "~/ui/Notice";
import { Sheet } from "~/ui/Sheet";

import { type Invitation, mayManage, mayOf, ROLES, useInvitation } from "./api";
import { Gone } from "./Gone";
import { InvitationState, useWithdraw } from "./Invitations";
import { Who } from "./Who";
import { guestOf, isOpen } from "./words";

export function InvitationSheet({ id, onClose }: { id: string; onClose: () => void }) {
  const invitation = useInvitation(id);
  return (
    <Sheet title={invitation.data ? `Invitation for ${guestOf(invitation.data)}` : "Invitation"} onClose={onClose}>
      <Loaded query={invitation} gone={<Gone>There is no such invitation any more, or it is not yours to see.</Gone>}>
        {(found) => <Details invitation={found} />}
      </Loaded>
    </Sheet>
  );
}

function Details({ invitation }: { invitation: Invitation }) {
  const { workspaces } = useHere();
  const where = workspaces.find((one) => one.workspaceId === invitation.workspaceId);
  return (
    <>
      <Facts
        rows={[
          ["State", <InvitationState invitation={invitation} key="state" />],
          ["Into", where?.name ?? "another workspace"],
          ["As", `${ROLES.find((one) => one.value === invitation.role)?.label ?? invitation.role}. ${mayOf(invitation.role)}`],
          ["Invited by", <Who ws={invitation.workspaceId} personId={invitation.createdBy} key="by" />],
          ["Made", <Ago at={invitation.createdAt} key="made" />],
          ...(invitation.acceptedAt ? ([["Accepted", <Ago at={invitation.acceptedAt} key="accepted" />]] as const) : []),
          ...(invitation.acceptedBy ? ([["Accepted by", <Who ws={invitation.workspaceId} personId={invitation.acceptedBy} key="who" />]] as const) : []),
          ...(invitation.revokedAt ? ([["Withdrawn", <Ago at={invitation.revokedAt} key="withdrawn" />]] as const) : []),
          ...(invitation.acceptedAt || invitation.revokedAt ? [] : ([["Ends", <Ago at={invitation.expiresAt} key="ends" />]] as const)),
        ]}
      />
      {isOpen(invitation) && <Open invitation={invitation} mayWithdraw={where !== undefined && mayManage(where.role, invitation.role)} />}
    </>
  );
}

function Open({ invitation, mayWithdraw }: { invitation: Invitation; mayWithdraw: boolean }) {
  const { submit, busy, problem } = useWithdraw();
  return (
    <div className="stack">
      {problem && <ProblemNotice failure={problem} />}
      <p className="help">
        Its link works once, was shown once and is not kept here.{" "}
        {mayWithdraw ? "Withdrawn, it does not work any more; invite again with a new one." : "Only an owner withdraws the invitation of an owner or admin."}
      </p>
      {mayWithdraw && (
        <div>
          <Button tone="danger" busy={busy} onClick={() => submit(invitation)}>
            Withdraw
          </Button>
        </div>
      )}
    </div>
  );
}
