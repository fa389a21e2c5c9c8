/** In what state a conversation is: one value that is stored, never guessed from others. */
export type Phase =
  | "idle"
  | "preparing"
  | "connecting"
  | "configuring"
  | "replaying"
  | "live"
  | "reconnecting"
  | "recycling"
  | "paused"
  | "ending"
  | "ended"
  | "failed";
/** `none`: nobody asked for the microphone, or there is none; the conversation is in writing. */
export type Input = "none" | "muted" | "listening" | "hearing" | "held";
export type Output = "silent" | "thinking" | "speaking";

const AFTER: Record<Phase, readonly Phase[]> = {
  idle: ["preparing"],
  preparing: ["connecting"],
  connecting: ["configuring", "reconnecting", "paused"],
  configuring: ["live", "replaying", "reconnecting", "paused"],
  replaying: ["live", "reconnecting", "paused"],
  live: ["reconnecting", "recycling", "paused"],
  reconnecting: ["connecting", "paused"],
  recycling: ["connecting", "reconnecting", "paused"],
  paused: ["connecting"],
  ending: ["ended"],
  ended: [],
  failed: [],
};

/** `epoch` counts connections: what belongs to an older one is not looked at any more. */
export interface State {
  readonly phase: Phase;
  readonly reason: string;
  readonly attempt: number;
  readonly epoch: number;
  readonly input: Input;
  readonly output: Output;
}

export const IDLE: State = { phase: "idle", reason: "", attempt: 0, epoch: 0, input: "none", output: "silent" };

export const isOver = (phase: Phase) => phase === "ended" || phase === "failed";

/** Anything may end or fail, but what is over stays over. */
export function mayFollow(phase: Phase, then: Phase): boolean {
  if (isOver(phase)) return false;
  return AFTER[phase].includes(then) || then === "failed" || (then === "ending" && phase !== "ending");
}

/** A phase that was entered, when (ms of the wall clock) and why. */
export interface Passed {
  readonly at: number;
  readonly phase: Phase;
  readonly reason: string;
  readonly attempt: number;
}

const KEPT_PHASES = 200;

/** Keeps the state and tells each change. */
export class Machine {
  /** The last phases, the oldest first. */
  passed: readonly Passed[] = [];
  #state = IDLE;
  readonly #tell: (state: State) => void;
  readonly #wall: () => number;

  constructor(tell: (state: State) => void, wall: () => number = Date.now) {
    this.#tell = tell;
    this.#wall = wall;
  }

  get state(): State {
    return this.#state;
  }

  /** Throws where it cannot follow: that is a defect of ours. */
  to(phase: Phase, reason = "", attempt = 0): void {
    if (!mayFollow(this.#state.phase, phase)) throw new Error(`${phase} cannot follow ${this.#state.phase}`);
    const epoch = this.#state.epoch + (phase === "connecting" ? 1 : 0);
    this.passed = [...this.passed, { at: this.#wall(), phase, reason, attempt }].slice(-KEPT_PHASES);
    this.#set({ ...this.#state, phase, reason, attempt, epoch });
  }

  listen(input: Input): void {
    if (input !== this.#state.input) this.#set({ ...this.#state, input });
  }

  sound(output: Output): void {
    if (output !== this.#state.output) this.#set({ ...this.#state, output });
  }

  #set(state: State): void {
    this.#state = state;
    this.#tell(state);
  }
}
