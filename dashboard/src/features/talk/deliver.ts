/** What an earlier page could not send of its record is sent by the next one. */
import { asVoiceError } from "~/voice/core/errors";
import { MAX_EVENTS } from "~/voice/core/records";

import { ServerBackend } from "./backend";
import { keepUnsent, unsent } from "./unsent";

/** Batches are idempotent: what had arrived all the same changes nothing. What the server refuses for good is let go. */
export async function deliverUnsent(workspaceId: string): Promise<void> {
  const backend = new ServerBackend(workspaceId);
  for (const one of unsent().filter((kept) => kept.workspaceId === workspaceId)) {
    let left = one.events;
    while (left.length > 0) {
      try {
        await backend.record(one.sessionId, left.slice(0, MAX_EVENTS), false);
      } catch (failure) {
        if (asVoiceError(failure).isRetryable) return; // Kept for the next page.
      }
      left = left.slice(MAX_EVENTS);
      keepUnsent({ ...one, events: left });
    }
  }
}
