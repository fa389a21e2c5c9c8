import { useSearch } from "@tanstack/react-router";
import { type RefObject, type SyntheticEvent, useRef, useState } from "react";

import { asProblem } from "~/api/problem";
import { useMay, useWorkspaceId } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { SelectField, TextField } from "~/ui/Field";
import { Notice, ProblemNotice } from "~/ui/Notice";
import { Sheet } from "~/ui/Sheet";
import { useSubmit } from "~/ui/useSubmit";

import { idOf, type KeyProvider, type KeyScope, saveKey, type StoredKey, stalesOfKeys, useKeys } from "./api";
import { ReportCard } from "./KeySheet";
import { NAMES, SCOPES } from "./words";

const PROVIDERS = [
  { value: "openai", label: "OpenAI key: models, voice, chat" },
  { value: "openai-admin", label: "OpenAI admin key: usage and costs" },
];

/**
 * Sends the typed key, which leaves its field at that moment: no state and no cache ever holds it. Where the server was not
 * reached it goes back, so that nobody has to look for it again; once a server has answered, whatever it said, it is gone.
 */
async function sendTyped<Answer>(field: RefObject<HTMLInputElement | null>, send: (key: string) => Promise<Answer>): Promise<Answer> {
  const key = field.current?.value.trim() ?? "";
  if (field.current !== null) field.current.value = "";
  try {
    return await send(key);
  } catch (failure) {
    if (asProblem(failure).isOffline && field.current?.value === "") field.current.value = key;
    throw failure;
  }
}

interface Choice {
  provider: KeyProvider;
  scope: KeyScope;
}

/** The sheet of a key to be saved. There is one key of each kind for each use, so what is chosen says whether it takes another's place. */
export function NewKey({ onClose }: { onClose: () => void }) {
  const workspaceId = useWorkspaceId();
  const keys = useKeys(workspaceId);
  const mayShare = useMay("admin");
  const preset: { provider?: string; scope?: string } = useSearch({ strict: false });
  const [choice, choose] = useState<Choice>({
    provider: preset.provider === "openai-admin" ? "openai-admin" : "openai",
    scope: preset.scope === "workspace" && mayShare ? "workspace" : "user",
  });
  const [sent, setSent] = useState<{ over: StoredKey | undefined } | null>(null); // soon the list has the new one in its place
  const stored = keys.data?.keys.find((one) => idOf(one) === idOf(choice));
  const replaced = sent === null ? stored : sent.over;
  const [title, note] = replaced
    ? [`Replace the ${NAMES[replaced.provider]} ${replaced.keyHint}`, `It is used for ${SCOPES[replaced.scope]}. The new key is tried before it takes this one's place.`]
    : ["Add a key", "It is tried before it is kept, and sealed when it is."];
  return (
    <Sheet title={title} note={note} onClose={onClose}>
      <KeyForm
        choice={choice}
        choose={(next) => {
          choose(next);
          setSent(null);
        }}
        isReplacing={replaced !== undefined}
        onSend={() => setSent({ over: stored })}
        onClose={onClose}
      />
    </Sheet>
  );
}

interface FormProps {
  choice: Choice;
  choose: (choice: Choice) => void;
  isReplacing: boolean;
  onSend: () => void;
  onClose: () => void;
}

function KeyForm({ choice, choose, isReplacing, onSend, onClose }: FormProps) {
  const { provider, scope } = choice;
  const workspaceId = useWorkspaceId();
  const mayShare = useMay("admin");
  const secret = useRef<HTMLInputElement>(null);
  const [isEmpty, setEmpty] = useState(false);
  const saving = useSubmit({
    send: () => sendTyped(secret, (key) => saveKey(workspaceId, provider, scope, key)),
    stales: stalesOfKeys(workspaceId),
  });
  const onSubmit = (event: SyntheticEvent) => {
    event.preventDefault();
    const nothing = (secret.current?.value.trim() ?? "") === "";
    setEmpty(nothing);
    if (saving.busy || nothing) return;
    onSend();
    saving.submit(undefined);
  };
  if (saving.result)
    return (
      <>
        <Notice tone={saving.result.state === "ok" ? "good" : "caution"} role="status" title={`Saved: ${NAMES[provider]} ${saving.result.keyHint}`}>
          <p>{scope === "workspace" ? "Every call in this workspace may use it now." : "Your calls use it from now on."}</p>
        </Notice>
        <ReportCard report={saving.result.report} />
        <Button tone="primary" onClick={onClose} autoFocus>
          Done
        </Button>
      </>
    );
  return (
    <form onSubmit={onSubmit} autoComplete="off">
      {saving.problem && <ProblemNotice failure={saving.problem} />}
      <SelectField label="Kind" options={PROVIDERS} value={provider} onChange={(event) => choose({ ...choice, provider: event.target.value as KeyProvider })} />
      <SelectField
        label="Used for"
        options={[{ value: "user", label: "You alone" }, ...(mayShare ? [{ value: "workspace", label: "Everybody in this workspace" }] : [])]}
        value={scope}
        help="Your own key wins over the workspace's, and that over the server's."
        onChange={(event) => choose({ ...choice, scope: event.target.value as KeyScope })}
      />
      <TextField
        ref={secret}
        label={isReplacing ? "New key" : "Key"}
        type="password"
        autoComplete="off"
        spellCheck={false}
        placeholder={provider === "openai-admin" ? "sk-admin-…" : "sk-…"}
        help="It leaves this field when it is sent. If the server refuses it, paste it again."
        error={isEmpty ? "Paste the key." : saving.errorOf("apiKey")}
      />
      <Button type="submit" tone="primary" busy={saving.busy}>
        {saving.busy ? "Asking OpenAI about it…" : isReplacing ? "Check and replace" : "Check and save"}
      </Button>
    </form>
  );
}
