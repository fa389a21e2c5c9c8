import { useWorkspaceId } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { type Column, DataTable } from "~/ui/DataTable";
import { Ago, Badge } from "~/ui/Figures";
import { Loaded } from "~/ui/Loading";
import { ProblemNotice } from "~/ui/Notice";
import { Empty, Section } from "~/ui/Page";
import { useSay } from "~/ui/Said";
import { useListState } from "~/ui/useListState";
import { usePages } from "~/ui/usePages";
import { useSubmit } from "~/ui/useSubmit";

import { fetchInvitations, type Invitation, invitationsKey, revokeInvitation } from "./api";

const hasExpired = (one: Invitation) => Date.parse(one.expiresAt) < Date.now();

function State({ invitation }: { invitation: Invitation }) {
  if (invitation.acceptedAt) return <Badge tone="good">accepted</Badge>;
  if (invitation.revokedAt) return <Badge>withdrawn</Badge>;
  if (hasExpired(invitation)) return <Badge>expired</Badge>;
  return <Badge tone="accent">open</Badge>;
}

const COLUMNS: readonly Column<Invitation>[] = [
  { name: "For", sort: "email", cell: (one) => one.email ?? "whoever has the link" },
  { name: "Role", sort: "role", cell: (one) => one.role },
  { name: "State", cell: (one) => <State invitation={one} /> },
  { name: "Made", sort: "createdAt", cell: (one) => <Ago at={one.createdAt} /> },
  { name: "Expires", sort: "expiresAt", cell: (one) => <Ago at={one.expiresAt} /> },
];

const isOpen = (one: Invitation) => !one.acceptedAt && !one.revokedAt && !hasExpired(one);

export function Invitations() {
  const ws = useWorkspaceId();
  const say = useSay();
  const [search, change] = useListState();
  const sort = search.invitations ?? "-createdAt";
  const { query, more } = usePages([...invitationsKey(ws), sort], (cursor) => fetchInvitations(ws, sort, cursor));
  const { submit, busy, problem } = useSubmit({
    send: (one: Invitation) => revokeInvitation(one.id),
    stales: [invitationsKey(ws)],
    onDone: () => say("The invitation is withdrawn; its link does not work any more."),
  });
  return (
    <Section title="Invitations">
      {problem && <ProblemNotice failure={problem} />}
      <Loaded query={query}>
        {(rows) => (
          <DataTable
            label="Invitations"
            columns={COLUMNS}
            rows={rows}
            keyOf={(one) => one.id}
            action={(one) =>
              isOpen(one) && (
                <Button small busy={busy} onClick={() => submit(one)} aria-label={`Withdraw the invitation for ${one.email ?? "whoever has the link"}`}>
                  Withdraw
                </Button>
              )
            }
            sort={{ now: sort, change: (next) => change({ invitations: next }) }}
            more={more}
            empty={<Empty title="Nobody is invited">An invitation is a link for one person. It says the workspace and the role, and works once.</Empty>}
          />
        )}
      </Loaded>
    </Section>
  );
}
