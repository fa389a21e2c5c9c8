import { type SyntheticEvent, useState } from "react";

import { Button } from "~/ui/Button";

import type { Talk } from "./talk";

/** Always there: voice is never the only way. */
export function TypeBox({ talk }: { talk: Talk }) {
  const [text, setText] = useState("");
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    const question = text.trim();
    if (!question) return;
    setText("");
    void talk.ask(question);
  };
  return (
    <form className="talk-type" onSubmit={send}>
      <label className="sr" htmlFor="talk-text">
        Write instead
      </label>
      <input id="talk-text" value={text} onChange={(event) => setText(event.target.value)} placeholder="Write instead…" autoComplete="off" maxLength={8_000} enterKeyHint="send" />
      <Button type="submit" tone="primary">
        Send
      </Button>
    </form>
  );
}
