/** Short words about what was just done, with an undo where there is one. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useId, useState } from "react";

import { Button, IconButton } from "./Button";

interface Word {
  text: string;
  undo?: () => void;
}

const SayContext = createContext<(text: string, undo?: () => void) => void>(() => undefined);

export const useSay = () => useContext(SayContext);

interface Places {
  word: Word | null;
  dismiss: () => void;
  /** Who may show it: the last that came, so a sheet before the page that lies behind it. */
  last: string | undefined;
  enter: (id: string) => () => void;
}

const PlacesContext = createContext<Places>({ word: null, dismiss: () => undefined, last: undefined, enter: () => () => undefined });

const SHOWN_MS = 8_000;

export function SaidProvider({ children }: { children: ReactNode }) {
  const [word, setWord] = useState<Word | null>(null);
  const [places, setPlaces] = useState<readonly string[]>([]);
  const say = useCallback((text: string, undo?: () => void) => setWord(undo ? { text, undo } : { text }), []);
  const dismiss = useCallback(() => setWord(null), []);
  const enter = useCallback((id: string) => {
    setPlaces((now) => [...now, id]);
    return () => setPlaces((now) => now.filter((one) => one !== id));
  }, []);
  useEffect(() => {
    if (word === null) return;
    let timer = setTimeout(() => setWord(null), SHOWN_MS);
    const longer = () => {
      clearTimeout(timer);
      timer = setTimeout(() => setWord(null), SHOWN_MS);
    };
    // Who is on the way to the undo with the keyboard gets there (WCAG 2.2.1).
    if (word.undo) document.addEventListener("keydown", longer);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("keydown", longer);
    };
  }, [word]);
  return (
    <SayContext value={say}>
      <PlacesContext value={{ word, dismiss, last: places.at(-1), enter }}>
        {children}
        <Said word={places.length === 0 ? word : null} dismiss={dismiss} />
      </PlacesContext>
    </SayContext>
  );
}

/** Where words stand while a sheet or a dialog is open: in it, since nothing outside it can be pressed or is read aloud. */
export function SaidHere() {
  const id = useId();
  const { word, dismiss, last, enter } = useContext(PlacesContext);
  useEffect(() => enter(id), [enter, id]);
  return <Said word={last === id ? word : null} dismiss={dismiss} />;
}

function Said({ word, dismiss }: { word: Word | null; dismiss: () => void }) {
  return (
    <div className="said" role="status">
      {word && (
        <div className="said-word">
          <p>{word.text}</p>
          {word.undo && (
            <Button
              small
              tone="quiet"
              onClick={() => {
                word.undo?.();
                dismiss();
              }}
            >
              Undo
            </Button>
          )}
          <IconButton label="Dismiss" icon="close" onClick={dismiss} />
        </div>
      )}
    </div>
  );
}
