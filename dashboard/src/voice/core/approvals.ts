/** A call that waits for a person: the talk goes on, and what comes of it is told when it is decided. */
import { asVoiceError, VoiceError } from "./errors";
import type { ApprovalStanding } from "./ports";
import { elapsed } from "./waiting";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 3_000;

/** What came of it: how the call ended, and what the model is told. */
export interface Decided {
  readonly state: "done" | "failed";
  readonly output: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

/** Wait until it is decided and done. Null: `signal` aborted. A server that is away is asked again; what it refuses to show ends the wait. */
export async function decision(read: () => Promise<ApprovalStanding>, signal: AbortSignal): Promise<Decided | null> {
  for (let waitMs = FIRST_WAIT_MS; !signal.aborted; waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 1.5)) {
    try {
      const found = await read();
      if (found.state !== "pending" && found.state !== "approved") return outcome(found);
    } catch (failure) {
      const error = failure instanceof VoiceError ? failure : asVoiceError(failure);
      if (!error.isRetryable) return { state: "failed", output: { error: error.message }, error: error.message };
    }
    await elapsed(waitMs, signal);
  }
  return null;
}

/** What is said of an approval that has ended. */
export function outcome({ id, state, decidedByName, reason, output, error, code }: ApprovalStanding): Decided {
  const told = { approvalId: id, status: state, by: decidedByName };
  if (state === "used") return { state: "done", output: { ...told, status: "approved and done", result: output, note: `${decidedByName ?? "Somebody"} approved it, and it was done.` } };
  const said =
    state === "denied"
      ? `${decidedByName ?? "Somebody"} denied it. Nothing was done.`
      : state === "expired"
        ? "Nobody decided in time. Nothing was done."
        : (error ?? "It was approved and failed.");
  const more = state === "denied" ? { reason } : state === "failed" ? { code } : {};
  return { state: "failed", output: { ...told, ...more, error: said }, error: said };
}
