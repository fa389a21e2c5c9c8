import { Link, useNavigate } from "@tanstack/react-router";

import { useMay } from "~/api/workspace";
import { Facts } from "~/ui/Figures";
import { Loaded } from "~/ui/Loading";
import { Notice } from "~/ui/Notice";
import { Sheet } from "~/ui/Sheet";
import { useItem } from "~/ui/useItem";

import { type AuditRow, isSeq, useAuditRow } from "./api";

const GONE = "There is no event of this number, or it is of a workspace whose trail you do not read.";

/** One event by its number, whether or not the list has come so far. */
export function EventSheet() {
  const seq = useItem();
  const navigate = useNavigate();
  const mayRead = useMay("admin");
  const { data, error, isPending, refetch } = useAuditRow(seq);
  if (!mayRead) return null; // the page says why
  return (
    <Sheet title={data?.action ?? "Event"} note={data && `${data.actorName}, ${new Date(data.at).toLocaleString()}`} onClose={() => void navigate({ to: "/audit", search: (now: object) => now })}>
      {isSeq(seq) ? (
        <Loaded query={{ data, error, isPending, refetch }} gone={GONE}>
          {(row) => <Details row={row} />}
        </Loaded>
      ) : (
        <Notice role="status">
          <p>{GONE}</p>
        </Notice>
      )}
    </Sheet>
  );
}

function Details({ row }: { row: AuditRow }) {
  return (
    <>
      <Facts
        rows={[
          ["Who", row.actorId ? <Link key="who" to="/audit" search={(now: object) => ({ ...now, actor: row.actorId })}>{row.actorName}</Link> : row.actorName],
          ["As", `${row.actorKind}, ${row.via}`],
          ["To", row.targetId ? `${row.targetKind} ${row.targetId}` : row.targetKind],
          ["From", row.address ?? "no address"],
          ["With", row.userAgent ?? "not told"],
          ["Request", row.requestId ? <code key="request">{row.requestId}</code> : "none"],
          ["Number", String(row.seq)],
          ["Hash", <code key="hash" className="small">{row.hash}</code>],
          ["Before it", <code key="before" className="small">{row.prevHash}</code>],
        ]}
      />
      {Object.keys(row.details).length > 0 && (
        <section className="stack" aria-label="Details">
          <h3>Details</h3>
          <Facts rows={Object.entries(row.details).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)] as const)} />
        </section>
      )}
    </>
  );
}
