import { useHere } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { type Column, DataTable } from "~/ui/DataTable";
import { Ago, Badge } from "~/ui/Figures";
import { Loaded } from "~/ui/Loading";
import { ProblemNotice } from "~/ui/Notice";
import { orderOf } from "~/ui/orderOf";
import { Empty, Section } from "~/ui/Page";
import { SearchBox } from "~/ui/SearchBox";
import { useSay } from "~/ui/Said";
import { useListState } from "~/ui/useListState";
import { usePages } from "~/ui/usePages";
import { useSubmit } from "~/ui/useSubmit";

import { fetchInvitations, INVITATIONS, type Invitation, invitationsKey, mayManage, revokeInvitation } from "./api";
import { guestOf, hasExpired, isOpen } from "./words";

export function InvitationState({ invitation }: { invitation: Invitation }) {
  if (invitation.acceptedAt) return <Badge tone="good">accepted</Badge>;
  if (invitation.revokedAt) return <Badge>withdrawn</Badge>;
  if (hasExpired(invitation)) return <Badge>expired</Badge>;
  return <Badge tone="accent">open</Badge>;
}

const COLUMNS: readonly Column<Invitation>[] = [
  { name: "For", sort: "email", cell: guestOf },
  { name: "Role", sort: "role", cell: (one) => one.role },
  { name: "State", cell: (one) => <InvitationState invitation={one} /> },
  { name: "Made", sort: "createdAt", cell: (one) => <Ago at={one.createdAt} /> },
  { name: "Expires", sort: "expiresAt", cell: (one) => <Ago at={one.expiresAt} /> },
];

export function useWithdraw() {
  const say = useSay();
  return useSubmit({
    send: (one: Invitation) => revokeInvitation(one.id),
    stales: [INVITATIONS],
    onDone: () => say("The invitation is withdrawn; its link does not work any more."),
  });
}

export function Invitations() {
  const { workspace } = useHere();
  const ws = workspace.workspaceId;
  const [search, change] = useListState();
  const q = search.invitationsWith ?? "";
  const sort = orderOf(COLUMNS, search.invitations, "-createdAt");
  const { query, more } = usePages([...invitationsKey(ws), q, sort], (cursor) => fetchInvitations(ws, q, sort, cursor));
  const { submit, busy, problem } = useWithdraw();
  return (
    <Section title="Invitations">
      {problem && <ProblemNotice failure={problem} />}
      <div className="tools">
        <SearchBox label="Search invitations" value={q} onChange={(text) => change({ invitationsWith: text })} />
      </div>
      <Loaded query={query}>
        {(rows) => (
          <DataTable
            label="Invitations"
            columns={COLUMNS}
            rows={rows}
            keyOf={(one) => one.id}
            open={(one) => `/people/${one.id}`}
            action={(one) =>
              isOpen(one) && mayManage(workspace.role, one.role) && (
                <Button small busy={busy} onClick={() => submit(one)} aria-label={`Withdraw the invitation for ${guestOf(one)}`}>
                  Withdraw
                </Button>
              )
            }
            sort={{ now: sort, change: (next) => change({ invitations: next }) }}
            more={more}
            empty={q ? <Empty title="No invitation is for that">Take the search away to see all.</Empty> : <Empty title="Nobody is invited">An invitation is a link for one person. It says the workspace and the role, and works once.</Empty>}
          />
        )}
      </Loaded>
    </Section>
  );
}
