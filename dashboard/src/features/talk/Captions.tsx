import { useLayoutEffect, useRef } from "react";

import { Button } from "~/ui/Button";
import { type Item, itemsOf, split, type Status, statusOf } from "~/voice/core/conversation";

import type { Talk } from "./talk";

/** Both sides as they come, in the order of the conversation. What nobody heard stays, grey. */
export function Captions({ talk }: { talk: Talk }) {
  const { conversation } = talk;
  const cutShort = talk.session?.turns.goingOn.itemId ?? null;
  const filler = talk.session?.turns.asides.filler.words ?? "";
  const items = itemsOf(conversation).filter((item) => item.kind === "divider" || (item.kind === "message" && item.role !== "system"));
  const end = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    if (isAtEnd.current) end.current?.scrollIntoView({ block: "end" });
  });
  return (
    <div
      className="talk-captions"
      tabIndex={0}
      role="log"
      aria-live="polite"
      aria-label="What was said"
      onScroll={({ currentTarget: box }) => {
        isAtEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < 48;
      }}
    >
      {items.map((item) =>
        item.kind === "divider" ? (
          <p key={item.id} className="talk-divider">
            <span>{split(item)[0]}, continuing</span>
          </p>
        ) : (
          <Caption key={item.id} item={item} status={statusOf(conversation, item)} onGoOn={item.id === cutShort ? () => talk.session?.turns.goingOn.go() : null} />
        ),
      )}
      {filler && (
        <p className="talk-caption cto filler">
          <span className="talk-who">CTO</span>
          <span className="talk-words">{filler}</span>
        </p>
      )}
      <div ref={end} />
    </div>
  );
}

interface CaptionProps {
  item: Item;
  status: Status;
  /** What was cut short without a word goes on. */
  onGoOn: (() => void) | null;
}

function Caption({ item, status, onGoOn }: CaptionProps) {
  const [spoken, unspoken] = split(item);
  const isYou = item.role === "user";
  return (
    <p className={`talk-caption ${isYou ? "you" : "cto"} ${status}`}>
      <span className="talk-who">{isYou ? "You" : "CTO"}</span>
      <span className="talk-words">
        {spoken}
        {unspoken && <span className="talk-unspoken">{unspoken}</span>}
        {note(status, spoken, isYou)}
      </span>
      {onGoOn && (
        <Button small onClick={onGoOn}>
          Go on
        </Button>
      )}
    </p>
  );
}

function note(status: Status, spoken: string, isYou: boolean) {
  const text =
    status === "interrupted"
      ? "interrupted"
      : status === "incomplete"
        ? "not finished"
        : status === "failed"
          ? isYou
            ? "could not be written down"
            : "failed"
          : spoken
            ? null
            : isYou
              ? status === "listening"
                ? "listening…"
                : "writing down…"
              : "…";
  return text && <span className="talk-note"> {spoken ? `(${text})` : text}</span>;
}
