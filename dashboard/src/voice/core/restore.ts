/** What a new line is told before it takes over, and what is due on it. */
import { createItem } from "../protocol/frames";
import type { Capture } from "./capture";
import type { Connection } from "./connection";
import { itemsOf } from "./conversation";
import { newId } from "./ports";
import { replay } from "./reconnect";
import type { Turns } from "./turns";

/** Sends what was said. Gives what asks for the answers that are due, to be called when the line is the one in use. */
export function tellAgain(turns: Turns, capture: Capture, connection: Connection, isFirst: boolean): () => void {
  const told = replay(turns.conversation, newId("anchor"), (item) => capture.soundOf(item.id), turns.runner.running > 0, turns.asides.notes.text);
  // The anchor says that this goes on; the first line has nothing to go on with.
  const items = isFirst ? told.items.slice(1) : told.items;
  for (const item of items) connection.send(createItem(item));
  const outputs = new Set(itemsOf(turns.conversation).flatMap((item) => (item.kind === "output" && item.callId ? [item.callId] : [])));
  const untold = turns.runner.untold(outputs);
  return () => {
    if (untold.length > 0) turns.tellOutputs(untold);
    else if (told.owes) turns.sequencer.wish(items.slice(-1).map((item) => String(item.id)));
  };
}
