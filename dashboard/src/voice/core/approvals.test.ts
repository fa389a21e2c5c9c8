import { describe, expect, it } from "vitest";

import { decision, outcome } from "./approvals";
import { VoiceError } from "./errors";
import type { ApprovalStanding } from "./ports";

const waiting: ApprovalStanding = { id: "ap_1", state: "pending", decidedByName: null, reason: null, output: null, error: null, code: null };
const used: ApprovalStanding = { ...waiting, state: "used", decidedByName: "Ben", output: { monthly_usd: "200.00" } };

describe("what came of an approval", () => {
  it.each([
    [used, "done", "Ben approved it, and it was done."],
    [{ ...waiting, state: "denied", decidedByName: "Ben" } as const, "failed", "Ben denied it. Nothing was done."],
    [{ ...waiting, state: "expired" } as const, "failed", "Nobody decided in time. Nothing was done."],
    [{ ...waiting, state: "failed", error: "It broke.", code: "UNEXPECTED" } as const, "failed", "It broke."],
  ])("is told honestly: %o", (found, state, said) => {
    const told = outcome(found);
    expect(told.state).toBe(state);
    expect(JSON.stringify(told.output)).toContain(said);
  });

  it("is waited for while the server is away, and no longer than it may be seen", async () => {
    const { signal } = new AbortController();
    const answers: (ApprovalStanding | VoiceError)[] = [waiting, new VoiceError("offline", "Away.", "", { isRetryable: true, pauseMs: null, remedy: "retry" }), used];
    const read = () => {
      const next = answers.shift();
      return next instanceof VoiceError || next === undefined ? Promise.reject(next ?? new Error("asked too often")) : Promise.resolve(next);
    };
    expect((await decision(read, signal))?.state).toBe("done");
    answers.push(new VoiceError("FORBIDDEN", "Somebody else asked for this.", "", { isRetryable: false, pauseMs: null, remedy: "none" }));
    expect(await decision(read, signal)).toEqual({ state: "failed", output: { error: "Somebody else asked for this." }, error: "Somebody else asked for this." });
  });

  it("is not asked for once the talk is over", async () => {
    expect(await decision(() => Promise.reject(new Error("asked")), AbortSignal.abort())).toBeNull();
  });
});
