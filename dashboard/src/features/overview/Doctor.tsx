import { useNavigate } from "@tanstack/react-router";
import { useCallback, useEffect, useState } from "react";

import { useMay, useWorkspaceId } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { RequestId } from "~/ui/Copy";
import { Icon } from "~/ui/icons";
import { Section } from "~/ui/Page";
import { useListState } from "~/ui/useListState";

import { examine, type Finding } from "./checks";

const MARKS = { ok: ["ok", "check", "passed"], failed: ["bad", "alert", "failed"], running: ["soft", "right", "running"] } as const;

/** The runbook as a button: each step passes or says what to do. */
export function Doctor() {
  const workspaceId = useWorkspaceId();
  const mayMint = useMay("member");
  const [lines, setLines] = useState<Finding[] | null>(null);
  const [isRunning, setRunning] = useState(false);
  const wanted = useListState()[0].doctor === "run";
  const navigate = useNavigate();
  const run = useCallback(async () => {
    setRunning(true);
    await examine(workspaceId, setLines);
    setRunning(false);
  }, [workspaceId]);
  useEffect(() => {
    if (!wanted || !mayMint) return;
    void navigate({ to: "/", replace: true });
    void Promise.resolve().then(run);
  }, [wanted, mayMint, run, navigate]);
  if (!mayMint) return null;
  const failed = lines?.filter((line) => line.state === "failed").length ?? 0;
  return (
    <Section
      title="Doctor"
      note="Performs the runbook from this browser: a token, a voice session, models, usage, rates."
      actions={
        <Button icon="doctor" busy={isRunning} onClick={() => void run()}>
          {isRunning ? "Examining…" : lines ? "Run again" : "Run the doctor"}
        </Button>
      }
    >
      {lines && (
        <ul className="lines" aria-label="What the doctor found" aria-busy={isRunning}>
          {lines.map((line) => {
            const [tone, icon, word] = MARKS[line.state];
            return (
              <li key={line.name}>
                <span className={tone}>
                  <Icon name={icon} />
                  <span className="sr">{word}</span>
                </span>
                <span className="line-what">
                  <strong>{line.name}</strong>
                  <span>{line.text}</span>
                  {line.requestId && (
                    <span className="row">
                      <RequestId id={line.requestId} />
                    </span>
                  )}
                </span>
              </li>
            );
          })}
        </ul>
      )}
      {lines && !isRunning && <p role="status">{failed === 0 ? "All is well." : `${failed} of ${lines.length} steps need you.`}</p>}
    </Section>
  );
}
