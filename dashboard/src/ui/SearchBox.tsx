import { useEffect, useState } from "react";

import { Icon } from "./icons";

const PAUSE_MS = 250;

/** Narrows a list on the server, a moment after the last key. */
export function SearchBox({ label, value, onChange }: { label: string; value: string; onChange: (text: string) => void }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onChange(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);
  return (
    <div className="search-box">
      <Icon name="search" size={18} />
      <input type="search" aria-label={label} placeholder={label} value={typed} onChange={(event) => setTyped(event.target.value)} />
    </div>
  );
}
