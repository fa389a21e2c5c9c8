"""One response: from `response.created` to `response.done`."""

import asyncio
import logging
import secrets
from dataclasses import dataclass, replace
from typing import Any

import anyio
from starlette.concurrency import run_in_threadpool

from opencto.core.clock import Clock
from opencto.sandbox import mind as minds
from opencto.sandbox.errors import ApiError, server_error
from opencto.sandbox.keys import Key
from opencto.sandbox.ports import Answering, Calls, CannotHearError, Conversation, Said, Say, Voice
from opencto.sandbox.realtime.entries import conversation
from opencto.sandbox.realtime.hearing import Hearing
from opencto.sandbox.realtime.items import Items
from opencto.sandbox.realtime.order import Order
from opencto.sandbox.realtime.outbox import Outbox
from opencto.sandbox.realtime.progress import Progress, Reason, Stopped
from opencto.sandbox.realtime.trouble import Trouble, Troubles
from opencto.sandbox.store import Room, Store, Used

DEAF = f"I am {minds.NAME}, and I cannot hear what you said: I have no ears here. Install them with opencto[local], or write to me instead. {minds.ADD_A_KEY}"
_ASSUMED_OUTPUT = 256
"""What the token limit assumes for the answer when there is no bound."""

logger = logging.getLogger("opencto.sandbox")


@dataclass(frozen=True, slots=True)
class Means:
    """What a session works with."""

    key: Key
    store: Store
    clock: Clock
    mind: Answering
    voice: Voice | None
    troubles: Troubles
    pause: float


class Response:
    """One response on its way. `run` it in a task of its own; `cancel` ends it in good order."""

    def __init__(self, order: Order, means: Means, hearing: Hearing, outbox: Outbox) -> None:
        self.id = f"resp_{secrets.token_hex(12)}"
        self.order = order
        self.over = asyncio.Event()
        self._means = means
        self._hearing = hearing
        self._outbox = outbox
        self._progress = Progress(order.max_output_tokens)
        self._output: list[dict[str, Any]] = []
        self._is_booked = False
        self._input = order.input_tokens
        self._room: Room | None = None
        self.spoken_ms = 0
        """How long the sound is that was sent."""

    def cancel(self, reason: Reason = "client_cancelled") -> None:
        self._progress.cancel(reason)

    async def created(self) -> None:
        """Say that it has begun, before anything else is read from the socket."""
        await self._outbox.put("response.created", response=self._shown("in_progress", None))

    async def run(self) -> None:
        try:
            await self._run()
        except ApiError as error:
            await self._fail(error)
        except Exception:
            logger.exception("sandbox_realtime_response_failed")
            await self._fail(server_error())
        finally:
            with anyio.CancelScope(shield=True):
                await self._book()

    async def rate_limits(self) -> None:
        """What is left, after `response.done`."""
        if self._room is None:
            return
        limit, used = self._room.limit_tokens, self._room.used_tokens
        left = {"name": "tokens", "limit": limit, "remaining": max(0, int(limit - used))}
        await self._outbox.put("rate_limits.updated", rate_limits=[{**left, "reset_seconds": used * 60 / limit}])

    async def _run(self) -> None:
        self._means.key.require_working(self.order.model)
        bound = self.order.max_output_tokens
        asked = sum(self._input) + (_ASSUMED_OUTPUT if bound == "inf" else bound)
        self._room = await run_in_threadpool(self._means.store.take_room, self._means.key.id, self.order.model, asked)
        trouble = await self._means.troubles.of_a_response()
        try:
            await trouble.before(self._progress)
            answer = await self._progress.unless_cancelled(self._think())
            await self._say(answer, trouble)
        except Stopped:
            pass  # before its first word
        if self._progress.is_cancelled:
            status, details = "cancelled", {"type": "cancelled", "reason": self._progress.reason}
        elif self._progress.is_cut:
            status, details = "incomplete", {"type": "incomplete", "reason": "max_output_tokens"}
        else:
            status, details = "completed", None
        await self._book()  # before the last word: who has heard it finds the response in the books
        await self._outbox.put("response.done", response=self._shown(status, details))

    async def _think(self) -> Say | Calls:
        """The mind's answer to what was written and heard."""
        asks = [item for item in self.order.context if item.wire.get("role") == "user"]
        try:
            for item in asks:
                await self._hearing.understand(item)
        except CannotHearError:  # none of them, then
            if not asks[-1].text().strip():
                return Say(DEAF)
        asked = conversation(self.order, self._means.clock.now())
        return await self._rest(asked) or await self._means.mind.reply(asked)

    async def _rest(self, asked: Conversation) -> Say | None:
        """Where it ends with the beginning of an answer, as after a break: what is missing of that. None: nothing is."""
        last = asked.entries[-1] if asked.entries else None
        if not isinstance(last, Said) or last.role != "assistant":
            return None
        begun = last.text.strip()
        whole = await self._means.mind.reply(replace(asked, entries=asked.entries[:-1]))
        if not begun or not isinstance(whole, Say) or not whole.text.startswith(begun):
            return None
        rest = whole.text[len(begun) :].strip()
        return Say(rest) if rest else None

    async def _say(self, answer: Say | Calls, trouble: Trouble) -> None:
        items = Items(self.id, self.order, self._progress, self._outbox, self._means.pause, trouble)
        if isinstance(answer, Calls):
            for index, call in enumerate(answer.calls):
                if index and self._progress.is_incomplete:
                    return
                self._output.append(await items.call(call, index))
        elif self.order.is_spoken and self._means.voice is not None:
            self._output.append(await items.speak(answer.text, 0, self._means.voice))
            self.spoken_ms = items.spoken_ms
        else:
            self._output.append(await items.write(answer.text, 0))

    async def _fail(self, error: ApiError) -> None:
        failure = {"type": error.type, "code": error.code, "message": error.message}
        await self._outbox.put("response.done", response=self._shown("failed", {"type": "failed", "error": failure}))

    async def _book(self) -> None:
        """What went out is booked, also when the socket closes in the middle; what was refused is not."""
        if self._is_booked or self._room is None:
            return
        self._is_booked = True
        key, progress = self._means.key, self._progress
        used = Used(
            capability="completions",
            model=self.order.model,
            project_id=key.project_id,
            user_id="user-sandbox",
            api_key_id=key.id,
            input_tokens=sum(self._input),
            output_tokens=progress.tokens,
            input_audio_tokens=self._input[1],
            output_audio_tokens=progress.audio_tokens,
        )
        await run_in_threadpool(self._means.store.record, used)

    def _shown(self, status: str, details: dict[str, Any] | None) -> dict[str, Any]:
        output = {"format": self.order.format.model_dump(), "voice": self.order.voice}
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": list(self._output),
            "conversation_id": self.order.conversation.id if self.order.conversation else None,
            "output_modalities": ["audio" if self.order.is_spoken else "text"],
            "max_output_tokens": self.order.max_output_tokens,
            "audio": {"output": output},
            "usage": None if status == "in_progress" else self._usage(),
            "metadata": self.order.metadata,
        }

    def _usage(self) -> dict[str, Any]:
        text, sound = self._input if self._room is not None else (0, 0)
        progress = self._progress
        cached = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
        return {
            "total_tokens": text + sound + progress.tokens,
            "input_tokens": text + sound,
            "output_tokens": progress.tokens,
            "input_token_details": {
                "text_tokens": text,
                "audio_tokens": sound,
                "image_tokens": 0,
                "cached_tokens": 0,
                "cached_tokens_details": cached,
            },
            "output_token_details": {"text_tokens": progress.text_tokens, "audio_tokens": progress.audio_tokens},
        }
