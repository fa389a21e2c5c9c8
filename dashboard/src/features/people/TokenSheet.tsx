import { useState } from "react";

import { useHere } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { Ago, Badge, Facts } from "~/ui/Figures";
import { Loaded } from "~/ui/Loading";
import { Sheet } from "~/ui/Sheet";

import { type ApiToken, useToken } from "./api";
import { Gone } from "./Gone";
import { RevokeToken } from "./RevokeToken";
import { Who } from "./Who";
import { isLive, mayOfScope } from "./words";

export function TokenSheet({ id, onClose }: { id: string; onClose: () => void }) {
  const token = useToken(id);
  return (
    <Sheet title={token.data?.name ?? "API token"} note={token.data && "API token"} onClose={onClose}>
      <Loaded query={token} gone={<Gone>There is no such token any more, or it is not yours to see.</Gone>}>
        {(found) => <Details token={found} />}
      </Loaded>
    </Sheet>
  );
}

function State({ token }: { token: ApiToken }) {
  if (token.revokedAt) return <Badge>revoked</Badge>;
  return isLive(token) ? <Badge tone="good">works</Badge> : <Badge>expired</Badge>;
}

function Details({ token }: { token: ApiToken }) {
  const { workspace, workspaces } = useHere();
  const [isRevoking, setRevoking] = useState(false);
  return (
    <>
      <Facts
        rows={[
          ["State", <State token={token} key="state" />],
          ["Looks like", <code key="hint">{token.hint}</code>],
          ["Where", workspaces.find((one) => one.workspaceId === token.workspaceId)?.name ?? "all workspaces of its owner"],
          ["Made by", <Who ws={token.workspaceId ?? workspace.workspaceId} personId={token.personId} key="who" />],
          ["Made", <Ago at={token.createdAt} key="made" />],
          ["Expires", token.expiresAt ? <Ago at={token.expiresAt} key="expires" /> : "never"],
          ...(token.revokedAt ? ([["Revoked", <Ago at={token.revokedAt} key="revoked" />]] as const) : []),
          ["Last used", <Ago at={token.lastUsedAt} key="used" />],
          ...(token.lastUsedFrom ? ([["Last used from", <code key="from">{token.lastUsedFrom}</code>]] as const) : []),
        ]}
      />
      <section className="stack" aria-label="It may">
        <h3>It may</h3>
        <ul>
          {token.scopes.map((scope) => (
            <li key={scope}>
              {mayOfScope(scope)} <code className="soft">{scope}</code>
            </li>
          ))}
        </ul>
        <p className="help">And never more than its owner may at that moment.</p>
      </section>
      {isLive(token) && (
        <div className="stack">
          <p className="help">Revoked, it is refused everywhere within a second, and nothing brings it back. The secret itself is not kept here.</p>
          <div>
            <Button tone="danger" onClick={() => setRevoking(true)}>
              Revoke
            </Button>
          </div>
        </div>
      )}
      {isRevoking && <RevokeToken token={token} onClose={() => setRevoking(false)} />}
    </>
  );
}
