import { type SyntheticEvent, useState } from "react";

import { useHere } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { SecretOnce } from "~/ui/Copy";
import { CheckField, SelectField, TextField } from "~/ui/Field";
import { Notice, ProblemNotice } from "~/ui/Notice";
import { useSubmit } from "~/ui/useSubmit";

import { createToken, type Scope, TOKENS } from "./api";
import { SCOPES } from "./words";

const EXPIRY = [
  { value: "30", label: "After 30 days" },
  { value: "90", label: "After 90 days" },
  { value: "365", label: "After a year" },
  { value: "", label: "Never" },
];

export function TokenForm({ onClose }: { onClose: () => void }) {
  const { workspace } = useHere();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>([]);
  const [days, setDays] = useState("90");
  const [isOnlyHere, setOnlyHere] = useState(true);
  const [isEmpty, setEmpty] = useState(false);
  const { submit, busy, problem, errorOf, result } = useSubmit({
    send: () =>
      createToken({
        name: name.trim(),
        scopes: [...scopes],
        expiresInDays: days ? Number(days) : null,
        ...(isOnlyHere ? { workspaceId: workspace.workspaceId } : {}),
      }),
    stales: [TOKENS],
  });
  if (result)
    return (
      <>
        <Notice tone="good" role="status" title={`${result.name} is made`}>
          <p>Copy it now: it is shown this once and not kept.</p>
        </Notice>
        <SecretOnce label="API token" text={result.token} />
        <Button tone="primary" onClick={onClose}>
          Done
        </Button>
      </>
    );
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    const isMissing = name.trim() === "" || scopes.length === 0;
    setEmpty(isMissing);
    if (!busy && !isMissing) submit(undefined);
  };
  const toggle = (scope: Scope) => setScopes(scopes.includes(scope) ? scopes.filter((one) => one !== scope) : [...scopes, scope]);
  return (
    <form onSubmit={onSubmit} noValidate>
      {problem && problem.errors.length === 0 && <ProblemNotice failure={problem} />}
      <TextField
        label="Token name"
        value={name}
        autoComplete="off"
        help="What will use it, such as backup script."
        error={isEmpty && name.trim() === "" ? "Give it a name." : errorOf("name")}
        onChange={(event) => setName(event.target.value)}
      />
      <fieldset aria-describedby={isEmpty && scopes.length === 0 ? "scopes-error" : undefined}>
        <legend>It may</legend>
        <div className="choices">
          {SCOPES.map(({ scope }) => (
            <CheckField key={scope} label={scope} checked={scopes.includes(scope)} onChange={() => toggle(scope)} />
          ))}
        </div>
        {isEmpty && scopes.length === 0 && (
          <p className="error" id="scopes-error">
            Choose what it may do.
          </p>
        )}
      </fieldset>
      <CheckField label={`Only in ${workspace.name}`} checked={isOnlyHere} onChange={(event) => setOnlyHere(event.target.checked)} />
      <SelectField label="Expires" value={days} options={EXPIRY} onChange={(event) => setDays(event.target.value)} />
      <Button type="submit" tone="primary" busy={busy}>
        Create the token
      </Button>
    </form>
  );
}
