import { Button } from "~/ui/Button";
import { count } from "~/ui/format";
import { Notice, ProblemNotice } from "~/ui/Notice";
import { Section } from "~/ui/Page";
import { useSubmit } from "~/ui/useSubmit";

import { verify } from "./api";

/** Checks the whole trail of the server, hash by hash. */
export function Verify() {
  const { submit, busy, problem, result } = useSubmit({ send: () => verify() });
  return (
    <Section
      title="Is the trail whole?"
      note="Checks every event of this server, the signed end, and the anchors outside the database."
      actions={
        <Button busy={busy} onClick={() => submit(undefined)}>
          {busy ? "Checking…" : "Verify"}
        </Button>
      }
    >
      {problem && <ProblemNotice failure={problem} />}
      {result && (
        <Notice tone={result.ok ? "good" : "danger"} role="status" title={result.ok ? "The trail is whole" : "The trail is broken"}>
          <p>
            {count(result.rows)} events are sound, and {count(result.anchors)} anchors agree.
          </p>
          {result.breaks.map((one) => (
            <p key={`${one.kind} ${one.seq ?? ""}`}>{one.message}</p>
          ))}
        </Notice>
      )}
    </Section>
  );
}
