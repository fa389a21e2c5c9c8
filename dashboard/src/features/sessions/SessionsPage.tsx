import { Outlet } from "@tanstack/react-router";

import { useMay, useWorkspaceId } from "~/api/workspace";
import { type Column, DataTable } from "~/ui/DataTable";
import { TextField } from "~/ui/Field";
import { Ago, Badge } from "~/ui/Figures";
import { count, money } from "~/ui/format";
import { Loaded } from "~/ui/Loading";
import { Empty, Page, Section } from "~/ui/Page";
import { orderOf } from "~/ui/orderOf";
import { SearchBox } from "~/ui/SearchBox";
import { useListState } from "~/ui/useListState";
import { usePages } from "~/ui/usePages";

import { fetchSessions, type Session, SESSIONS } from "./api";
import { lengthOf } from "./words";

export { SessionSheet } from "./SessionSheet";

const COLUMNS: readonly Column<Session>[] = [
  { name: "Begun", sort: "createdAt", cell: (session) => <Ago at={session.createdAt} /> },
  {
    name: "Who",
    cell: (session) => (
      <>
        {session.personName}
        <Snippets session={session} />
      </>
    ),
  },
  { name: "Model", cell: (session) => <code className="small">{session.model}</code> },
  { name: "State", cell: (session) => <State session={session} /> },
  { name: "Lasted", number: true, cell: lengthOf },
  { name: "Said", number: true, cell: (session) => count(session.items) },
  { name: "Tools", number: true, cell: (session) => count(session.toolCalls) },
  { name: "Cost", number: true, sort: "cost", cell: (session) => money(session.usage.cost) },
];

export function State({ session }: { session: Pick<Session, "endedAt" | "endReason" | "errors" | "lastEventAt"> }) {
  if (session.errors > 0) return <Badge tone="danger">{session.errors === 1 ? "1 error" : `${session.errors} errors`}</Badge>;
  if (session.endedAt) return <Badge>{session.endReason?.replaceAll("_", " ") ?? "ended"}</Badge>;
  return session.lastEventAt ? <Badge tone="good">live</Badge> : <span className="soft">not begun</span>;
}

/** Where a search found its words: at most three places. */
function Snippets({ session }: { session: Session }) {
  const matches = session.matches ?? [];
  return matches.map((match) => (
    <span className="snippet" key={match.id}>
      {match.parts.map((part, index) => (part.isMatch ? <mark key={index}>{part.text}</mark> : <span key={index}>{part.text}</span>))}
    </span>
  ));
}

export function SessionsPage() {
  const workspaceId = useWorkspaceId();
  const isAdmin = useMay("admin");
  const [search, change] = useListState();
  const sort = orderOf(COLUMNS, search.sort, "-createdAt");
  const { q, start, end } = search;
  const { query, more } = usePages([...SESSIONS, workspaceId, q, start, end, sort], (cursor) => fetchSessions(workspaceId, { ...search, sort }, cursor));
  const isNarrowed = Boolean(q ?? start ?? end);
  return (
    <Page
      title="Sessions"
      lead={isAdmin ? "What was said in the voice sessions of this workspace, with tools, cost and latency." : "What was said in your voice sessions, with tools, cost and latency."}
    >
      <Section title="Voice sessions">
        <div className="tools">
          <SearchBox label="Search what was said" value={q ?? ""} onChange={(text) => change({ q: text })} />
          <TextField label="From" type="date" value={start ?? ""} onChange={(event) => change({ start: event.target.value })} />
          <TextField label="To" type="date" value={end ?? ""} onChange={(event) => change({ end: event.target.value })} />
        </div>
        <Loaded query={query} lines={6}>
          {(rows) => (
            <DataTable
              label="Voice sessions"
              columns={COLUMNS}
              rows={rows}
              keyOf={(session) => session.id}
              open={(session) => `/sessions/${session.id}`}
              sort={{ now: sort, change: (next) => change({ sort: next }) }}
              more={more}
              empty={
                isNarrowed ? (
                  <Empty title="Nothing like that was said">Take the search or the days away to see every session.</Empty>
                ) : (
                  <Empty title="No voice sessions yet">
                    Talk to the assistant, for example with <code>opencto talk</code> in a terminal. What is said shows up here while you speak.
                  </Empty>
                )
              }
            />
          )}
        </Loaded>
      </Section>
      <Outlet />
    </Page>
  );
}
