/** When a session runs out in the middle of something: sign in over the page, and what was begun goes on. */
import { useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useEffect, useState } from "react";

import { api, onSignedOut, read } from "~/api/client";
import { asProblem } from "~/api/problem";
import { fetchSession, SESSION, type Session } from "~/api/session";
import { Button } from "~/ui/Button";
import { TextField } from "~/ui/Field";
import { ProblemNotice } from "~/ui/Notice";
import { Modal } from "~/ui/Sheet";
import { useSubmit } from "~/ui/useSubmit";

export function SignInAgain({ session }: { session: Session }) {
  const [waiting, setWaiting] = useState<{ go: () => void; stop: (why: Error) => void } | null>(null);
  const queries = useQueryClient();
  useEffect(() => {
    onSignedOut(() => new Promise<void>((go, stop) => setWaiting({ go, stop })));
  }, []);
  if (waiting === null) return null;

  const done = async () => {
    const fresh = await fetchSession();
    if (fresh.person?.id !== session.person?.id) {
      location.assign("/"); // somebody else: nothing of the page is theirs
      return;
    }
    queries.setQueryData(SESSION, fresh);
    setWaiting(null);
    waiting.go();
  };
  return (
    <Modal title="Sign in again" note="Your sign-in has ended. Nothing you typed is lost." onClose={() => location.assign("/login")}>
      <Form email={session.person?.email ?? ""} oidcName={session.oidcName ?? null} onDone={done} />
    </Modal>
  );
}

function Form({ email, oidcName, onDone }: { email: string; oidcName: string | null; onDone: () => Promise<void> }) {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [needsCode, setNeedsCode] = useState(false); // for good: a wrong code that is taken back does not take its field away
  const { submit, busy, problem } = useSubmit({
    send: async () => {
      const typed = code.trim().replaceAll(" ", ""); // apps show it as 123 456
      try {
        await read(api.POST("/api/v1/auth/login", { body: { email, password, ...(typed ? { code: typed } : {}) } }));
      } catch (failure) {
        if (asProblem(failure).code === "SECOND_FACTOR_REQUIRED") setNeedsCode(true);
        throw failure;
      }
      await onDone();
    },
  });
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    submit(undefined);
  };
  return (
    <form onSubmit={onSubmit}>
      {problem && problem.code !== "SECOND_FACTOR_REQUIRED" && <ProblemNotice failure={problem} />}
      <TextField label="E-mail" value={email} readOnly autoComplete="username" />
      <TextField label="Password" type="password" autoComplete="current-password" required autoFocus value={password} onChange={(event) => setPassword(event.target.value)} />
      {needsCode && (
        <TextField label="Code" help="Six digits of the app, or a recovery code." autoComplete="one-time-code" autoFocus value={code} onChange={(event) => setCode(event.target.value)} />
      )}
      <Button type="submit" tone="primary" busy={busy}>
        Sign in
      </Button>
      {oidcName && (
        <p className="help">
          With {oidcName} instead: <a href="/api/v1/auth/oidc/start">sign in there</a>; that leaves this page.
        </p>
      )}
    </form>
  );
}
