/** One conversation in a browser: two would hear each other. Whoever begins asks the other tabs. */
type Word = "who" | "here" | "leave";

const CHANNEL = "opencto.talk";
const PATIENCE_MS = 150;

export class Tabs {
  readonly #channel = new BroadcastChannel(CHANNEL);
  #isHolding = false;
  #heard: (() => void) | null = null;

  constructor(leave: () => void) {
    this.#channel.onmessage = (event: MessageEvent<Word>) => {
      if (event.data === "who" && this.#isHolding) this.#say("here");
      if (event.data === "here") this.#heard?.();
      if (event.data === "leave" && this.#isHolding) leave();
    };
  }

  /** Whether another tab talks. If none does, it is this one from now on. */
  async claim(isTakingOver: boolean): Promise<boolean> {
    if (isTakingOver) this.#say("leave");
    else {
      const answered = new Promise<boolean>((resolve) => {
        this.#heard = () => resolve(true);
        setTimeout(() => resolve(false), PATIENCE_MS);
      });
      this.#say("who");
      if (await answered) return false;
    }
    this.#heard = null;
    this.#isHolding = true;
    return true;
  }

  release(): void {
    this.#isHolding = false;
  }

  #say(word: Word): void {
    this.#channel.postMessage(word);
  }
}
