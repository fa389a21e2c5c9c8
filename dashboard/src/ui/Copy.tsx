import { useState } from "react";

import { Button } from "./Button";

/** Copies; says that it did. Away from HTTPS there is no clipboard, so it selects nothing and says so. */
export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [said, setSaid] = useState<string | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      setSaid("Select it and copy by hand");
    }
  };
  return (
    <Button small onClick={copy} aria-live="polite">
      {said ?? label}
    </Button>
  );
}

/** The id by which whoever runs the server finds a failure in its log. */
export function RequestId({ id }: { id: string }) {
  return (
    <>
      <code className="small" aria-label="Request id">
        {id}
      </code>
      <CopyButton text={id} label="Copy the id" />
    </>
  );
}

/** A secret that is shown this once. */
export function SecretOnce({ label, text }: { label: string; text: string }) {
  return (
    <div className="secret">
      <code aria-label={label}>{text}</code>
      <CopyButton text={text} />
    </div>
  );
}
