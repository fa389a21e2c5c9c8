import { type ReactNode, useState } from "react";

import type { Problem } from "~/api/problem";

import { Button } from "./Button";
import { TextField } from "./Field";
import { ProblemNotice } from "./Notice";
import { Modal } from "./Sheet";

interface Props {
  title: string;
  /** What the button says: the verb. */
  verb: string;
  /** What has to be typed first, where nothing brings it back. */
  typed?: string;
  busy: boolean;
  problem: Problem | null;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}

export function Confirm({ title, verb, typed, busy, problem, onConfirm, onClose, children }: Props) {
  const [text, setText] = useState("");
  const [isWrong, setWrong] = useState(false);
  return (
    <Modal title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed !== undefined && text.trim() !== typed) setWrong(true);
          else if (!busy) onConfirm();
        }}
      >
        {children}
        {problem && <ProblemNotice failure={problem} />}
        {typed !== undefined && (
          <TextField
            label={`Type ${typed} to go on`}
            value={text}
            autoComplete="off"
            autoFocus
            error={isWrong ? `This must be ${typed}.` : undefined}
            onChange={(event) => {
              setText(event.target.value);
              setWrong(false);
            }}
          />
        )}
        <div className="row">
          <Button type="submit" tone="danger" busy={busy}>
            {verb}
          </Button>
          <Button onClick={onClose}>Keep it</Button>
        </div>
      </form>
    </Modal>
  );
}
