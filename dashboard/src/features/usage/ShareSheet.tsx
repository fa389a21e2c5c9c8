import { Link } from "@tanstack/react-router";

import type { Schemas } from "~/api/client";
import { useWorkspaceId } from "~/api/workspace";
import { Facts } from "~/ui/Figures";
import { count, longDay, money, plural } from "~/ui/format";
import { Loaded } from "~/ui/Loading";
import { Sheet } from "~/ui/Sheet";

import { useShares } from "./api";
import { HEADS, nameOf, shareName } from "./names";
import { useSort } from "./order";
import type { Range } from "./range";

interface Props {
  by: "surface" | "person";
  of: string;
  range: Range;
  onClose: () => void;
}

/** Surfaces whose calls are voice sessions, which have a page. */
const TALKS = ["realtime", "realtime_token"];

/** What one surface or person used in the days of the page. Of the answer that the table has. */
export function ShareSheet({ by, of, range, onClose }: Props) {
  const shares = useShares(useWorkspaceId(), range, by, useSort(by));
  const share = shares.data?.data.find((one) => (one.key ?? "") === of);
  const title = share ? shareName(by, share) : by === "person" && of !== "" ? "Person" : nameOf(by, of);
  return (
    <Sheet title={title} note={`${HEADS[by]}, ${longDay(range.start)} to ${longDay(range.end)} (UTC)`} onClose={onClose}>
      <Loaded query={shares}>
        {() => (
          <>
            <p className="help">From OpenCTO's own ledger. Calls to the sandbox are not in it.</p>
            {share ? <Figures by={by} share={share} range={range} /> : <p>Nothing in the ledger for {of === "" ? "this" : <code>{of}</code>} in these days. Close this to choose other days, or open a row of the table.</p>}
          </>
        )}
      </Loaded>
    </Sheet>
  );
}

function Figures({ by, share, range }: Pick<Props, "by" | "range"> & { share: Schemas["LedgerShare"] }) {
  return (
    <>
      {share.key === null && <p>{by === "person" ? "Calls for nobody in particular, such as checks of the keys that the workspace shares." : "The ledger does not say where these calls came from."}</p>}
      <Facts
        rows={[
          ["Cost", money(share.cost)],
          ["Requests", count(share.requests)],
          ["Tokens in", count(share.inputTokens)],
          ["Tokens out", count(share.outputTokens)],
          ["Without a known price", share.unpricedCalls === 0 ? "none" : `${plural(share.unpricedCalls, "call")}, not in the cost`],
          ...(share.key === null ? [] : [[by === "person" ? "Id" : "In the ledger as", <code key="id">{share.key}</code>] as const]),
        ]}
      />
      {by === "person" && share.key !== null && share.name !== null && (
        <p>
          <Link to={`/people/${encodeURIComponent(share.key)}`}>{share.name} in People and access</Link>
        </p>
      )}
      {share.key !== null && by === "surface" && TALKS.includes(share.key) && (
        <p>
          <Link to="/sessions" search={range}>
            The voice sessions of these days
          </Link>
        </p>
      )}
    </>
  );
}
