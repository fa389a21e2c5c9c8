/** What a phone needs: the screen awake, a headset's button, a pause when the page is hidden. */
interface Hooks {
  pause: (reason: string) => void;
  hurry: () => void;
  /** The page may be going away. */
  flush: () => void;
  hangUp: () => void;
  mute: () => void;
}

interface Seen {
  isOpen: boolean;
  isMuted: boolean;
  hadMicrophone: boolean;
}

/** Phones take the microphone from a hidden page; a desk's browser leaves it, and a person talks on while looking elsewhere. */
const isHandheld = () => matchMedia("(pointer: coarse)").matches;

export class Phone {
  readonly #hooks: Hooks;
  #seen: Seen = { isOpen: false, isMuted: false, hadMicrophone: false };
  #lock: WakeLockSentinel | null = null;
  #isAsking = false;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
    document.addEventListener("visibilitychange", () => this.#looked());
    window.addEventListener("pagehide", () => hooks.flush());
    window.addEventListener("online", () => hooks.hurry());
  }

  follow(seen: Seen): void {
    const before = this.#seen;
    this.#seen = seen;
    if (seen.isOpen) void this.#stayAwake();
    else if (before.isOpen) this.#sleep();
    if (seen.isOpen !== before.isOpen || seen.isMuted !== before.isMuted) this.#headset();
  }

  #looked(): void {
    if (!this.#seen.isOpen) return;
    if (document.visibilityState === "visible") void this.#stayAwake();
    else if (isHandheld()) this.#hooks.pause("hidden");
    else this.#hooks.flush();
  }

  async #stayAwake(): Promise<void> {
    if (this.#lock || this.#isAsking || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    this.#isAsking = true;
    try {
      this.#lock = await navigator.wakeLock.request("screen");
      this.#lock.addEventListener("release", () => (this.#lock = null));
      if (!this.#seen.isOpen) this.#sleep();
    } catch {
      // A battery saver says no: the screen may go dark, and the talk pauses then.
    } finally {
      this.#isAsking = false;
    }
  }

  #sleep(): void {
    void this.#lock?.release();
    this.#lock = null;
  }

  #headset(): void {
    if (!("mediaSession" in navigator)) return;
    const { isOpen, isMuted } = this.#seen;
    const media = navigator.mediaSession;
    media.playbackState = isOpen ? "playing" : "none";
    this.#answer("hangup", isOpen ? this.#hooks.hangUp : null);
    this.#answer("togglemicrophone", isOpen ? this.#hooks.mute : null);
    if ("setMicrophoneActive" in media) void media.setMicrophoneActive(isOpen && !isMuted);
  }

  #answer(action: string, handler: (() => void) | null): void {
    try {
      navigator.mediaSession.setActionHandler(action as MediaSessionAction, handler);
    } catch {
      // This browser knows no such button.
    }
  }
}
