/** What a conversation can fail with: a code, a sentence, what to do, and whether trying again can help. */

/** What the page offers beside the sentence. */
export type Remedy = "retry" | "microphone" | "keys" | "models" | "limits" | "takeOver" | "reload" | "https" | "none";

interface Known {
  said: string;
  todo: string;
  remedy: Remedy;
  isRetryable?: boolean;
}

const KNOWN: Record<string, Known> = {
  // The microphone: the conversation goes on in writing.
  mic_denied: {
    said: "The browser was not allowed to use the microphone.",
    todo: "Allow it in the address bar (the sign beside the address), then try again. You can write meanwhile.",
    remedy: "microphone",
  },
  mic_missing: { said: "There is no microphone.", todo: "Connect one and try again, or write.", remedy: "microphone" },
  mic_busy: {
    said: "Another program has the microphone.",
    todo: "Close it there (a call, a recorder) and try again. You can write meanwhile.",
    remedy: "microphone",
  },
  mic_unplugged: { said: "The microphone was unplugged.", todo: "Connect it again, or choose another one.", remedy: "microphone" },
  mic_failed: { said: "The microphone could not be opened.", todo: "Try again, or choose another one.", remedy: "microphone" },
  insecure_origin: {
    said: "Browsers give a microphone to pages over HTTPS only.",
    todo: "See how this server gets it in a minute. You can write meanwhile.",
    remedy: "https",
  },
  // The sound.
  worklet_blocked: { said: "The page could not load its sound parts.", todo: "Reload the page.", remedy: "reload" },
  audio_blocked: { said: "The browser holds the sound back until you press something.", todo: "Press the button once more.", remedy: "retry" },
  output_silent: { said: "The answer came, but its sound is nearly silent.", todo: "Read it here, and check the volume of this device.", remedy: "none" },
  output_missing: { said: "This loudspeaker is not there.", todo: "The browser’s choice plays. Choose another one under Sound.", remedy: "none" },
  // The service.
  invalid_api_key: { said: "OpenAI refuses the secret of this conversation.", todo: "Check the OpenAI key.", remedy: "keys" },
  insufficient_quota: { said: "The OpenAI account has no credit left.", todo: "Add credit at OpenAI, or save another key.", remedy: "keys" },
  PROVIDER_QUOTA_EXHAUSTED: { said: "The OpenAI account has no credit left.", todo: "Add credit at OpenAI, or save another key.", remedy: "keys" },
  billing_hard_limit_reached: { said: "The OpenAI account has reached its budget.", todo: "Raise it at OpenAI, or save another key.", remedy: "keys" },
  invalid_model: { said: "OpenAI does not know this model.", todo: "Choose another one.", remedy: "models" },
  model_not_found: { said: "The key does not reach this model.", todo: "Choose another one.", remedy: "models" },
  beta_api_shape_disabled: { said: "The service speaks another version of the protocol.", todo: "Update OpenCTO.", remedy: "none" },
  NO_PROVIDER_KEY: { said: "There is no OpenAI key.", todo: "Save one.", remedy: "keys" },
  PROVIDER_KEY_REJECTED: { said: "OpenAI refuses the key.", todo: "Save another one.", remedy: "keys" },
  PROVIDER_KEY_UNREADABLE: { said: "The saved OpenAI key does not open any more.", todo: "Save it again.", remedy: "keys" },
  SPEND_CAP_REACHED: { said: "The spend cap of this workspace is reached.", todo: "Raise it, or wait until it is over.", remedy: "limits" },
  sandbox_no_ears: {
    said: "The local sandbox cannot hear here.",
    todo: "Install its ears (the extra `local`), add an OpenAI key, or write.",
    remedy: "keys",
  },
  rate_limit_exceeded: { said: "OpenAI's rate limit is reached.", todo: "Wait a moment and ask again.", remedy: "retry", isRetryable: true },
  session_expired: { said: "The session reached its longest duration.", todo: "It goes on by itself.", remedy: "none", isRetryable: true },
  // The line.
  socket_blocked: {
    said: "The line to the voice service cannot be opened.",
    todo: "A proxy or firewall may block WebSockets; try another network.",
    remedy: "retry",
    isRetryable: true,
  },
  connection_lost: { said: "The connection broke.", todo: "It is tried again.", remedy: "none", isRetryable: true },
  silent: { said: "The voice service does not answer.", todo: "It is tried again.", remedy: "none", isRetryable: true },
  offline: { said: "This device is offline.", todo: "It goes on when the network is back.", remedy: "none", isRetryable: true },
  second_tab: { said: "A conversation is open in another tab.", todo: "Go on there, or take it over.", remedy: "takeOver" },
};

/** Closed with these, the next attempt would be closed alike. */
const REFUSED_CLOSES = new Set([3000, 4000]);
const FATAL = new Set(Object.keys(KNOWN).filter((code) => !KNOWN[code]?.isRetryable && !code.startsWith("mic_") && code !== "sandbox_no_ears"));

export const isFatal = (code: string) => FATAL.has(code);

export class VoiceError extends Error {
  readonly code: string;
  readonly todo: string;
  readonly remedy: Remedy;
  readonly isRetryable: boolean;
  /** How long to wait at least, where the other side said so. */
  readonly pauseMs: number | null;
  /** By which whoever runs the server finds it in the log; null where no request of ours failed. */
  readonly requestId: string | null;

  constructor(code: string, said: string, todo = "", options: { remedy?: Remedy; isRetryable?: boolean; pauseMs?: number | null; requestId?: string | null } = {}) {
    super(said);
    this.code = code;
    this.todo = todo;
    this.remedy = options.remedy ?? "retry";
    this.isRetryable = options.isRetryable ?? false;
    this.pauseMs = options.pauseMs ?? null;
    this.requestId = options.requestId ?? null;
  }
}

/** The failure of a code of OpenAI or of ours; `said` is told where the code means nothing to us. */
export function known(code: string, said = "", requestId: string | null = null): VoiceError {
  const entry = Object.hasOwn(KNOWN, code) ? KNOWN[code] : undefined;
  if (entry) return new VoiceError(code, entry.said, entry.todo, { remedy: entry.remedy, isRetryable: entry.isRetryable ?? false, requestId });
  return new VoiceError(code || "unknown", said || "The conversation failed.", "", { isRetryable: true, requestId });
}

/** Why a socket closed, with the last error that came before. */
export function ofClose(closeCode: number, errorCode: string, said: string): VoiceError {
  const entry = errorCode && Object.hasOwn(KNOWN, errorCode) ? known(errorCode) : null;
  if (REFUSED_CLOSES.has(closeCode)) return entry ?? new VoiceError(errorCode || `closed_${closeCode}`, said || "The conversation was refused.");
  return entry ?? known("connection_lost");
}

export function asVoiceError(failure: unknown): VoiceError {
  if (failure instanceof VoiceError) return failure;
  return new VoiceError("unexpected", "The conversation stumbled over its own code.", "Try again; if it happens again, tell whoever runs the server.");
}
