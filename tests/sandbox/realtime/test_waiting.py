"""Ears that do not keep up: what waits is bounded, it is said what is not taken, and the socket stays alive."""

import asyncio
import threading
from collections.abc import Generator

import pytest
from tests.sandbox.realtime.conftest import dialled, strict_sandbox
from tests.sandbox.realtime.fakes import FakeDetector, FakeEars, FakeVoice, b64, silence, speech

from opencto.sandbox.errors import ApiError
from opencto.sandbox.ports import TurnEvent, TurnSettings
from opencto.sandbox.realtime import waiting
from opencto.sandbox.realtime.waiting import Waiting
from opencto.sandbox.senses import Senses
from opencto.testing import ManualClock, RunningSandbox

pytestmark = pytest.mark.anyio


class SlowDetector(FakeDetector):
    """Hears nothing until it may."""

    def __init__(self, settings: TurnSettings, start_ms: int, may_hear: threading.Event) -> None:
        super().__init__(settings, start_ms)
        self._may_hear = may_hear

    async def push(self, pcm: bytes) -> list[TurnEvent]:
        await asyncio.to_thread(self._may_hear.wait, 10)
        return await super().push(pcm)


class SlowEars(FakeEars):
    def __init__(self) -> None:
        super().__init__()
        self.may_hear = threading.Event()

    def turn_detector(self, settings: TurnSettings, *, start_ms: int = 0) -> FakeDetector:
        return SlowDetector(settings, start_ms, self.may_hear)


@pytest.fixture
def ears() -> SlowEars:
    return SlowEars()


@pytest.fixture
def sandbox(clock: ManualClock, ears: SlowEars) -> Generator[RunningSandbox]:
    with strict_sandbox(clock=clock, senses=Senses(ears, FakeVoice())) as sandbox:
        yield sandbox


async def test_a_recording_that_is_sent_at_once_waits_for_room_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "LONGEST_SECONDS", 60.0)
    queue = Waiting()
    sound = [bytes([number]) * len(silence(500)) for number in range(200)]
    putting = asyncio.gather(*(queue.put(piece) for piece in sound))
    taken = b""
    async with asyncio.timeout(10):
        while len(taken) < len(b"".join(sound)):
            piece = await queue.take()
            assert len(piece) <= len(silence(5_000))
            taken += piece
            queue.heard()
        await putting
        await queue.settle()
    assert taken == b"".join(sound)


async def test_what_is_too_much_is_refused_until_half_of_it_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LONGEST_SECONDS", 0.0)
    monkeypatch.setattr(waiting, "SETTLE_SECONDS", 0.0)
    queue = Waiting()
    for _ in range(6):
        await queue.put(silence(5_000))
    for _ in range(3):
        with pytest.raises(ApiError, match=r"\d\d seconds of sound wait. This piece of sound was not taken") as refused:
            await queue.put(speech(1, 1_000))
        assert refused.value.code == "sandbox_too_slow"
        await queue.take()
        queue.heard()
        with pytest.raises(ApiError, match="What was asked for was not done"):
            await queue.settle()
    await queue.take()
    await queue.put(silence(5_000))


async def test_a_piece_longer_than_all_that_may_wait_is_taken() -> None:
    queue = Waiting()
    await queue.put(silence(100_000))
    assert len(await queue.take()) == len(silence(100_000))
    queue.heard()
    await queue.put(silence(40))
    assert len(await queue.take()) == len(silence(40))


async def test_a_socket_whose_sound_is_not_heard_is_alive_and_told_so(
    sandbox: RunningSandbox, ears: SlowEars, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LONGEST_SECONDS", 0.0)
    async with dialled(sandbox) as line, asyncio.timeout(20):
        await line.next()
        await line.send("input_audio_buffer.append", audio=b64(speech(2)))
        for _ in range(36):
            await line.send("input_audio_buffer.append", audio=b64(silence(1_000)))
        error = (await line.until("error"))[-1]["error"]
        assert (error["code"], error["type"]) == ("sandbox_too_slow", "server_error")
        await (await line.socket.ping())
        await line.say("Hello")
        assert (await line.until("conversation.item.done"))[-1]["item"]["content"][0]["text"] == "Hello"
        ears.may_hear.set()
        assert (await line.until("input_audio_buffer.speech_stopped"))[-1]["audio_end_ms"] == 800
