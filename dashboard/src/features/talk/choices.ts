/** What a person chose for talking, kept in this browser. */
export interface Choices {
  deviceId: string | null;
  outputId: string | null;
  voice: string | null;
  isPushToTalk: boolean;
  isHalfDuplex: boolean;
  isSpoken: boolean;
  isFilling: boolean;
  isGoingOn: boolean;
  hasSignals: boolean;
}

const KEPT = "opencto.talk";
const USUAL: Choices = {
  deviceId: null,
  outputId: null,
  voice: null,
  isPushToTalk: false,
  isHalfDuplex: false,
  isSpoken: true,
  isFilling: true,
  isGoingOn: false,
  hasSignals: false,
};

export const VOICES = ["marin", "cedar", "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse"];

export function readChoices(): Choices {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    if (typeof kept !== "object" || kept === null) return USUAL;
    const known = Object.entries(kept).filter(([name, value]) => name in USUAL && (typeof value === "boolean" || typeof value === "string"));
    return { ...USUAL, ...Object.fromEntries(known) };
  } catch {
    return USUAL;
  }
}

export function keepChoices(choices: Choices): void {
  localStorage.setItem(KEPT, JSON.stringify(choices));
}
