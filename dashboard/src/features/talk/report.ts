/** What happened in a conversation, for whoever looks into a fault: times, counts and codes. No word, no sound, no key, no name. */
import { isRetold, itemsOf, statusOf, textOf } from "~/voice/core/conversation";

import type { Talk } from "./talk";

export function reportOf(talk: Talk): object {
  const { conversation, session, state, choices, microphone } = talk;
  const { deviceId, outputId, ...how } = choices;
  const heard = microphone.settings;
  return {
    about: "OpenCTO, what happened in a conversation: times, counts and codes. No words, no sound, no keys.",
    at: new Date().toISOString(),
    sessionId: session?.sessionId ?? null,
    model: session?.lines.token?.model ?? null,
    keySource: session?.lines.token?.keySource ?? null,
    browser: navigator.userAgent,
    state,
    phases: (session?.passed ?? []).map((one) => ({ ...one, at: new Date(one.at).toISOString() })),
    choices: { ...how, hasChosenMicrophone: deviceId !== null, hasChosenOutput: outputId !== null },
    sound: talk.sound.figures,
    microphone: heard && { sampleRate: heard.sampleRate, echoCancellation: heard.echoCancellation, noiseSuppression: heard.noiseSuppression, autoGainControl: heard.autoGainControl },
    problem: talk.problem && { code: talk.problem.code, requestId: talk.problem.requestId },
    latency: session?.turns.metrics.summary() ?? {},
    tokens: session?.turns.metrics.tokens ?? null,
    record: session && { refused: session.turns.records.refusal !== null, dropped: session.turns.records.dropped },
    items: itemsOf(conversation).map((item) => ({
      id: item.id,
      kind: item.kind,
      role: item.role,
      status: statusOf(conversation, item),
      characters: textOf(item).length,
      soundMs: Math.round(item.soundMs),
      heardMs: item.heardMs,
      responseId: item.responseId,
      ...(item.kind === "call" ? { tool: item.name, state: conversation.calls.get(item.callId ?? "")?.state ?? null, isRetold: isRetold(item) } : {}),
    })),
    responses: Object.fromEntries(conversation.endings),
    problems: conversation.problems.map(({ code }) => code),
    unknownEvents: conversation.unknown.map(({ type }) => (typeof type === "string" ? type.slice(0, 100) : "")),
  };
}

export function saveReport(talk: Talk): void {
  const file = URL.createObjectURL(new Blob([JSON.stringify(reportOf(talk), null, 2)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = file;
  link.download = `opencto-conversation-${talk.session?.sessionId ?? "none"}.json`;
  link.click();
  URL.revokeObjectURL(file);
}
