import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Phone } from "./phone";

/** The screen's lock, as a browser gives it: it lets go by itself when the page is hidden. */
class Lock extends EventTarget {
  isReleased = false;
  release(): Promise<void> {
    this.isReleased = true;
    this.dispatchEvent(new Event("release"));
    return Promise.resolve();
  }
}

class Page extends EventTarget {
  visibilityState = "visible";
}

const told: string[] = [];
let page: Page;
let locks: Lock[];
let buttons: Map<string, (() => void) | null>;
let isRefused: boolean;
let media: { playbackState: string; setActionHandler: (name: string, handler: (() => void) | null) => void; setMicrophoneActive: (isActive: boolean) => Promise<void> };
let microphone: boolean[];

beforeEach(() => {
  told.length = 0;
  page = new Page();
  locks = [];
  buttons = new Map();
  microphone = [];
  isRefused = false;
  media = {
    playbackState: "none",
    setActionHandler: (name, handler) => void buttons.set(name, handler),
    setMicrophoneActive: (isActive) => (microphone.push(isActive), Promise.resolve()),
  };
  const request = (): Promise<Lock> => {
    if (isRefused) return Promise.reject(new DOMException("", "NotAllowedError"));
    const lock = new Lock();
    locks.push(lock);
    return Promise.resolve(lock);
  };
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("navigator", { wakeLock: { request }, mediaSession: media });
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
});
afterEach(() => vi.unstubAllGlobals());

const settled = () => new Promise<void>((resolve) => setTimeout(resolve));
const talking = { isOpen: true, isMuted: false, hadMicrophone: true };
const still = { ...talking, isOpen: false };

function phone(): Phone {
  const say = (word: string) => () => void told.push(word);
  return new Phone({ pause: (reason) => void told.push(`pause: ${reason}`), hurry: say("hurry"), flush: say("flush"), hangUp: say("hang up"), mute: say("mute") });
}

async function become(state: "hidden" | "visible"): Promise<void> {
  page.visibilityState = state;
  if (state === "hidden") await Promise.all(locks.filter((lock) => !lock.isReleased).map((lock) => lock.release()));
  page.dispatchEvent(new Event("visibilitychange"));
  await settled();
}

describe("the screen", () => {
  it("stays awake while a talk is open, and one lock is enough", async () => {
    const one = phone();
    one.follow(talking);
    one.follow({ ...talking, isMuted: true });
    await settled();
    one.follow(talking);
    await settled();
    expect(locks.map((lock) => lock.isReleased)).toEqual([false]);
    one.follow(still);
    expect(locks.map((lock) => lock.isReleased)).toEqual([true]);
  });

  it("is asked for anew when the page is shown again", async () => {
    phone().follow(talking);
    await settled();
    await become("hidden");
    expect(told).toEqual(["pause: hidden"]);
    expect(locks.map((lock) => lock.isReleased)).toEqual([true]);
    await become("visible");
    expect(locks.map((lock) => lock.isReleased)).toEqual([true, false]);
  });

  it("may sleep when the talk ended meanwhile", async () => {
    const one = phone();
    one.follow(talking);
    await settled();
    await become("hidden");
    one.follow(still);
    await become("visible");
    expect(locks).toHaveLength(1);
  });

  it("is let go when the talk ends before the browser has answered", async () => {
    const one = phone();
    one.follow(talking);
    one.follow(still);
    await settled();
    expect(locks.map((lock) => lock.isReleased)).toEqual([true]);
  });

  it("goes dark where a battery saver says no, and is asked for again later", async () => {
    isRefused = true;
    phone().follow(talking);
    await settled();
    isRefused = false;
    await become("visible");
    expect(locks.map((lock) => lock.isReleased)).toEqual([false]);
  });
});

describe("a headset", () => {
  it("mutes and hangs up while a talk is open, and is told what is muted", () => {
    const one = phone();
    one.follow(talking);
    buttons.get("togglemicrophone")?.();
    buttons.get("hangup")?.();
    expect(told).toEqual(["mute", "hang up"]);
    one.follow({ ...talking, isMuted: true });
    expect([media.playbackState, microphone]).toEqual(["playing", [true, false]]);
    one.follow(still);
    expect([...buttons]).toEqual([
      ["hangup", null],
      ["togglemicrophone", null],
    ]);
    expect([media.playbackState, microphone.at(-1)]).toEqual(["none", false]);
  });

  it("keeps the buttons that a browser does know", () => {
    media.setActionHandler = (name, handler) => {
      if (name === "hangup") throw new TypeError("unknown action");
      buttons.set(name, handler);
    };
    phone().follow(talking);
    expect(buttons.get("togglemicrophone")).not.toBeNull();
    expect([...buttons.keys()]).toEqual(["togglemicrophone"]);
  });
});
