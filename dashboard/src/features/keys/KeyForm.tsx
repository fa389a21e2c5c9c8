import { useSearch } from "@tanstack/react-router";
import { type RefObject, type SyntheticEvent, useRef, useState } from "react";

import { asProblem } from "~/api/problem";
import { useMay, useWorkspaceId } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { SelectField, TextField } from "~/ui/Field";
import { Notice, ProblemNotice } from "~/ui/Notice";
import { useSubmit } from "~/ui/useSubmit";

import { type KeyProvider, type KeyScope, saveKey, stalesOfKeys } from "./api";
import { ReportCard } from "./KeySheet";
import { NAMES } from "./words";

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

export function KeyForm({ onClose }: { onClose: () => void }) {
  const workspaceId = useWorkspaceId();
  const mayShare = useMay("admin");
  const preset: { provider?: string; scope?: string } = useSearch({ strict: false });
  const [provider, setProvider] = useState<KeyProvider>(preset.provider === "openai-admin" ? "openai-admin" : "openai");
  const [scope, setScope] = useState<KeyScope>(preset.scope === "workspace" && mayShare ? "workspace" : "user");
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
    if (!saving.busy && !nothing) saving.submit(undefined);
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
      <SelectField label="Kind" options={PROVIDERS} value={provider} onChange={(event) => setProvider(event.target.value as KeyProvider)} />
      <SelectField
        label="Used for"
        options={[{ value: "user", label: "You alone" }, ...(mayShare ? [{ value: "workspace", label: "Everybody in this workspace" }] : [])]}
        value={scope}
        help="Your own key wins over the workspace's, and that over the server's."
        onChange={(event) => setScope(event.target.value as KeyScope)}
      />
      <TextField
        ref={secret}
        label="Key"
        type="password"
        autoComplete="off"
        spellCheck={false}
        placeholder={provider === "openai-admin" ? "sk-admin-…" : "sk-…"}
        help="It leaves this field when it is sent. If the server refuses it, paste it again."
        error={isEmpty ? "Paste the key." : saving.errorOf("apiKey")}
      />
      <Button type="submit" tone="primary" busy={saving.busy}>
        {saving.busy ? "Asking OpenAI about it…" : "Check and save"}
      </Button>
    </form>
  );
}
