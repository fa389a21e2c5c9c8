import { useQuery } from "@tanstack/react-query";
import { useCallback, useRef } from "react";

import { money, seconds, short } from "~/ui/format";
import { isRetold, itemsOf } from "~/voice/core/conversation";

import { sessionQuery } from "./queries";
import type { Talk } from "./talk";
import { ToolCard } from "./ToolCard";

/** Tools, what waits for a person, and what this conversation cost. On a phone it is a sheet that peeks when something is there. */
export function SidePanel({ talk }: { talk: Talk }) {
  const { conversation, session } = talk;
  const calls = itemsOf(conversation).filter((item) => item.kind === "call" && !isRetold(item));
  const waiting = calls.filter((item) => conversation.calls.get(item.callId ?? "")?.state === "needs_approval");
  const others = calls.filter((item) => !waiting.includes(item));
  const panel = useRef<HTMLElement>(null);
  const onDecided = useCallback(() => panel.current?.focus(), []); // The buttons go, and the focus shall not go with them.
  const names = ["talk-side", calls.length > 0 ? "has-tools" : "", waiting.length > 0 ? "has-waiting" : ""].filter(Boolean).join(" ");
  return (
    <aside ref={panel} tabIndex={-1} className={names} aria-label="Tools and figures">
      {waiting.length > 0 && (
        <section aria-label="Waiting for you">
          <h2>Waiting for you ({waiting.length})</h2>
          {waiting.map((item) => (
            <ToolCard key={item.id} item={item} progress={conversation.calls.get(item.callId ?? "") ?? null} onDecided={onDecided} />
          ))}
        </section>
      )}
      <section aria-label="Tools">
        <h2>Tools</h2>
        {others.length === 0 && <p className="soft small">What the assistant looks up or does is shown here.</p>}
        {others.toReversed().map((item) => (
          <ToolCard key={item.id} item={item} progress={conversation.calls.get(item.callId ?? "") ?? null} onDecided={onDecided} />
        ))}
      </section>
      <section aria-label="This conversation">
        <h2>This conversation</h2>
        {session?.sessionId ? <Figures talk={talk} sessionId={session.sessionId} /> : <p className="soft small">Its cost and quickness appear with the first answer.</p>}
      </section>
    </aside>
  );
}

function Figures({ talk, sessionId }: { talk: Talk; sessionId: string }) {
  const metrics = talk.session?.turns.metrics;
  const { data } = useQuery(sessionQuery(sessionId, metrics?.responses ?? 0));
  const waitMs = metrics?.lastWaitMs ?? null;
  const tokens = (metrics?.tokens.inputTokens ?? 0) + (metrics?.tokens.outputTokens ?? 0);
  const refusal = talk.session?.turns.records.refusal;
  return (
    <dl className="talk-figures">
      <dt>Cost</dt>
      <dd>{talk.session?.lines.token?.keySource === "sandbox" ? "nothing (sandbox)" : data?.usage.cost == null ? "not known yet" : money(data.usage.cost)}</dd>
      <dt>Tokens</dt>
      <dd>{short(tokens)}</dd>
      <dt title="From the end of your words to the first sound of the answer">Wait for the last answer</dt>
      <dd>{waitMs === null ? "–" : seconds(waitMs / 1000)}</dd>
      {refusal && (
        <>
          <dt>Record</dt>
          <dd>Not kept: {refusal}</dd>
        </>
      )}
    </dl>
  );
}
