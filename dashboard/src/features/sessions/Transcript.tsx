import { Badge } from "~/ui/Figures";
import { Notice } from "~/ui/Notice";

import type { Item, SessionDetail, ToolCall } from "./api";
import { readable } from "./words";

/** The conversation in its order; a call of a tool stands where it was made. */
export function Transcript({ session }: { session: SessionDetail }) {
  const calls = new Map(session.tools.map((call) => [call.callId, call]));
  const shown = session.transcript.filter((item) => item.kind !== "output");
  const placed = new Set(shown.map((item) => item.callId));
  const loose = session.tools.filter((call) => !placed.has(call.callId));
  return (
    <section className="stack" aria-label="Transcript">
      <h3>Transcript</h3>
      {!session.isTextStored && (
        <Notice tone="caution">
          <p>This workspace stored no transcripts when it was spoken: who spoke and when is here, what was said is not.</p>
        </Notice>
      )}
      {shown.length + loose.length === 0 && <p className="soft">Nothing was said before it ended.</p>}
      <ol className="transcript">
        {shown.map((item) => {
          const call = item.callId === null ? undefined : calls.get(item.callId);
          return item.kind === "call" && call ? <Tool call={call} key={item.itemId} /> : <Said item={item} key={item.itemId} />;
        })}
        {loose.map((call) => (
          <Tool call={call} key={call.callId} />
        ))}
      </ol>
    </section>
  );
}

const WHO = { assistant: "Assistant", system: "System" };

function Said({ item }: { item: Item }) {
  const who = item.role === null ? "Nobody" : item.role === "user" ? "Person" : WHO[item.role];
  return (
    <li className={`said-by ${item.role ?? ""}`}>
      <p className="who">
        {who} {item.status === "interrupted" && <Badge tone="caution">interrupted</Badge>} {item.status === "failed" && <Badge tone="danger">failed</Badge>}
      </p>
      <p>
        {item.text ?? <span className="soft">not stored</span>}
        {item.unspokenText && <span className="unspoken" title="Ready, and not heard any more"> {item.unspokenText}</span>}
      </p>
    </li>
  );
}

const TONES = { done: "good", failed: "danger", cancelled: "plain", timed_out: "danger", running: "accent", needs_approval: "caution" } as const;

function Tool({ call }: { call: ToolCall }) {
  return (
    <li className="said-by tool">
      <details>
        <summary>
          <code>{call.name}</code> <Badge tone={TONES[call.status]}>{call.status.replaceAll("_", " ")}</Badge>
          {call.durationMs !== null && <span className="soft"> {call.durationMs} ms</span>}
        </summary>
        {call.arguments !== null && <pre aria-label="Arguments" tabIndex={0}>{readable(call.arguments)}</pre>}
        {call.output !== null && <pre aria-label="Output" tabIndex={0}>{readable(call.output)}</pre>}
      </details>
    </li>
  );
}
