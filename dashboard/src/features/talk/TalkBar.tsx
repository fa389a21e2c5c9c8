import "./talk.css";

import { Link, useRouterState } from "@tanstack/react-router";

import { Button } from "~/ui/Button";

import { useChanges, useCurrentTalk } from "./current";
import { wordOf } from "./words";

/** The control of an open conversation, in sight on every other page. */
export function TalkBar() {
  const talk = useCurrentTalk();
  useChanges(talk);
  const isThere = useRouterState({ select: (state) => state.location.pathname === "/talk" });
  if (!talk?.isOpen || isThere) return null;
  const { state, session } = talk;
  return (
    <aside className="talk-bar" aria-label="Open conversation">
      <span className={`talk-dot ${state.output}`} aria-hidden="true" />
      <Link to="/talk">
        <span className="sr">Conversation: </span>
        {wordOf(state, talk.choices.isPushToTalk)}
      </Link>
      {state.phase === "paused" && (
        <Button small onClick={() => void talk.press()}>
          Go on
        </Button>
      )}
      {session?.hasMicrophone && (
        <Button small aria-pressed={state.input === "muted"} onClick={() => talk.toggleMute()}>
          {state.input === "muted" ? "Unmute" : "Mute"}
        </Button>
      )}
      <Button small tone="danger" onClick={() => void talk.hangUp()}>
        Hang up
      </Button>
    </aside>
  );
}
