"""A small, strict Realtime server that plays what a test wrote down.

It knows the official package's types and holds every frame of the client against them, and it refuses what OpenAI refuses:
a second `response.create`, a truncation beyond the sound that was sent or of text, a commit under 100 ms, an item twice, the
output of a call that nobody made. What it refused stands in `refused`; a good client leaves it empty.
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from openai.types.realtime.realtime_client_event import RealtimeClientEvent
from pydantic import TypeAdapter, ValidationError
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Frame = dict[str, Any]
_CLIENT_EVENT: TypeAdapter[Any] = TypeAdapter(RealtimeClientEvent)
BYTES_PER_MS = 48


class Line:
    """One connection, from the server's side."""

    def __init__(self, server: "StrictServer", socket: ServerConnection, number: int) -> None:
        self.server = server
        self.number = number
        self.received: list[Frame] = []
        self.items: list[Frame] = []
        self.session: Frame = {"type": "realtime", "id": f"sess_{number}", "output_modalities": ["audio"]}
        self.active: str | None = None
        self.asides: list[str] = []
        """Responses beside the conversation that run."""
        self.sound_ms: dict[str, float] = {}
        self.buffer = bytearray()
        self.is_cancelled = False
        self.socket = socket
        self._said = 0
        self._tasks: list[asyncio.Task[None]] = []

    # ---- what a script says

    async def tell(self, kind: str, **fields: Any) -> None:
        self._said += 1
        await self.socket.send(json.dumps({"type": kind, "event_id": f"event_{self.number}_{self._said}", **fields}))

    async def again(self, kind: str, event_id: str, **fields: Any) -> None:
        """With an id of its own choice: to tell one thing twice."""
        await self.socket.send(json.dumps({"type": kind, "event_id": event_id, **fields}))

    async def close(self, code: int, reason: str = "") -> None:
        await self.socket.close(code, reason)

    async def refuse(self, code: int, error: str, message: str = "no") -> None:
        """An error and a close, as OpenAI refuses after the handshake."""
        await self.tell("error", error={"type": "invalid_request_error", "code": error, "message": message})
        await self.close(code, f"invalid_request_error.{error}")

    def cut(self) -> None:
        """The line is gone, without a word."""
        self.socket.transport.abort()

    def new_id(self, kind: str) -> str:
        self._said += 1
        return f"{kind}_{self.number}_{self._said}"

    async def add(self, item: Frame, *, is_done: bool = True) -> None:
        previous = self.items[-1]["id"] if self.items else None
        self.items.append(item)
        await self.tell("conversation.item.added", previous_item_id=previous, item=item)
        if is_done:
            await self.tell("conversation.item.done", previous_item_id=previous, item=item)

    async def begin(self) -> str:
        """A response, as the server begins one by itself or because it was asked."""
        self.active, self.is_cancelled = self.new_id("resp"), False
        await self.tell("response.created", response=self.response(self.active, "in_progress"))
        return self.active

    def response(self, response_id: str, status: str, **fields: Any) -> Frame:
        usage = {
            "input_tokens": 10,
            "output_tokens": 5,
            "total_tokens": 15,
            "input_token_details": {"text_tokens": 4, "audio_tokens": 6, "cached_tokens": 2},
            "output_token_details": {"text_tokens": 1, "audio_tokens": 4},
        }
        told = {"object": "realtime.response", "id": response_id, "status": status, "conversation_id": "conv_1"}
        return {"output": [], "metadata": None, "status_details": None, "usage": usage, **told, **fields}

    async def end(
        self, status: str = "completed", details: Frame | None = None, output: list[Frame] | None = None
    ) -> None:
        assert self.active is not None
        response_id, self.active = self.active, None
        shown = self.response(response_id, status, status_details=details, output=output or [])
        await self.tell("response.done", response=shown)

    async def open_message(self, item_id: str) -> Frame:
        item: Frame = {"id": item_id, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        await self.tell("response.output_item.added", response_id=self.active, output_index=0, item=item)
        await self.add(item, is_done=False)
        return item

    async def words(self, item_id: str, text: str, sound: bytes = b"") -> None:
        about = {"response_id": self.active, "item_id": item_id, "output_index": 0, "content_index": 0}
        if not sound:
            await self.tell("response.output_text.delta", **about, delta=text)
            return
        await self.tell("response.output_audio_transcript.delta", **about, delta=text)
        self.sound_ms[item_id] = self.sound_ms.get(item_id, 0) + len(sound) / BYTES_PER_MS
        await self.tell("response.output_audio.delta", **about, delta=base64.b64encode(sound).decode())

    async def close_message(
        self, item_id: str, text: str, *, is_spoken: bool = False, status: str = "completed"
    ) -> Frame:
        about = {"response_id": self.active, "item_id": item_id, "output_index": 0, "content_index": 0}
        if is_spoken:
            await self.tell("response.output_audio.done", **about)
            await self.tell("response.output_audio_transcript.done", **about, transcript=text)
        else:
            await self.tell("response.output_text.done", **about, text=text)
        part = {"type": "output_audio", "transcript": text} if is_spoken else {"type": "output_text", "text": text}
        item: Frame = {"id": item_id, "type": "message", "role": "assistant", "status": status, "content": [part]}
        self.items = [item if one["id"] == item_id else one for one in self.items]
        await self.tell("conversation.item.done", previous_item_id=None, item=item)
        await self.tell("response.output_item.done", response_id=self.active, output_index=0, item=item)
        return item

    async def answer(self, text: str, sound: bytes = b"") -> None:
        """A whole answer."""
        await self.begin()
        item_id = self.new_id("item")
        await self.open_message(item_id)
        words = text.split(" ")
        for place, word in enumerate(words):
            step = len(sound) // len(words) & ~1
            piece = sound[place * step : (place + 1) * step] if place < len(words) - 1 else sound[place * step :]
            await self.words(item_id, word if place == 0 else f" {word}", piece)
        item = await self.close_message(item_id, text, is_spoken=bool(sound))
        await self.end(output=[item])

    async def begin_aside(self, asked: Frame) -> str:
        """The response that a frame asks for beside the conversation, which has no items of it."""
        response_id = self.new_id("resp")
        self.asides.append(response_id)
        metadata = asked["response"]["metadata"]
        shown = self.response(response_id, "in_progress", conversation_id=None, metadata=metadata)
        await self.tell("response.created", response=shown)
        return response_id

    async def words_aside(self, response_id: str, text: str, sound: bytes) -> None:
        about = {"response_id": response_id, "item_id": f"of_{response_id}", "output_index": 0, "content_index": 0}
        item: Frame = {"id": about["item_id"], "type": "message", "role": "assistant", "content": []}
        await self.tell("response.output_item.added", response_id=response_id, output_index=0, item=item)
        await self.tell("response.output_audio_transcript.delta", **about, delta=text)
        await self.tell("response.output_audio.delta", **about, delta=base64.b64encode(sound).decode())

    async def end_aside(self, response_id: str, status: str = "completed", details: Frame | None = None) -> None:
        self.asides.remove(response_id)
        about = {"response_id": response_id, "item_id": f"of_{response_id}", "output_index": 0, "content_index": 0}
        if status == "completed":
            await self.tell("response.output_audio.done", **about)
        shown = self.response(response_id, status, conversation_id=None, status_details=details)
        await self.tell("response.done", response=shown)

    async def call(self, name: str, arguments: str = "{}", call_id: str | None = None) -> Frame:
        """A call within the response that runs, shown four times as OpenAI does."""
        item_id, call_id = self.new_id("item"), call_id or self.new_id("call")
        item: Frame = {"id": item_id, "type": "function_call", "name": name, "call_id": call_id}
        begun = {**item, "status": "in_progress", "arguments": ""}
        await self.tell("response.output_item.added", response_id=self.active, output_index=0, item=begun)
        await self.add(begun, is_done=False)
        about = {"response_id": self.active, "item_id": item_id, "output_index": 0, "call_id": call_id}
        await self.tell("response.function_call_arguments.delta", **about, delta=arguments)
        await self.tell("response.function_call_arguments.done", **about, name=name, arguments=arguments)
        done = {**item, "status": "completed", "arguments": arguments}
        self.items[-1] = done
        await self.tell("conversation.item.done", previous_item_id=None, item=done)
        await self.tell("response.output_item.done", response_id=self.active, output_index=0, item=done)
        return done

    async def heard(self, text: str | None, *, start_ms: int = 0, end_ms: int | None = None) -> str:
        """A spoken turn, from its start to its words. `text` None: the words come later."""
        item_id = self.new_id("item")
        await self.tell("input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=start_ms)
        end = self.buffer_ms if end_ms is None else end_ms
        await self.tell("input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=int(end))
        await self.commit(item_id)
        if text is not None:
            await self.tell(
                "conversation.item.input_audio_transcription.completed",
                item_id=item_id,
                content_index=0,
                transcript=text,
            )
        return item_id

    async def commit(self, item_id: str) -> None:
        previous = self.items[-1]["id"] if self.items else None
        await self.tell("input_audio_buffer.committed", item_id=item_id, previous_item_id=previous)
        content = [{"type": "input_audio", "transcript": None}]
        await self.add({"id": item_id, "type": "message", "role": "user", "status": "completed", "content": content})

    @property
    def buffer_ms(self) -> float:
        return len(self.buffer) / BYTES_PER_MS

    @property
    def texts(self) -> list[str]:
        """What stands in the conversation, in order."""
        return [text_of(item) for item in self.items]

    # ---- what the client says

    async def run(self) -> None:
        await self.tell("session.created", session={**self.session, "expires_at": self.server.expires_at})
        async for text in self.socket:
            frame: Frame = json.loads(text)
            self.received.append(frame)
            self.server.news.set()
            try:
                _CLIENT_EVENT.validate_python(frame)
            except ValidationError as error:
                await self._no("invalid_shape", str(error), frame)
                continue
            await self._do(frame)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _no(self, code: str, message: str, frame: Frame) -> None:
        self.server.refused.append(f"{code}: {message}")
        error = {"type": "invalid_request_error", "code": code, "message": message, "event_id": frame.get("event_id")}
        await self.tell("error", error=error)

    async def _do(self, frame: Frame) -> None:
        match frame["type"]:
            case "session.update":
                self.session |= frame["session"]
                await self.tell("session.updated", session=self.session)
                self._start(self.server.script.on_live(self))
            case "conversation.item.create":
                await self._create(frame)
            case "conversation.item.truncate":
                await self._truncate(frame)
            case "conversation.item.delete":
                if all(item["id"] != frame["item_id"] for item in self.items):
                    await self._no("item_delete_invalid_item_id", "no such item", frame)
                    return
                self.items = [item for item in self.items if item["id"] != frame["item_id"]]
                await self.tell("conversation.item.deleted", item_id=frame["item_id"])
            case "response.create" if frame.get("response", {}).get("conversation") == "none":
                self._start(self.server.script.on_aside(self, frame))
            case "response.cancel" if frame.get("response_id") in self.asides:
                self._start(self.server.script.on_cancel_aside(self, frame["response_id"]))
            case "response.create":
                if self.active is not None:
                    await self._no("conversation_already_has_active_response", f"{self.active} is active", frame)
                    return
                self.active = "asked"
                self._start(self.server.script.on_response(self))
            case "response.cancel":
                if self.active is None:
                    await self._no("response_cancel_not_active", "no active response found", frame)
                    return
                self.is_cancelled = True
                self._start(self.server.script.on_cancel(self))
            case "input_audio_buffer.append":
                self.buffer += base64.b64decode(frame["audio"], validate=True)
                await self.server.script.on_sound(self)
            case "input_audio_buffer.commit":
                if self.buffer_ms < 100:
                    await self._no("input_audio_buffer_commit_empty", f"only {self.buffer_ms:.0f}ms", frame)
                    return
                self.buffer.clear()
                await self.commit(self.new_id("item"))
            case _:
                self.buffer.clear()
                await self.tell("input_audio_buffer.cleared")

    async def _create(self, frame: Frame) -> None:
        item: Frame = {"id": frame["item"].get("id") or self.new_id("item"), **frame["item"]}
        if any(one["id"] == item["id"] for one in self.items):
            await self._no("item_exists", item["id"], frame)
            return
        if len(item["id"]) > 32:
            await self._no("string_above_max_length", item["id"], frame)
            return
        is_output = item["type"] == "function_call_output"
        if is_output and all(one.get("call_id") != item["call_id"] for one in self.items):
            await self._no("invalid_tool_call_id", item["call_id"], frame)
            return
        if is_output and any(
            one["type"] == "function_call_output" and one["call_id"] == item["call_id"] for one in self.items
        ):
            await self._no("output_twice", item["call_id"], frame)
            return
        await self.add(item if is_output else {**item, "status": "completed"})
        await self.server.script.on_item(self, item)

    async def _truncate(self, frame: Frame) -> None:
        sent, asked = self.sound_ms.get(frame["item_id"]), frame["audio_end_ms"]
        if sent is None:
            await self._no("unsupported_content_type", "Only model output audio messages can be truncated", frame)
        elif asked > sent or asked <= 0:
            await self._no("invalid_value", f"Audio content of {sent:.0f}ms is already shorter than {asked}ms", frame)
        else:
            self.sound_ms[frame["item_id"]] = asked
            await self.tell(
                "conversation.item.truncated", item_id=frame["item_id"], content_index=0, audio_end_ms=asked
            )

    def _start(self, work: Awaitable[None]) -> None:
        async def quietly() -> None:
            with contextlib.suppress(ConnectionClosed):
                await work

        self._tasks.append(asyncio.create_task(quietly()))


class Script:
    """What the server does; a test overrides what it is about. `line.number` counts connections from 1."""

    async def on_connect(self, line: Line) -> bool:
        """Before anything is said. False: the test has closed it."""
        return line.number > 0

    async def on_live(self, line: Line) -> None: ...

    async def on_item(self, line: Line, item: Frame) -> None: ...

    async def on_sound(self, line: Line) -> None: ...

    async def on_response(self, line: Line) -> None:
        await line.answer(f"Answer to {line.texts[-1]}.")

    async def on_aside(self, line: Line, frame: Frame) -> None:
        """A response beside the conversation was asked for."""
        raise AssertionError(f"line {line.number}: nothing was to be asked aside: {frame}")

    async def on_cancel_aside(self, line: Line, response_id: str) -> None:
        await line.end_aside(response_id, "cancelled", {"type": "cancelled", "reason": "client_cancelled"})

    async def on_cancel(self, line: Line) -> None:
        await line.end("cancelled", {"type": "cancelled", "reason": "client_cancelled"})


@dataclass
class StrictServer:
    script: Script
    url: str = ""
    expires_at: int = 0
    lines: list[Line] = field(default_factory=list[Line])
    refused: list[str] = field(default_factory=list[str])
    secrets: list[str] = field(default_factory=list[str])
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def line(self) -> Line:
        """The newest connection."""
        return self.lines[-1]

    def received(self, kind: str) -> list[Frame]:
        """Frames of a kind, over all connections."""
        return [frame for line in self.lines for frame in line.received if frame["type"] == kind]

    async def until(self, condition: Callable[[], bool], seconds: float = 5) -> None:
        """A bounded wait for what the client sends."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.news.clear()
                await self.news.wait()

    async def serve(self, socket: ServerConnection) -> None:
        line = Line(self, socket, len(self.lines) + 1)
        self.lines.append(line)
        offered = socket.request.headers.get("Sec-WebSocket-Protocol", "") if socket.request else ""
        self.secrets += [one.strip().rpartition(".")[2] for one in offered.split(",") if "insecure-api-key" in one]
        self.news.set()
        with contextlib.suppress(ConnectionClosed):
            if await self.script.on_connect(line):
                await line.run()
        line.stop()
        self.news.set()


@asynccontextmanager
async def strict_server(script: Script | None = None) -> AsyncGenerator[StrictServer]:
    server = StrictServer(script or Script())
    async with serve(server.serve, "127.0.0.1", 0, subprotocols=[Subprotocol("realtime")]) as listener:
        port = next(iter(listener.sockets)).getsockname()[1]
        server.url = f"ws://127.0.0.1:{port}/v1/realtime?model=m"
        yield server


def text_of(item: Frame) -> str:
    if item["type"] == "function_call":
        return f"{item['name']}({item['arguments']})"
    if item["type"] == "function_call_output":
        return f"= {item['output']}"
    return "".join(part.get("text") or part.get("transcript") or f"[{part['type']}]" for part in item["content"])
