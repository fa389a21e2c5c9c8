import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { limitsKey, useLimits, type WorkspaceLimits } from "~/api/figures";
import { useMay, useWorkspaceId } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { TextField } from "~/ui/Field";
import { Badge } from "~/ui/Figures";
import { Loaded } from "~/ui/Loading";
import { ProblemNotice } from "~/ui/Notice";
import { Section } from "~/ui/Page";
import { useSay } from "~/ui/Said";
import { useSubmit } from "~/ui/useSubmit";

import { changeLimits } from "./api";

type Buckets = WorkspaceLimits["buckets"];

const NAMES: Record<string, string> = { realtime_token: "Voice sessions", cto_openai_proxy: "Models and usage", voice_respond: "Spoken questions" };

export function RateLimits() {
  const limits = useLimits(useWorkspaceId());
  const mayWrite = useMay("admin");
  return (
    <Section title="Rate limits" note="Calls of one person in any 60 seconds.">
      <Loaded query={limits}>{({ buckets }) => (mayWrite ? <Form buckets={buckets} /> : <Shown buckets={buckets} />)}</Loaded>
    </Section>
  );
}

function Shown({ buckets }: { buckets: Buckets }) {
  return (
    <dl className="facts">
      {Object.entries(buckets).map(([name, state]) => (
        <div key={name}>
          <dt>{NAMES[name] ?? name}</dt>
          <dd>
            {state.limit} <Badge>{state.source === "default" ? "the server's default" : "set here"}</Badge>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Form({ buckets }: { buckets: Buckets }) {
  const ws = useWorkspaceId();
  const say = useSay();
  const queries = useQueryClient();
  const [typed, setTyped] = useState<Record<string, string>>({});
  const { submit, busy, problem, errorOf } = useSubmit({
    send: (changed: Record<string, { limit: number | null }>) => changeLimits(ws, { buckets: changed }),
    stales: [limitsKey(ws)],
    onDone: (answer) => {
      queries.setQueryData(limitsKey(ws), answer);
      setTyped({});
      say("Rate limits: saved.");
    },
  });
  const onSubmit = () => {
    const changed = Object.entries(typed).map(([name, text]) => [name, { limit: text.trim() === "" ? null : Number(text) }] as const);
    if (!busy && changed.length > 0) submit(Object.fromEntries(changed));
  };
  return (
    <form
      aria-label="Rate limits"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {problem && problem.errors.length === 0 && <ProblemNotice failure={problem} />}
      {Object.entries(buckets).map(([name, state]) => (
        <TextField
          key={name}
          label={NAMES[name] ?? name}
          type="number"
          min={1}
          value={typed[name] ?? String(state.limit)}
          help={state.source === "default" ? "The server's default." : "Set here; empty goes back to the server's default."}
          onChange={(event) => setTyped({ ...typed, [name]: event.target.value })}
          error={errorOf(`buckets.${name}.limit`)}
        />
      ))}
      <Button type="submit" tone="primary" busy={busy}>
        Save
      </Button>
    </form>
  );
}
