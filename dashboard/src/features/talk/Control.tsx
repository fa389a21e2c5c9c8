import { useEffect, useRef } from "react";

import { Button } from "~/ui/Button";

import type { Talk } from "./talk";
import { actionOf, type Word, wordOf } from "./words";

const HELP: Partial<Record<Word, string>> = {
  Ready: "Press and speak. Your browser asks for the microphone once.",
  Starting: "Say yes if your browser asks for the microphone.",
  Listening: "Speak; M mutes, Esc stops an answer",
  You: "",
  Speaking: "Speak to interrupt, or press Esc",
  Muted: "Nothing you say is sent. M unmutes.",
  "Text only": "The microphone is off. Write, or press the ring.",
  Paused: "The microphone is released. Press to go on where you were.",
  Reconnecting: "What you say is kept and sent when the line is back.",
};

/** One control that needs no manual: a ring that shows the true level, and a word. */
export function Control({ talk }: { talk: Talk }) {
  const { state, choices } = talk;
  const isPushToTalk = choices.isPushToTalk && talk.isOpen && Boolean(talk.session?.hasMicrophone);
  const word = wordOf(state, isPushToTalk);
  const action = actionOf(word, isPushToTalk);
  const ring = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    let frame = requestAnimationFrame(function draw() {
      ring.current?.style.setProperty("--level", talk.level.toFixed(3));
      frame = requestAnimationFrame(draw);
    });
    return () => cancelAnimationFrame(frame);
  }, [talk]);
  const hold = (isHeld: boolean) => talk.session?.hold(isHeld);
  const help = isPushToTalk && word === "Ready" ? "Hold the ring or Space while you speak" : (HELP[word] ?? "");
  return (
    <div className="talk-control">
      <button
        ref={ring}
        type="button"
        className={`talk-ring ${word.toLowerCase().replace(" ", "-")}`}
        aria-label={action}
        title={action}
        {...(isPushToTalk
          ? { onPointerDown: () => hold(true), onPointerUp: () => hold(false), onPointerCancel: () => hold(false), onPointerLeave: () => hold(false) }
          : { onClick: () => void talk.press() })}
      >
        <svg viewBox="0 0 96 96" aria-hidden="true">
          <circle className="talk-ring-level" cx="48" cy="48" r="34" />
          <circle className="talk-ring-line" cx="48" cy="48" r="34" />
          {word === "Muted" ? <path className="talk-ring-sign" d="M36 36 60 60M44 40a4 4 0 0 1 8 0v8M44 47v1a4 4 0 0 0 4 4M38 48a10 10 0 0 0 15 8.7M58 48c0 1.500-.3 2.800-.9 4M48 58v5" /> : <path className="talk-ring-sign" d="M44 40a4 4 0 0 1 8 0v8a4 4 0 0 1-8 0zM38 48a10 10 0 0 0 20 0M48 58v5" />}
        </svg>
      </button>
      <p className="talk-word" role="status">
        {word}
      </p>
      <p className="talk-help soft small">{help}</p>
      {talk.isOpen && (
        <div className="row talk-buttons">
          {talk.session?.hasMicrophone && (
            <Button small aria-pressed={state.input === "muted"} onClick={() => talk.toggleMute()}>
              {state.input === "muted" ? "Unmute" : "Mute"}
            </Button>
          )}
          {state.output === "speaking" && (
            <Button small onClick={() => talk.session?.interrupt()}>
              Stop the answer
            </Button>
          )}
          <Button small tone="danger" onClick={() => void talk.hangUp()}>
            Hang up
          </Button>
        </div>
      )}
    </div>
  );
}
