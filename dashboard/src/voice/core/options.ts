/** How somebody wants to talk. */
export interface TalkOptions {
  /** Answers are spoken; otherwise they are in writing. */
  readonly isSpoken: boolean;
  readonly isPushToTalk: boolean;
  /** The microphone hears nothing while the speaker plays: where nothing cancels the echo. */
  readonly isHalfDuplex: boolean;
  /** A short sentence is said while a tool takes long. */
  readonly isFilling: boolean;
  /** An answer that a noise cut short goes on by itself. */
  readonly isGoingOn: boolean;
}

export const USUAL: TalkOptions = { isSpoken: true, isPushToTalk: false, isHalfDuplex: false, isFilling: true, isGoingOn: false };
