import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { useMay, useWorkspaceId } from "~/api/workspace";
import { IconButton } from "~/ui/Button";
import { DataTable, type Column } from "~/ui/DataTable";
import { Ago, Badge } from "~/ui/Figures";
import { Icon } from "~/ui/icons";
import { Loaded } from "~/ui/Loading";
import { Menu, MenuItem } from "~/ui/Menu";
import { orderOf } from "~/ui/orderOf";
import { Empty, Page, Section } from "~/ui/Page";
import { useListState } from "~/ui/useListState";

import { idOf, type StoredKey, USUAL_ORDER, useKeys } from "./api";
import { DeleteKey } from "./DeleteKey";
import { NAMES, SCOPES, STATES, whereFiguresComeFrom, whoPays } from "./words";

export { KeySheet } from "./KeySheet";

const COLUMNS: readonly Column<StoredKey>[] = [
  { name: "Key", sort: "provider", cell: (key) => NAMES[key.provider] },
  { name: "Ends in", cell: (key) => <code>{key.keyHint}</code> },
  { name: "Used for", sort: "scope", cell: (key) => SCOPES[key.scope] },
  {
    name: "State",
    sort: "state",
    cell: (key) => {
      const [tone, word] = STATES[key.state];
      return <Badge tone={tone}>{word}</Badge>;
    },
  },
  { name: "Last used", sort: "lastUsedAt", cell: (key) => <Ago at={key.lastUsedAt} /> },
  { name: "Saved", sort: "updatedAt", cell: (key) => <Ago at={key.updatedAt} /> },
];

export function KeysPage() {
  const workspaceId = useWorkspaceId();
  const mayWrite = useMay("member");
  const [search, change] = useListState();
  const sort = orderOf(COLUMNS, search.sort, USUAL_ORDER);
  const keys = useKeys(workspaceId, sort);
  const add = mayWrite && (
    <Link to="/keys/new" className="button primary">
      <Icon name="plus" size={18} />
      Add a key
    </Link>
  );
  return (
    <Page
      title="Keys"
      lead={keys.data && `${whoPays(keys.data.keys)} ${whereFiguresComeFrom(keys.data.keys)}`}
      actions={add}
    >
      <Section title="Stored keys" note="Sealed on this server. Nobody sees a key again, only how it ends.">
        <Loaded query={keys}>
          {({ keys: rows }) => (
            <DataTable
              label="Keys"
              columns={COLUMNS}
              rows={rows}
              sort={{ now: sort, change: (next) => change({ sort: next }) }}
              keyOf={idOf}
              open={(key) => `/keys/${idOf(key)}`}
              action={mayWrite ? (key) => <KeyMenu stored={key} /> : undefined}
              empty={
                <Empty title="No keys yet" action={add}>
                  Bring your own OpenAI key and your calls use it instead of the server's. It is checked first, and you see what it
                  can do. An admin key adds OpenAI's own usage and costs.
                </Empty>
              }
            />
          )}
        </Loaded>
      </Section>
      <Outlet />
    </Page>
  );
}

function KeyMenu({ stored }: { stored: StoredKey }) {
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  const mayShared = useMay("admin");
  if (stored.scope === "workspace" && !mayShared) return null;
  return (
    <>
      <Menu trigger={<IconButton label={`Actions for the ${NAMES[stored.provider]} ${stored.keyHint}`} icon="more" />}>
        <MenuItem onSelect={() => void navigate({ to: "/keys/new", search: { provider: stored.provider, scope: stored.scope } })}>
          Replace
        </MenuItem>
        <MenuItem danger onSelect={() => setDeleting(true)}>
          Delete
        </MenuItem>
      </Menu>
      {isDeleting && <DeleteKey stored={stored} onClose={() => setDeleting(false)} />}
    </>
  );
}
