import { count } from "~/ui/format";

import type { Latency, Session } from "./api";

/** From the mint to the end, or to the last that was heard of it. */
export function lengthOf({ createdAt, endedAt, lastEventAt }: Pick<Session, "createdAt" | "endedAt" | "lastEventAt">): string {
  const last = endedAt ?? lastEventAt;
  if (!last) return "–";
  const seconds = Math.max(0, Math.round((Date.parse(last) - Date.parse(createdAt)) / 1000));
  return seconds < 60 ? `${seconds} s` : `${count(Math.floor(seconds / 60))} min ${seconds % 60} s`;
}

export const METRICS: Record<Latency["metric"], string> = {
  connect: "To connect",
  first_listen: "To the first listening",
  eos_to_first_sound: "From your last word to the first sound",
  eot_delay: "To notice that you are done",
  ttfa_model: "The model's first audio",
  render_delay: "To play it",
  bargein_stop: "To fall silent when interrupted",
  bargein_total: "The whole interruption",
  tool_wall: "A tool",
  tool_dead_air: "Silence during a tool",
  underruns: "Gaps in the sound",
  drift: "Drift of the sound",
};

/** Arguments and outputs are JSON text more often than not: shown indented where they are. */
export function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
