"""One item of a conversation: what it says, how it is shown, how it is written down."""

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from opencto.sandbox import tokens
from opencto.sandbox.errors import invalid_value, not_in_sandbox
from opencto.sandbox.ports import BYTES_PER_MS
from opencto.sandbox.realtime import events
from opencto.sandbox.realtime.buffer import decode, decoder, encoder
from opencto.sandbox.realtime.shelf import Row, Shelf
from opencto.sandbox.realtime.sound import Sound
from opencto.sandbox.session import Format

_MS_PER_TOKEN = 100
_MS_PER_SPOKEN_TOKEN = 50
"""OpenAI counts what its model says twice as finely as what it hears."""
_CONTENT_OF_ROLE = {
    "user": ("input_text", "input_audio", "input_image"),
    "system": ("input_text",),
    "assistant": ("output_text",),
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a spoken answer, and where in its sound it ends."""

    text: str
    end_ms: int


@dataclass(slots=True)
class Item:
    """`wire` as it is shown; the sound of its parts stands beside it, as PCM, because only `retrieve` shows it."""

    wire: dict[str, Any]
    sound: dict[int, Sound] = field(default_factory=dict[int, Sound])
    words: dict[int, str] = field(default_factory=dict[int, str])
    """What the ears made of a part that nobody wrote down."""
    clauses: list[Clause] = field(default_factory=list[Clause])
    cut_ms: int | None = None
    """Where a spoken answer was truncated: nothing after it was heard."""
    is_awaited: bool = False
    """Somebody is about to write into it."""
    _tokens: int | None = None

    @property
    def id(self) -> str:
        return self.wire["id"]

    @property
    def type(self) -> str:
        return self.wire["type"]

    @property
    def sound_ms(self) -> int:
        return self.sound_bytes // BYTES_PER_MS

    @property
    def sound_bytes(self) -> int:
        return sum(map(len, self.sound.values()))

    @property
    def is_answer(self) -> bool:
        return self.wire.get("role") == "assistant"

    @property
    def is_over(self) -> bool:
        """False for an answer that is on its way."""
        return self.wire.get("status") != "in_progress"

    @property
    def may_rest(self) -> bool:
        """Nobody changes it any more, unless it is asked for by its id."""
        return self.is_over and not self.is_awaited

    def unheard(self) -> list[int]:
        """The parts with sound that nobody wrote down and no ears have heard yet."""
        if self.is_answer:
            return []
        return [
            index
            for index, part in enumerate(self.wire.get("content", ()))
            if part.get("transcript", "") is None and index not in self.words
        ]

    def text(self) -> str:
        """What it says, as far as that is known. Of an answer that was cut: what was heard of it, and “…”."""
        match self.type:
            case "message":
                if self.cut_ms is not None:
                    return f"{heard_until(self.clauses, self.cut_ms)}…"
                parts: list[dict[str, Any]] = self.wire["content"]
                return "\n".join(
                    part.get("text") or part.get("transcript") or self.words.get(index, "")
                    for index, part in enumerate(parts)
                )
            case "function_call":
                return f"{self.wire['name']}{self.wire['arguments']}"
            case _:
                return self.wire["output"]

    def written(self) -> str:
        """What of it counts as text: what was spoken counts as sound."""
        if self.type == "message":
            return "\n".join(part.get("text") or "" for part in self.wire["content"])
        return self.text()

    def written_tokens(self) -> int:
        """Counted once when it is over: each response asks every item before it."""
        if not self.is_over:
            return tokens.count(self.written())
        if self._tokens is None:
            self._tokens = tokens.count(self.written())
        return self._tokens

    def tokens(self) -> tuple[int, int]:
        """Of text and of sound, where it is read."""
        sound = self.sound_ms // (_MS_PER_SPOKEN_TOKEN if self.is_answer else _MS_PER_TOKEN)
        return tokens.PER_MESSAGE + self.written_tokens(), sound

    def cut(self, end_ms: int) -> None:
        """End a spoken answer there; its transcript goes, because nobody heard all of it."""
        self.cut_ms = end_ms
        self.sound[0].cut(end_ms * BYTES_PER_MS)
        for part in self.wire["content"]:
            part.pop("transcript", None)

    def whole(self, audio_format: Format) -> dict[str, Any]:
        """With its sound."""
        if not self.sound:
            return self.wire
        content = [dict(part) for part in self.wire["content"]]
        for index, sound in self.sound.items():
            if index < len(content):  # an answer on its way has none yet
                content[index]["audio"] = base64.b64encode(encoder(audio_format)(sound.read())).decode()
        return {**self.wire, "content": content}

    def row(self) -> Row:
        """As it lies on the shelf, when all its sound does."""
        body = {
            "wire": self.wire,
            "sound": [[index, *sound.place] for index, sound in self.sound.items()],
            "words": list(self.words.items()),
            "clauses": [[clause.text, clause.end_ms] for clause in self.clauses],
            "cut_ms": self.cut_ms,
            "tokens": self.written_tokens(),
        }
        call_id = self.wire["call_id"] if self.type == "function_call" else None
        return Row(self.id, call_id, self.wire.get("role") == "system", self.tokens(), json.dumps(body))

    @classmethod
    def taken_from(cls, shelf: Shelf, body: str) -> "Item":
        found = json.loads(body)
        return cls(
            found["wire"],
            sound={index: Sound.on(shelf, key, length) for index, key, length in found["sound"]},
            words=dict(found["words"]),
            clauses=[Clause(text, end_ms) for text, end_ms in found["clauses"]],
            cut_ms=found["cut_ms"],
            _tokens=found["tokens"],
        )


def heard_until(clauses: list[Clause], moment_ms: int) -> str:
    """The words of the clauses that were over by then, and of the one that was not its share of words."""
    heard = ""
    begin_ms = 0
    for clause in clauses:
        if clause.end_ms > moment_ms:
            share = (moment_ms - begin_ms) / (clause.end_ms - begin_ms)
            words = clause.text.split()
            return f"{heard}{' '.join(words[: int(share * len(words))])}".rstrip()
        heard += clause.text
        begin_ms = clause.end_ms
    return heard.rstrip()


def new_id() -> str:
    return f"item_{secrets.token_hex(12)}"


def made(asked: events.Message | events.FunctionCall | events.FunctionCallOutput, audio_format: Format) -> Item:
    """The item that a client described. Raises ApiError."""
    wire: dict[str, Any] = {"id": asked.id or new_id(), "type": asked.type}
    if isinstance(asked, events.FunctionCallOutput):
        return Item({**wire, "call_id": asked.call_id, "output": asked.output})
    wire["status"] = "completed"
    if isinstance(asked, events.FunctionCall):
        call_id = asked.call_id or f"call_{secrets.token_hex(12)}"
        return Item({**wire, "name": asked.name, "call_id": call_id, "arguments": asked.arguments})
    allowed = _CONTENT_OF_ROLE[asked.role]
    content: list[dict[str, Any]] = []
    item = Item({**wire, "role": asked.role, "content": content})
    for index, part in enumerate(asked.content):
        if part.type not in allowed:
            raise invalid_value(
                f"item.content[{index}].type",
                f"Invalid value: '{part.type}'. Supported values are: {' and '.join(repr(one) for one in allowed)}.",
            )
        if isinstance(part, events.InputImage):
            raise not_in_sandbox(f"item.content[{index}]", "pictures")
        if isinstance(part, events.InputAudio):
            sound = decode(part.audio, audio_format, f"item.content[{index}].audio")
            item.sound[index] = Sound(decoder(audio_format)(sound))
            content.append({"type": part.type, "transcript": part.transcript})
        else:
            content.append({"type": part.type, "text": part.text})
    return item


def spoken(item_id: str, pcm: bytes) -> Item:
    """The user's item out of committed sound."""
    content = [{"type": "input_audio", "transcript": None}]
    wire = {"id": item_id, "type": "message", "status": "completed", "role": "user", "content": content}
    return Item(wire, {0: Sound(pcm)})
