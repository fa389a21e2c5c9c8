import { Outlet } from "@tanstack/react-router";

import { useHere, useMay, useWorkspaceId } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { type Column, DataTable } from "~/ui/DataTable";
import { TextField } from "~/ui/Field";
import { Ago } from "~/ui/Figures";
import { Icon } from "~/ui/icons";
import { Loaded } from "~/ui/Loading";
import { Notice } from "~/ui/Notice";
import { Empty, Page, Section } from "~/ui/Page";
import { SearchBox } from "~/ui/SearchBox";
import { useListState } from "~/ui/useListState";
import { usePages } from "~/ui/usePages";

import { askedOf, type AuditRow, exportAddress, fetchAudit } from "./api";
import { Verify } from "./Verify";

export { EventSheet } from "./EventSheet";

const COLUMNS: readonly Column<AuditRow>[] = [
  { name: "What", cell: (row) => <code>{row.action}</code> },
  { name: "Who", cell: (row) => row.actorName },
  { name: "To", cell: (row) => (row.targetId ? <span>{row.targetKind} <code className="small soft">{row.targetId}</code></span> : row.targetKind) },
  { name: "From", cell: (row) => (row.address ? <code>{row.address}</code> : <span className="soft">{row.via}</span>) },
  { name: "When", sort: "at", cell: (row) => <Ago at={row.at} /> },
];

export function AuditPage() {
  const mayRead = useMay("admin");
  const { workspace } = useHere();
  if (!mayRead)
    return (
      <Page title="Audit">
        <Notice tone="caution">
          <p>The audit trail of {workspace.name} is for its admins. Ask one of them.</p>
        </Notice>
      </Page>
    );
  return <Trail />;
}

function Trail() {
  const workspaceId = useWorkspaceId();
  const { person } = useHere();
  const [search, change] = useListState();
  const asked = askedOf(workspaceId, search);
  const sort = search.sort === "at" ? "at" : "-at";
  const { query, more } = usePages(["audit", asked, sort], (cursor) => fetchAudit(asked, sort, cursor));
  const newest = sort === "-at" ? query.data?.[0] : undefined;
  return (
    <Page
      title="Audit"
      lead={newest ? <p>The last event is from <Ago at={newest.at} />. Each carries the hash of the one before, so nothing can be changed unseen.</p> : "Who did what to what, from where."}
      actions={
        <>
          <a className="button" href={exportAddress(asked, "csv")} download>
            <Icon name="download" size={18} />
            CSV
          </a>
          <a className="button" href={exportAddress(asked, "jsonl")} download>
            <Icon name="download" size={18} />
            JSON lines
          </a>
        </>
      }
    >
      {person.isOperator && <Verify />}
      <Section title="Events">
        <div className="tools">
          <SearchBox label="Action, such as token.created" value={search.action ?? ""} onChange={(action) => change({ action })} />
          <TextField label="From" type="date" value={search.start ?? ""} onChange={(event) => change({ start: event.target.value })} />
          <TextField label="To" type="date" value={search.end ?? ""} onChange={(event) => change({ end: event.target.value })} />
          {search.actor && <Button onClick={() => change({ actor: undefined })}>Show everybody's</Button>}
        </div>
        <Loaded query={query} lines={6}>
          {(rows) => (
            <DataTable
              label="Audit events"
              columns={COLUMNS}
              rows={rows}
              keyOf={(row) => row.id}
              open={(row) => `/audit/${row.seq}`}
              sort={{ now: sort, change: (next) => change({ sort: next }) }}
              more={more}
              empty={<Empty title="No event fits">Take a filter away. Actions are written whole, such as key.saved or member.role_changed.</Empty>}
            />
          )}
        </Loaded>
      </Section>
      <Outlet />
    </Page>
  );
}
