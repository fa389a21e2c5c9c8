"""The route: whole answers, and answers as server-sent events."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from opencto.core.clock import Clock
from opencto.sandbox import tokens
from opencto.sandbox.booked import BookedStream
from opencto.sandbox.errors import ApiError, bad_request
from opencto.sandbox.keys import Doorkeeper, Key
from opencto.sandbox.ports import CannotHearError, Ears
from opencto.sandbox.store import Store, Used
from opencto.sandbox.transcriptions.request import CreateTranscription, read_form

_MS_PER_AUDIO_TOKEN = 100
_BY_DURATION = "whisper-1"
_NO_EARS = "The local sandbox has no ears: install opencto[local] (pip install 'opencto[local]') and start it again."


@dataclass(frozen=True, slots=True)
class Transcript:
    asked: CreateTranscription
    text: str
    milliseconds: int

    @property
    def pieces(self) -> list[str]:
        return tokens.split(self.text)

    @property
    def audio_tokens(self) -> int:
        return -(-self.milliseconds // _MS_PER_AUDIO_TOKEN)

    def usage(self) -> dict[str, Any]:
        """By the second for the old model, in tokens for the others."""
        if self.asked.model == _BY_DURATION:
            return {"type": "duration", "seconds": -(-self.milliseconds // 1000)}
        prompt, output = tokens.count(self.asked.prompt), len(self.pieces)
        return {
            "type": "tokens",
            "input_tokens": prompt + self.audio_tokens,
            "output_tokens": output,
            "total_tokens": prompt + self.audio_tokens + output,
            "input_token_details": {"text_tokens": prompt, "audio_tokens": self.audio_tokens},
        }


class TranscriptionRoutes:
    def __init__(
        self, doorkeeper: Doorkeeper, store: Store, clock: Clock, max_body_bytes: int, ears: Ears | None
    ) -> None:
        self._doorkeeper = doorkeeper
        self._store = store
        self._clock = clock
        self._max_body_bytes = max_body_bytes
        self._ears = ears

    async def create(self, request: Request) -> Response:
        key = self._doorkeeper.inference(request)
        asked = await read_form(request, self._max_body_bytes)
        if key.model(asked.model, self._clock.now().date(), "transcription") is None:
            raise ApiError(404, "This model is not supported in the v1/audio/transcriptions endpoint.", param="model")
        key.require_working(asked.model)
        if asked.stream and asked.model == _BY_DURATION:
            asked = CreateTranscription(asked.file, asked.model, asked.prompt, asked.format)  # OpenAI ignores it there
        pcm = await self._samples(asked)
        heard = Transcript(asked, "", len(pcm) // 48)
        room = await run_in_threadpool(self._store.take_room, key.id, asked.model, heard.audio_tokens)
        heard = Transcript(asked, await self._heard(pcm, asked), heard.milliseconds)
        if asked.stream:
            return _Stream(heard, key, self._store, room.headers())
        await run_in_threadpool(self._store.record, _used(heard, key))
        if asked.format == "text":
            return PlainTextResponse(f"{heard.text}\n", headers=room.headers())
        return JSONResponse({"text": heard.text, "usage": heard.usage()}, headers=room.headers())

    async def _samples(self, asked: CreateTranscription) -> bytes:
        try:
            from opencto.sandbox.transcriptions.sound import pcm_of

            return await run_in_threadpool(pcm_of, asked.file)
        except ImportError:
            raise _deaf(_NO_EARS) from None

    async def _heard(self, pcm: bytes, asked: CreateTranscription) -> str:
        if self._ears is None:
            raise _deaf(_NO_EARS)
        try:
            return (await self._ears.recogniser.transcribe(pcm, is_final=True, prompt=asked.prompt)).text
        except (CannotHearError, ImportError) as error:
            raise _deaf(str(error) if isinstance(error, CannotHearError) else _NO_EARS) from None


class _Stream(BookedStream):
    def __init__(self, heard: Transcript, key: Key, store: Store, headers: dict[str, str]) -> None:
        super().__init__(self._events(), lambda _sent: _used(heard, key), store, headers)
        self._heard = heard

    async def _events(self) -> AsyncIterator[str]:
        for piece in self._heard.pieces:
            yield _event({"type": "transcript.text.delta", "delta": piece})
        await self._book()  # before the last word: who has heard it finds the call in the books
        yield _event({"type": "transcript.text.done", "text": self._heard.text, "usage": self._heard.usage()})


def _event(body: dict[str, Any]) -> str:
    return f"data: {json.dumps(body)}\n\n"


def _used(heard: Transcript, key: Key) -> Used:
    return Used(
        capability="audio_transcriptions",
        model=heard.asked.model,
        project_id=key.project_id,
        user_id="user-sandbox",
        api_key_id=key.id,
        input_tokens=tokens.count(heard.asked.prompt) + heard.audio_tokens,
        output_tokens=len(heard.pieces),
        input_audio_tokens=heard.audio_tokens,
    )


def _deaf(sentence: str) -> ApiError:
    return bad_request(sentence, param="model", code="unsupported_value")
