import { useState } from "react";

/** What is typed over what is true: a field that nobody has touched shows what the server says, also when that changes. */
export function useDraft<Values extends object>(truth: Values) {
  const [typed, setTyped] = useState<Partial<Values>>({});
  return {
    values: { ...truth, ...typed },
    write: (changed: Partial<Values>) => setTyped((now) => ({ ...now, ...changed })),
    /** What was sent is true now; what was typed since stays. */
    settle: (sent: Values) => setTyped((now) => without(now, sent)),
    /** What is true is shown again. */
    forget: () => setTyped({}),
  };
}

function without<Values extends object>(typed: Partial<Values>, sent: Values): Partial<Values> {
  const names = Object.keys(typed) as (keyof Values)[];
  return Object.fromEntries(names.filter((name) => typed[name] !== sent[name]).map((name) => [name, typed[name]])) as Partial<Values>;
}
