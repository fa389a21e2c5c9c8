import { Confirm } from "~/ui/Confirm";
import { useSay } from "~/ui/Said";
import { useSubmit } from "~/ui/useSubmit";

import { type ApiToken, revokeToken, TOKENS } from "./api";

export function RevokeToken({ token, onClose }: { token: ApiToken; onClose: () => void }) {
  const say = useSay();
  const { submit, busy, problem } = useSubmit({
    send: () => revokeToken(token.id),
    stales: [TOKENS],
    onDone: () => {
      say(`${token.name} is revoked.`);
      onClose();
    },
  });
  return (
    <Confirm title={`Revoke ${token.name}`} verb="Revoke" busy={busy} problem={problem} onConfirm={() => submit(undefined)} onClose={onClose}>
      <p>Whatever uses it is refused within a second. It cannot be brought back.</p>
    </Confirm>
  );
}
