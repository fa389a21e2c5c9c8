import { useWorkspaceId } from "~/api/workspace";
import { Confirm } from "~/ui/Confirm";
import { useSay } from "~/ui/Said";
import { useSubmit } from "~/ui/useSubmit";

import { deleteKey, stalesOfKeys, type StoredKey } from "./api";
import { NAMES, SCOPES } from "./words";

export function DeleteKey({ stored, onClose }: { stored: StoredKey; onClose: () => void }) {
  const workspaceId = useWorkspaceId();
  const say = useSay();
  const name = `${NAMES[stored.provider]} ${stored.keyHint}`;
  const { submit, busy, problem } = useSubmit({
    send: () => deleteKey(workspaceId, stored),
    stales: stalesOfKeys(workspaceId),
    onDone: () => {
      say(`The ${name} is deleted.`);
      onClose();
    },
  });
  return (
    <Confirm title={`Delete the ${name}`} verb="Delete the key" busy={busy} problem={problem} onConfirm={() => submit(undefined)} onClose={onClose}>
      <p>
        It was used for {SCOPES[stored.scope]}. Calls stop using it within a second. OpenAI still knows it: revoke it there as
        well if it may have leaked.
      </p>
    </Confirm>
  );
}
