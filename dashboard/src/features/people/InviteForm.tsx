import { type SyntheticEvent, useState } from "react";

import type { Role } from "~/api/session";
import { useHere } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { SecretOnce } from "~/ui/Copy";
import { SelectField, TextField } from "~/ui/Field";
import { Notice, ProblemNotice } from "~/ui/Notice";
import { useSubmit } from "~/ui/useSubmit";

import { invitationsKey, invite, mayManage, mayOf, ROLES } from "./api";

const DAYS = [
  { value: "24", label: "A day" },
  { value: "168", label: "A week" },
  { value: "720", label: "30 days" },
];

export function InviteForm({ onClose }: { onClose: () => void }) {
  const { workspace } = useHere();
  const [role, setRole] = useState<Role>("member");
  const [email, setEmail] = useState("");
  const [hours, setHours] = useState("168");
  const { submit, busy, problem, errorOf, result } = useSubmit({
    send: () => invite(workspace.workspaceId, role, email.trim(), Number(hours)),
    stales: [invitationsKey(workspace.workspaceId)],
  });
  if (result)
    return (
      <>
        <Notice tone="good" role="status" title="The link is made">
          <p>Send it to {result.email ?? "one person"}. It is shown this once and works once.</p>
        </Notice>
        <SecretOnce label="Invitation link" text={result.url} />
        <Button tone="primary" onClick={onClose}>
          Done
        </Button>
      </>
    );
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!busy) submit(undefined);
  };
  return (
    <form onSubmit={onSubmit} noValidate>
      {problem && problem.errors.length === 0 && <ProblemNotice failure={problem} />}
      <SelectField
        label="Role"
        value={role}
        options={ROLES.filter((one) => mayManage(workspace.role, one.value)).map(({ value, label }) => ({ value, label }))}
        help={mayOf(role)}
        onChange={(event) => setRole(event.target.value as Role)}
        error={errorOf("role")}
      />
      <TextField
        label="E-mail (optional)"
        type="email"
        autoComplete="off"
        value={email}
        help="With an address the link works for that person alone. Nothing is sent: you pass the link on."
        onChange={(event) => setEmail(event.target.value)}
        error={errorOf("email")}
      />
      <SelectField label="Works for" value={hours} options={DAYS} onChange={(event) => setHours(event.target.value)} />
      <Button type="submit" tone="primary" busy={busy}>
        Make the link
      </Button>
    </form>
  );
}
