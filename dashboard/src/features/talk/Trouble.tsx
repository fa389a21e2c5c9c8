import { Link } from "@tanstack/react-router";

import { Button } from "~/ui/Button";
import { RequestId } from "~/ui/Copy";
import { Notice } from "~/ui/Notice";
import type { Remedy } from "~/voice/core/errors";

import type { Talk } from "./talk";

const LABELS: Partial<Record<Remedy, string>> = { retry: "Try again", microphone: "Try the microphone again", takeOver: "Take it over here" };
const PLACES: Partial<Record<Remedy, [path: string, label: string]>> = {
  keys: ["/keys", "Open the keys"],
  models: ["/workspace", "Choose a model"],
  limits: ["/workspace", "See the limits"],
  https: ["/https", "How to get HTTPS"],
};

/** What went wrong: a sentence, what to do, the button for it, and the code to quote. */
export function Trouble({ talk }: { talk: Talk }) {
  const { problem } = talk;
  if (!problem) return null;
  const label = LABELS[problem.remedy];
  const place = PLACES[problem.remedy];
  return (
    <Notice tone={talk.state.phase === "failed" ? "danger" : "caution"} role="alert">
      <p>
        {problem.message} {problem.todo} <code className="small soft">{problem.code}</code>
      </p>
      <div className="row">
        {label && (
          <Button small onClick={() => void talk.retry()}>
            {label}
          </Button>
        )}
        {problem.remedy === "reload" && (
          <Button small onClick={() => location.reload()}>
            Reload
          </Button>
        )}
        {place && (
          <Link className="button small" to={place[0]}>
            {place[1]}
          </Link>
        )}
        {problem.remedy !== "https" && (
          <Link className="button small" to="/diagnostics">
            Check the sound
          </Link>
        )}
        <Button small tone="quiet" onClick={() => talk.forgetProblem()}>
          Dismiss
        </Button>
        {problem.requestId && <RequestId id={problem.requestId} />}
      </div>
    </Notice>
  );
}
