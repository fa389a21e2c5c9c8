/** The state of the five checks: which runs, what each found. One at a time: they share an ear and a mouth. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";

import type { Talk } from "~/features/talk/talk";
import { asVoiceError } from "~/voice/core/errors";

import { echo, line, microphone, model, output } from "./measure";
import type { Link, Verdict } from "./verdicts";

/** What sounds comes before the one that asks, which needs a press of its own on some phones. */
const AT_ONCE: readonly Link[] = ["microphone", "echo", "line", "model"];

export interface Checks {
  running: Link | null;
  verdicts: Partial<Record<Link, Verdict>>;
  /** 0 to 1, while the microphone is listened to. */
  level: number;
  /** Set while the person is asked whether the notes were heard. */
  answer: ((wasHeard: boolean) => void) | null;
  run: (links: readonly Link[]) => Promise<void>;
  runAll: () => Promise<void>;
  forget: (link: Link) => void;
}

export function useChecks(talk: Talk, mayTalk: boolean): Checks {
  const [running, setRunning] = useState<Link | null>(null);
  const [verdicts, setVerdicts] = useState<Checks["verdicts"]>({});
  const [level, setLevel] = useState(0);
  const [answer, setAnswer] = useState<Checks["answer"]>(null);
  const leaving = useRef<AbortController | null>(null);
  useEffect(() => {
    const page = (leaving.current = new AbortController());
    return () => page.abort();
  }, []);

  const asked = useCallback(
    () =>
      new Promise<boolean>((resolve) => {
        setAnswer(() => (wasHeard: boolean) => {
          setAnswer(null);
          resolve(wasHeard);
        });
      }),
    [],
  );

  const measures = useMemo<Record<Link, (signal: AbortSignal) => Promise<Verdict>>>(
    () => ({
      microphone: (signal) => microphone(talk, signal, (value) => setLevel(Math.min(1, Math.max(0, (Math.log10(value + 1) - 1) / 3)))),
      echo: (signal) => echo(talk, signal),
      line,
      model: (signal) => model(talk, signal),
      output: (signal) => output(talk, signal, asked),
    }),
    [talk, asked],
  );

  const run = useCallback(
    async (links: readonly Link[]) => {
      const signal = leaving.current?.signal;
      if (!signal || talk.isOpen) return;
      for (const link of links) {
        setRunning(link);
        setVerdicts((before) => ({ ...before, [link]: undefined }));
        const verdict = await measures[link](signal).catch((failure: unknown): Verdict => {
          const why = asVoiceError(failure);
          return { tone: "danger", said: why.message, todo: why.todo, figures: [] };
        });
        if (signal.aborted) return;
        setVerdicts((before) => ({ ...before, [link]: verdict }));
      }
      setRunning(null);
    },
    [talk, measures],
  );

  const runAll = useCallback(() => run(mayTalk ? AT_ONCE : AT_ONCE.filter((link) => link !== "model")), [run, mayTalk]);
  const forget = useCallback((link: Link) => setVerdicts((before) => ({ ...before, [link]: undefined })), []);
  return { running, verdicts, level, answer, run, runAll, forget };
}
