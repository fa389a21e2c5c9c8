import { describe, expect, it } from "vitest";

import { mayFollow, Machine, type Phase } from "./machine";
import { Sequencer } from "./responses";

function sequencer() {
  let asked = 0;
  const one = new Sequencer(() => asked++);
  one.open();
  return { one, asked: () => asked };
}

describe("the sequencer", () => {
  it("has one answer in flight, and asks for the next when it has ended", () => {
    const { one, asked } = sequencer();
    one.wish(["a"]);
    one.wish(["b"]);
    expect(asked()).toBe(1);
    one.started("r1");
    one.ended("r1");
    expect(asked()).toBe(2);
  });

  it("does not ask for what an answer of the server fulfils", () => {
    const { one, asked } = sequencer();
    one.started("by itself");
    one.wish(["a"]);
    one.ended("by itself");
    expect(asked()).toBe(1);
    one.confirmed("a");
    one.started("r2");
    one.ended("r2");
    expect(asked()).toBe(1);
  });

  it("asks again when it was refused because another one ran", () => {
    const { one, asked } = sequencer();
    one.wish(["a"]);
    expect(one.refused("conversation_already_has_active_response")).toBe(true);
    one.started("other");
    expect(asked()).toBe(1);
    one.ended("other");
    expect(asked()).toBe(2);
  });

  it("wishes nothing without a connection", () => {
    const { one, asked } = sequencer();
    one.close();
    one.wish();
    one.open();
    expect(asked()).toBe(0);
    expect(one.isBusy).toBe(false);
  });
});

describe("the machine", () => {
  const phases: Phase[] = ["idle", "preparing", "connecting", "configuring", "replaying", "live", "reconnecting", "recycling", "paused"];

  it.each(phases)("%s may end and may fail", (phase) => {
    expect(mayFollow(phase, "ending")).toBe(true);
    expect(mayFollow(phase, "failed")).toBe(true);
  });

  it("leaves nothing that is over", () => {
    for (const phase of phases) {
      expect(mayFollow("ended", phase)).toBe(false);
      expect(mayFollow("failed", phase)).toBe(false);
    }
  });

  it("counts connections and refuses leaps", () => {
    const machine = new Machine(() => undefined);
    expect(() => machine.to("live")).toThrow();
    machine.to("preparing");
    machine.to("connecting");
    machine.to("reconnecting");
    machine.to("connecting");
    expect(machine.state.epoch).toBe(2);
  });
});
