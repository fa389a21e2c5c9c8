import { memo, useEffect, useMemo, useState } from "react";

import { DailyChart } from "~/ui/Chart";
import { money } from "~/ui/format";
import { Icon } from "~/ui/icons";
import type { Item, ToolProgress } from "~/voice/core/conversation";

import { daysOf, isEmptyList, pretty, rowsOf } from "./results";
import { Waiting } from "./Waiting";

const STATES = {
  running: "running",
  needs_approval: "waits for a yes",
  done: "done",
  failed: "failed",
  cancelled: "stopped",
  timed_out: "took too long",
} as const;

/** Arguments, how far it is, and what it gave: a chart where it is days, a table where it is rows. Shown as text, whatever it holds. */
export const ToolCard = memo(Card);

/** Drawn again when its call moves, and not with every piece of sound: a chart is dear. */
function Card({ item, progress, onDecided }: { item: Item; progress: ToolProgress | null; onDecided: () => void }) {
  const state = progress?.state ?? "running";
  const output = progress?.output ?? null;
  const table = useMemo(() => (output ? rowsOf(output) : null), [output]);
  const days = useMemo(() => (output ? daysOf(output) : null), [output]);
  return (
    <details className={`tool-card ${state}`} open={state !== "done" || table !== null || Boolean(progress?.approvalId)}>
      <summary>
        <Icon name={state === "done" ? "check" : state === "running" ? "right" : "alert"} size={16} />
        <span className="tool-name">{(item.name ?? "tool").replaceAll("_", " ")}</span>
        <span className="tool-state soft small">{state === "running" ? <Elapsed /> : STATES[state]}</span>
      </summary>
      {item.args.length > 2 && !progress?.approvalId && <pre className="tool-text">{pretty(item.args)}</pre>}
      {progress?.approvalId && <Waiting approvalId={progress.approvalId} onDecided={onDecided} />}
      {progress?.error && !progress.approvalId && <p className="error">{progress.error}</p>}
      {days && <DailyChart low caption="US dollars per day (UTC)" label={`Cost per day, of ${item.name ?? "the tool"}`} points={days} write={money} none="Nothing was spent on these days." />}
      {table && (
        <div className="tool-table" tabIndex={0} role="region" aria-label={`Result of ${item.name ?? "the tool"}`}>
          <p className="small soft">
            {table.rows.length} {table.rows.length === 1 ? "row" : "rows"}
            {table.source && ` · ${table.source}`}
          </p>
          <table>
            <thead>
              <tr>
                {table.columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.rows.slice(0, 50).map((row, place) => (
                <tr key={place}>
                  {row.map((cell, index) => (
                    <td key={table.columns[index]} className={/^[$\d.,%-]+$/.test(cell) ? "number" : ""}>
                      {cell}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {state === "done" && output && isEmptyList(output) && <p className="small soft">It found nothing. Ask for something wider, such as more days or another name.</p>}
      {!table && progress?.output && !progress.error && !progress.approvalId && state === "done" && <pre className="tool-text">{pretty(progress.output)}</pre>}
    </details>
  );
}

function Elapsed() {
  const [began] = useState(() => performance.now());
  const [now, setNow] = useState(began);
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 100);
    return () => clearInterval(timer);
  }, []);
  return <>{((now - began) / 1000).toFixed(1)} s</>;
}
