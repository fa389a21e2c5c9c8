"""Histories to try the reducer on: those on disk, and made-up ones of any length."""

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from opencto.client.realtime.codec import recall
from opencto.client.realtime.conversation import Conversation
from opencto.client.realtime.reducer import reduce

FOLDER = Path(__file__).parents[2] / "fixtures" / "realtime"
FILES = sorted(FOLDER.glob("*.json"))
Frame = dict[str, Any]


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


def after(frames: list[Frame]) -> Conversation:
    conversation = Conversation()
    for frame in frames:
        conversation = reduce(conversation, recall(frame))
    return conversation


@st.composite
def turns(draw: st.DrawFn) -> list[Frame]:
    """A conversation on one connection: spoken and written turns, answers, calls of tools, interruptions; in right order."""
    script = Script()
    for _ in range(draw(st.integers(1, 6))):
        script.question(is_spoken=draw(st.booleans()), is_heard=draw(st.booleans()))
        for _ in range(draw(st.integers(0, 2))):
            script.call()
        if draw(st.booleans()):
            script.answer(draw(st.lists(st.text("ab ", min_size=1, max_size=5), min_size=1, max_size=4)))
            if draw(st.booleans()):
                script.interrupted()
    return script.frames


class Script:
    """Writes events as a server would send them."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._last: str | None = None
        self._items = 0

    def _tell(self, kind: str, **fields: Any) -> None:
        self.frames.append({"type": kind, "event_id": f"event_{len(self.frames)}", **fields})

    def _next(self) -> str:
        self._items += 1
        return f"item_{self._items:03}"

    def _stand(self, item: Frame, *, is_done: bool = True) -> None:
        self._tell("conversation.item.added", previous_item_id=self._last, item=item)
        if is_done:
            self._tell("conversation.item.done", previous_item_id=None, item=item)
        self._last = item["id"]

    def question(self, *, is_spoken: bool, is_heard: bool) -> None:
        item_id = self._next()
        item: Frame = {"id": item_id, "type": "message", "role": "user", "status": "completed"}
        if not is_spoken:
            self._stand({**item, "content": [{"type": "input_text", "text": f"written {item_id}"}]})
            return
        self._tell("input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=0)
        self._tell("input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=900)
        self._tell("input_audio_buffer.committed", item_id=item_id, previous_item_id=self._last)
        self._stand({**item, "content": [{"type": "input_audio", "transcript": None}]})
        about: Frame = {"item_id": item_id, "content_index": 0}
        name = "conversation.item.input_audio_transcription"
        if is_heard:
            self._tell(f"{name}.delta", **about, delta="spo")
            self._tell(f"{name}.completed", **about, transcript=f"spoken {item_id}")
        else:
            self._tell(f"{name}.failed", **about, error={"code": "x", "message": "no"})

    def call(self) -> None:
        item_id = self._next()
        call_id, response_id = f"call_{item_id}", f"resp_{item_id}"
        item: Frame = {"id": item_id, "type": "function_call", "name": "look", "call_id": call_id}
        self._tell("response.created", response={"id": response_id, "conversation_id": "conv_1"})
        self._stand({**item, "status": "in_progress", "arguments": ""}, is_done=False)
        done = {**item, "status": "completed", "arguments": "{}"}
        self._tell("conversation.item.done", previous_item_id=None, item=done)
        self._tell("response.output_item.done", response_id=response_id, output_index=0, item=done)
        self._tell("response.done", response={"id": response_id, "status": "completed", "conversation_id": "conv_1"})
        self._stand({"id": self._next(), "type": "function_call_output", "call_id": call_id, "output": "1"})

    def answer(self, words: list[str]) -> None:
        item_id = self._next()
        response_id, text = f"resp_{item_id}", "".join(words)
        item: Frame = {"id": item_id, "type": "message", "role": "assistant"}
        self._tell("response.created", response={"id": response_id, "conversation_id": "conv_1"})
        self._stand({**item, "status": "in_progress", "content": []}, is_done=False)
        about: Frame = {"response_id": response_id, "item_id": item_id, "content_index": 0}
        for word in words:
            self._tell("response.output_audio_transcript.delta", **about, delta=word)
            self._tell("response.output_audio.delta", **about, delta="AAAA" * 8)
        self._tell("response.output_audio_transcript.done", **about, transcript=text)
        done = {**item, "status": "completed", "content": [{"type": "output_audio", "transcript": text}]}
        self._tell("conversation.item.done", previous_item_id=None, item=done)
        self._tell("response.done", response={"id": response_id, "status": "completed", "conversation_id": "conv_1"})

    def interrupted(self) -> None:
        assert self._last is not None
        self._tell("opencto.interrupted", item_id=self._last, heard_ms=0)
        self._tell("conversation.item.truncated", item_id=self._last, content_index=0, audio_end_ms=0)
