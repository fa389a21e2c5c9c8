import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { useHere } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { type Column, DataTable } from "~/ui/DataTable";
import { Ago, Badge } from "~/ui/Figures";
import { Loaded } from "~/ui/Loading";
import { orderOf } from "~/ui/orderOf";
import { Empty, Section } from "~/ui/Page";
import { SearchBox } from "~/ui/SearchBox";
import { useListState } from "~/ui/useListState";
import { usePages } from "~/ui/usePages";

import { type ApiToken, fetchTokens, TOKENS } from "./api";
import { RevokeToken } from "./RevokeToken";
import { isLive } from "./words";

const COLUMNS: readonly Column<ApiToken>[] = [
  { name: "Name", sort: "name", cell: (token) => token.name },
  { name: "Looks like", cell: (token) => <code>{token.hint}</code> },
  { name: "May", cell: (token) => token.scopes.join(", ") },
  { name: "Made", sort: "createdAt", cell: (token) => <Ago at={token.createdAt} /> },
  { name: "Last used", sort: "lastUsedAt", cell: (token) => <Ago at={token.lastUsedAt} /> },
  {
    name: "Expires",
    sort: "expiresAt",
    cell: (token) => (token.revokedAt ? <Badge>revoked</Badge> : token.expiresAt ? <Ago at={token.expiresAt} /> : <span className="soft">never</span>),
  },
];

export function Tokens() {
  const { workspaces } = useHere();
  const [revoking, setRevoking] = useState<ApiToken | null>(null);
  const [search, change] = useListState();
  const q = search.tokensWith ?? "";
  const sort = orderOf(COLUMNS, search.tokens, "-createdAt");
  const { query, more } = usePages([...TOKENS, q, sort], (cursor) => fetchTokens(q, sort, cursor));
  const add = (
    <Link to="/people/token" className="button">
      New token
    </Link>
  );
  return (
    <Section title="API tokens" note="For programs and the command line. A token is shown once." actions={add}>
      <div className="tools">
        <SearchBox label="Search tokens" value={q} onChange={(text) => change({ tokensWith: text })} />
      </div>
      <Loaded query={query}>
        {(rows) => (
          <DataTable
            label="API tokens"
            columns={[...COLUMNS, { name: "Where", cell: (token) => workspaces.find((one) => one.workspaceId === token.workspaceId)?.name ?? "all of yours" }]}
            rows={rows}
            keyOf={(token) => token.id}
            open={(token) => `/people/${token.id}`}
            action={(token) =>
              isLive(token) && (
                <Button small onClick={() => setRevoking(token)} aria-label={`Revoke ${token.name}`}>
                  Revoke
                </Button>
              )
            }
            sort={{ now: sort, change: (next) => change({ tokens: next }) }}
            more={more}
            empty={q ? <Empty title="No token is called that">Take the search away to see all.</Empty> : <Empty title="No tokens yet">A token lets a script use this server without a browser. Give it only the scopes it needs.</Empty>}
          />
        )}
      </Loaded>
      {revoking && <RevokeToken token={revoking} onClose={() => setRevoking(null)} />}
    </Section>
  );
}
