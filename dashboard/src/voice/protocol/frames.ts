/** What this side says to OpenAI. */
import { base64Of } from "./base64";
import type { Frame, Role } from "./events";

export const sessionUpdate = (session: Frame): Frame => ({ type: "session.update", session: { type: "realtime", ...session } });
export const append = (pcm: Uint8Array): Frame => ({ type: "input_audio_buffer.append", audio: base64Of(pcm) });
export const commit = (): Frame => ({ type: "input_audio_buffer.commit" });
export const clear = (): Frame => ({ type: "input_audio_buffer.clear" });
export const createItem = (item: Frame): Frame => ({ type: "conversation.item.create", item });
export const respond = (): Frame => ({ type: "response.create" });
/** An answer to what is given here instead of the whole conversation; it becomes part of the conversation all the same. */
export const respondTo = (input: readonly Frame[]): Frame => ({ type: "response.create", response: { input } });
/** An answer that belongs to no conversation. */
export const respondAside = (response: Frame): Frame => ({ type: "response.create", response: { conversation: "none", ...response } });
export const cancel = (responseId: string): Frame => ({ type: "response.cancel", response_id: responseId });
export const remove = (itemId: string): Frame => ({ type: "conversation.item.delete", item_id: itemId });

export const truncate = (itemId: string, heardMs: number): Frame => ({
  type: "conversation.item.truncate",
  item_id: itemId,
  content_index: 0,
  audio_end_ms: heardMs,
});

/** An assistant's words go back as `output_text`: its sound cannot be given back. */
export const message = (id: string, role: Role, text: string): Frame => ({
  id,
  type: "message",
  role,
  content: [{ type: role === "assistant" ? "output_text" : "input_text", text }],
});

/** What the user said, where nobody has written it down yet. */
export const spokenMessage = (id: string, pcm: Uint8Array): Frame => ({
  id,
  type: "message",
  role: "user",
  content: [{ type: "input_audio", audio: base64Of(pcm) }],
});

export const functionCall = (id: string, callId: string, name: string, args: string): Frame => ({
  id,
  type: "function_call",
  call_id: callId,
  name,
  arguments: args,
});

export const functionOutput = (id: string, callId: string, output: string): Frame => ({
  id,
  type: "function_call_output",
  call_id: callId,
  output,
});
