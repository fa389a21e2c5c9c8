/** The line as a WebSocket, with the secret in the subprotocols as OpenAI has it for browsers. */
import { isFrame } from "../protocol/codec";
import { known } from "../core/errors";
import type { OpenTransport, Token, Transport, TransportEvents } from "../core/ports";

const OPEN_MS = 10_000;

/** Where the socket is. The sandbox is at the server's own origin, which this browser may know by another name. */
export function addressOf(token: Token, here: { protocol: string; host: string }): string {
  if (token.keySource !== "sandbox") return token.websocketUrl;
  const url = new URL(token.websocketUrl);
  return `${here.protocol === "https:" ? "wss:" : "ws:"}//${here.host}${url.pathname}${url.search}`;
}

export const openWebSocket: OpenTransport = (token: Token, events: TransportEvents, signal: AbortSignal) =>
  new Promise<Transport>((resolve, reject) => {
    const socket = new WebSocket(addressOf(token, location), ["realtime", `openai-insecure-api-key.${token.clientSecret}`]);
    let isOpen = false;
    let isClosed = false;
    const give = () => {
      if (!isOpen) reject(known("socket_blocked"));
      socket.close();
    };
    const timer = setTimeout(give, OPEN_MS);
    signal.addEventListener("abort", give, { once: true });
    const closed = (code: number) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", give);
      if (isClosed) return;
      isClosed = true;
      if (isOpen) events.closed(code);
      else reject(known("socket_blocked"));
    };
    socket.addEventListener("open", () => {
      clearTimeout(timer);
      isOpen = true;
      resolve({
        send: (frame) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(frame)),
        get backlog() {
          return socket.bufferedAmount;
        },
        close: () => {
          socket.close(1000);
          closed(1000); // A half-open line never answers the closing.
        },
      });
    });
    socket.addEventListener("message", (message: MessageEvent<unknown>) => {
      if (typeof message.data !== "string" || isClosed) return;
      let frame: unknown;
      try {
        frame = JSON.parse(message.data);
      } catch {
        return; // A proxy's noise; the protocol has JSON only.
      }
      if (isFrame(frame)) events.frame(frame);
    });
    socket.addEventListener("close", (event) => closed(event.code));
    if (signal.aborted) give();
  });
