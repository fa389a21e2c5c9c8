import { Link, Outlet } from "@tanstack/react-router";

import { useHere, useMay, useWorkspaceId } from "~/api/workspace";
import { type Column, DataTable } from "~/ui/DataTable";
import { Ago, Badge } from "~/ui/Figures";
import { Icon } from "~/ui/icons";
import { Loaded } from "~/ui/Loading";
import { orderOf } from "~/ui/orderOf";
import { Empty, Page, Section } from "~/ui/Page";
import { SearchBox } from "~/ui/SearchBox";
import { useListState } from "~/ui/useListState";
import { usePages } from "~/ui/usePages";

import { fetchMembers, type Member, membersKey } from "./api";
import { Invitations } from "./Invitations";
import { SignIns } from "./SignIns";
import { Tokens } from "./Tokens";

export { PersonSheet } from "./PersonSheet";

const COLUMNS: readonly Column<Member>[] = [
  { name: "Name", sort: "name", cell: (member) => member.name },
  { name: "E-mail", sort: "email", cell: (member) => member.email ?? <span className="soft">none</span> },
  { name: "Role", sort: "role", cell: (member) => <Badge tone={member.role === "owner" ? "accent" : "plain"}>{member.role}</Badge> },
  { name: "Second factor", cell: (member) => (member.secondFactor ? <Badge tone="good">on</Badge> : <span className="soft">off</span>) },
  { name: "Joined", sort: "joinedAt", cell: (member) => <Ago at={member.joinedAt} /> },
];

export function PeoplePage() {
  const { workspace } = useHere();
  const mayInvite = useMay("admin");
  return (
    <Page
      title="People and access"
      lead={`You are ${workspace.role} of ${workspace.name}.`}
      actions={
        mayInvite && (
          <Link to="/people/invite" className="button primary">
            <Icon name="plus" size={18} />
            Invite somebody
          </Link>
        )
      }
    >
      <Members />
      {mayInvite && <Invitations />}
      <Tokens />
      <SignIns />
      <Outlet />
    </Page>
  );
}

function Members() {
  const ws = useWorkspaceId();
  const [search, change] = useListState();
  const q = search.q ?? "";
  const sort = orderOf(COLUMNS, search.sort, "name");
  const { query, more } = usePages([...membersKey(ws), q, sort], (cursor) => fetchMembers(ws, q, sort, cursor));
  return (
    <Section title="Members">
      <div className="tools">
        <SearchBox label="Search members" value={q} onChange={(text) => change({ q: text })} />
      </div>
      <Loaded query={query}>
        {(rows) => (
          <DataTable
            label="Members"
            columns={COLUMNS}
            rows={rows}
            keyOf={(member) => member.personId}
            open={(member) => `/people/${member.personId}`}
            sort={{ now: sort, change: (next) => change({ sort: next }) }}
            more={more}
            empty={<Empty title="Nobody is called that">Take the search away to see everybody.</Empty>}
          />
        )}
      </Loaded>
    </Section>
  );
}
