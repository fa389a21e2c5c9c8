import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { useMay, useWorkspaceId } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { Ago, Badge, Facts } from "~/ui/Figures";
import { Loaded } from "~/ui/Loading";
import { Notice } from "~/ui/Notice";
import { Sheet } from "~/ui/Sheet";
import { useItem } from "~/ui/useItem";

import { idOf, type KeyReport, type StoredKey, useKeys } from "./api";
import { DeleteKey } from "./DeleteKey";
import { NewKey } from "./KeyForm";
import { NAMES, SCOPES, STATES } from "./words";

/** The sheet of a key, or of a new one at /keys/new. */
export function KeySheet() {
  const item = useItem();
  const navigate = useNavigate();
  const close = () => void navigate({ to: "/keys" });
  const keys = useKeys(useWorkspaceId());
  if (item === "new") return <NewKey onClose={close} />;
  const stored = keys.data?.keys.find((one) => idOf(one) === item);
  return (
    <Sheet title={stored ? `${NAMES[stored.provider]} ${stored.keyHint}` : "Key"} onClose={close}>
      <Loaded query={keys}>{() => (stored ? <Details stored={stored} /> : <p>There is no such key here any more. <Link to="/keys/new">Add one</Link>, or close this to see the others.</p>)}</Loaded>
    </Sheet>
  );
}

function Details({ stored }: { stored: StoredKey }) {
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  const isShared = stored.scope === "workspace";
  const mayWrite = useMay(isShared ? "admin" : "member");
  const [tone, word] = STATES[stored.state];
  return (
    <>
      <Facts
        rows={[
          ["State", <Badge tone={tone} key="state">{word}</Badge>],
          ["Used for", SCOPES[stored.scope]],
          ["Last used", <Ago at={stored.lastUsedAt} key="used" />],
          ["Saved", <Ago at={stored.updatedAt} key="saved" />],
          ["First saved", <Ago at={stored.createdAt} key="created" />],
        ]}
      />
      <ReportCard report={stored.report} />
      {mayWrite && (
        <div className="row">
          <Button onClick={() => void navigate({ to: "/keys/new", search: { provider: stored.provider, scope: stored.scope } })}>
            Replace
          </Button>
          <Button tone="danger" onClick={() => setDeleting(true)}>
            Delete
          </Button>
        </div>
      )}
      {isDeleting && <DeleteKey stored={stored} onClose={() => setDeleting(false)} />}
    </>
  );
}

const yesNo = (value: boolean | null) => (value === null ? "not known" : value ? "yes" : "no");

/** What the key turned out to be when it was last tried. */
export function ReportCard({ report }: { report: KeyReport | null }) {
  if (report === null) return <Notice tone="caution">OpenAI has not been asked about this key yet. Replace it to try it.</Notice>;
  return (
    <section className="stack" aria-label="Report card">
      <h3>Report card</h3>
      <Facts
        rows={[
          ["Accepted", report.valid === null ? "OpenAI could not be asked" : yesNo(report.valid)],
          ["Kind", report.kind],
          ["Models", report.models === null ? "not asked" : String(report.models)],
          ["Realtime voice", yesNo(report.realtime)],
          ["Organization", report.organization ?? "not told"],
          ["Project", report.project ?? "not told"],
          ["Checked", <Ago at={report.checkedAt} key="checked" />],
        ]}
      />
      {report.problems.map((text) => (
        <Notice tone="caution" key={text}>
          <p>{text}</p>
        </Notice>
      ))}
    </section>
  );
}
