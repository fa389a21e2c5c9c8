"""`python -m benchmarks.conversations`: many people talk to one sandbox at once, in real time.

Each of them says a recorded sentence with a hesitation in it, in pieces of 40 ms, and is answered by server VAD. Printed are
the memory of the server, its CPU for each second of talk, and how late its events are; the order of every socket's events
is checked. Without `--local` nobody is understood (as without the extra `local`): turns alone are found. With `--minutes` they
go on for so long on the same sockets, and the memory is looked at all the time: its slope is that of a straight line through
what comes after the first third.
"""

import argparse
import asyncio
import base64
import json
import statistics
import sys
import tempfile
import time
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.process import ROOT, Running, free_port, launched

SENTENCE = ROOT / "tests" / "sandbox" / "hearing" / "hesitation.wav"
PIECE_MS = 40
_BYTES_PER_MS = 48
_APART_SECONDS = 0.2
_TURNS_IN_SOUND = 2
_PATIENCE_SECONDS = 30
_WATCH_SECONDS = 5
_TURN = ["speech_started", "speech_stopped", "committed", "conversation.item.added", "conversation.item.done"]
_ANSWER = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
]
_CUT_SHORT = ["response.created", "response.done"]
"""An answer that somebody spoke into before its first word."""
_UNCOUNTED = {"session.created", "rate_limits.updated"}
_PIECEWISE = (".delta", "output_text.done", "output_audio.done", "output_audio_transcript.done")


@dataclass
class Talker:
    """What one of them saw."""

    turns: list[str] = field(default_factory=list[str])
    answers: list[str] = field(default_factory=list[str])
    sent: list[float] = field(default_factory=list[float])
    stop_delays: list[float] = field(default_factory=list[float])
    """Seconds from sending the piece in which a turn ends to hearing that it did."""
    answer_delays: list[float] = field(default_factory=list[float])
    """Seconds from there to the first piece of the answer."""
    stopped_at: float | None = None
    done: int = 0
    asked: int = 0
    """Turns that were said."""
    trouble: str = ""
    """Why its socket was gone before the end, or what error it was told."""

    def take(self, event: dict[str, Any], now: float) -> None:
        kind: str = event["type"]
        if kind == "input_audio_buffer.speech_stopped":
            piece = min(int(event["audio_end_ms"]) // PIECE_MS, len(self.sent) - 1)
            self.stop_delays.append(now - self.sent[piece])
            self.stopped_at = now
        elif kind in {"response.output_text.delta", "response.output_audio.delta"} and self.stopped_at is not None:
            self.answer_delays.append(now - self.stopped_at)
            self.stopped_at = None
        elif kind == "response.done":
            self.done += 1
        elif kind == "error":
            self.trouble = self.trouble or str(event["error"])
        if not kind.endswith(_PIECEWISE) and kind not in _UNCOUNTED:
            is_answer = kind.startswith("response.") or event.get("item", {}).get("role") == "assistant"
            (self.answers if is_answer else self.turns).append(kind.removeprefix("input_audio_buffer."))

    def is_in_order(self) -> bool:
        """Whole turns, and as many answers; who was in trouble may lack the end."""
        answers = self.answers
        while answers:
            shape = next((one for one in (_ANSWER, _CUT_SHORT) if answers[: len(one)] == one[: len(answers)]), None)
            if shape is None:
                return False
            answers = answers[len(shape) :]
        right = _TURN * (len(self.turns) // len(_TURN) + 1)
        is_whole = len(self.turns) == len(_TURN) * self.done
        return self.turns == right[: len(self.turns)] and (is_whole or bool(self.trouble))


async def _pieces(sound: bytes, rounds: int) -> AsyncIterator[str]:
    """In real time."""
    begun = time.monotonic()
    size = PIECE_MS * _BYTES_PER_MS
    for number in range(rounds * len(sound) // size):
        await asyncio.sleep(max(0.0, begun + number * PIECE_MS / 1000 - time.monotonic()))
        begin = number * size % len(sound)
        yield base64.b64encode(sound[begin : begin + size]).decode()


async def _talk(port: int, sound: bytes, number: int, rounds: int) -> Talker:
    talker = Talker(asked=_TURNS_IN_SOUND * rounds)
    listening: asyncio.Task[None] | None = None
    await asyncio.sleep(number * _APART_SECONDS)
    url = f"ws://127.0.0.1:{port}/v1/realtime?model=gpt-realtime-2.1"
    # A key each: every answer counts the whole conversation before it against the tokens a minute of its key.
    headers = {"Authorization": f"Bearer sk-benchmark-{number}"}
    try:
        async with connect(url, additional_headers=headers, open_timeout=60) as socket:
            listening = asyncio.create_task(_listen(socket, talker))
            async for piece in _pieces(sound, rounds):
                talker.sent.append(time.monotonic())
                await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": piece}))
            await asyncio.wait_for(listening, _PATIENCE_SECONDS)
    except (ConnectionClosed, TimeoutError) as error:
        talker.trouble = talker.trouble or repr(error)
    finally:
        if listening is not None:
            await asyncio.gather(
                listening, return_exceptions=True
            )  # the socket is closed: it has ended, or will at once
    return talker


async def _listen(socket: ClientConnection, talker: Talker) -> None:
    while talker.done < talker.asked:
        talker.take(json.loads(await socket.recv()), time.monotonic())


async def _all(server: Running, sockets: int, minutes: float) -> "tuple[list[Talker], list[tuple[float, float]]]":
    """What each of them saw, and the server's memory in MB at so many seconds."""
    with wave.open(str(SENTENCE)) as file:
        # The pause inside is long enough for two turns; the silence behind ends the second.
        sound = file.readframes(file.getnframes()) + bytes(2_000 * _BYTES_PER_MS)
    sound = sound[: len(sound) // (PIECE_MS * _BYTES_PER_MS) * PIECE_MS * _BYTES_PER_MS]
    rounds = max(1, round(minutes * 60_000 * _BYTES_PER_MS / len(sound)))
    memory: list[tuple[float, float]] = []
    watching = asyncio.create_task(_watch(server, memory))
    talks = (_talk(server.port, sound, number, rounds) for number in range(sockets))
    talkers = await asyncio.gather(*talks)
    if watching.done():
        watching.result()  # it has failed
    watching.cancel()
    return talkers, memory


async def _watch(server: Running, memory: "list[tuple[float, float]]") -> None:
    begun = time.monotonic()
    while True:
        memory.append((time.monotonic() - begun, await asyncio.to_thread(server.pss_mb)))
        await asyncio.sleep(_WATCH_SECONDS)


def slope(memory: "list[tuple[float, float]]") -> float:
    """MB an hour, by the least squares, without the first third."""
    counted = [one for one in memory if one[0] >= memory[-1][0] / 3]
    return statistics.linear_regression(*zip(*counted, strict=True)).slope * 3600 if len(counted) > 1 else 0.0


def _serve(port: int, folder: Path, *, is_local: bool) -> None:
    import uvicorn

    from opencto.core.heap import given_back
    from opencto.sandbox.app import create_sandbox, standing_alone
    from opencto.sandbox.config import SandboxConfig
    from opencto.sandbox.ports import CannotHearError, Heard, Recogniser
    from opencto.sandbox.senses import LateEars, Senses, local

    class TurnsAlone(LateEars):
        @property
        def recogniser(self) -> Recogniser:
            return self

        async def transcribe(self, pcm: bytes, *, is_final: bool, prompt: str = "") -> Heard:  # noqa: ARG002 - the protocol's names
            raise CannotHearError("no ears here")

    senses = local() if is_local else Senses(TurnsAlone())
    sandbox = create_sandbox(SandboxConfig(folder / "sandbox.db", demo=False), senses=senses)
    sys.setswitchinterval(0.0005)  # this and what follows as `opencto sandbox` has it
    with given_back():
        uvicorn.run(
            standing_alone(sandbox),
            port=port,
            log_config=None,
            access_log=False,
            loop="uvloop",
            http="httptools",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            lifespan="off",
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conversations", description=__doc__)
    parser.add_argument("--sockets", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=0, help="at least so long; 0 is one sentence each")
    parser.add_argument("--local", action="store_true", help="with ears and voice")
    parser.add_argument("--serve", type=int, metavar="PORT", help="be the server")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.serve:
        _serve(options.serve, options.folder, is_local=options.local)
        return 0
    with tempfile.TemporaryDirectory(prefix="opencto-bench-") as folder:
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.conversations", "--serve", str(port), "--folder", folder]
        command += ["--local"] if options.local else []
        with launched("sandbox", command, port, "/v1/", {}, Path(folder) / "server.log", core=None) as server:
            idle, cpu, begun = server.pss_mb(), server.cpu_seconds(), time.monotonic()
            talkers, memory = asyncio.run(_all(server, options.sockets, options.minutes))
            seconds = time.monotonic() - begun
            used = server.cpu_seconds() - cpu
            talk = sum(len(talker.sent) for talker in talkers) * PIECE_MS / 1000
            print(f"{options.sockets} sockets, {talk:.0f} s of talk in {seconds:.1f} s")
            print(f"memory: {idle:.0f} MB idle, {server.pss_mb():.0f} MB afterwards")
            if options.minutes:
                print(
                    f"memory while they talk: {max(mb for _, mb in memory):.0f} MB at most, {slope(memory):+.1f} MB an hour"
                )
                print(
                    "  " + " ".join(f"{seconds:.0f}s:{mb:.0f}" for seconds, mb in memory[:: max(1, len(memory) // 12)])
                )
            print(f"CPU: {used:.1f} s, {used / talk * 1000:.1f} ms for each second of talk")
    _print("end of a turn told", [one for talker in talkers for one in talker.stop_delays])
    _print("and its answer begun", [one for talker in talkers for one in talker.answer_delays])
    asked, done = sum(one.asked for one in talkers), sum(one.done for one in talkers)
    lost = [talker for talker in talkers if talker.trouble or talker.done != talker.asked]
    wrong = [talker for talker in talkers if not talker.is_in_order()]
    print(
        f"turns: {asked} said, {done} answered; events out of order: {len(wrong)} sockets; dropped or in trouble: {len(lost)}"
    )
    for talker in wrong[:1]:
        print("  " + " ".join([*talker.turns[-30:], "/", *talker.answers[-30:]]))
    for talker in lost[:3]:
        print(f"  {talker.done} of {talker.asked} turns: {talker.trouble}")
    return 1 if wrong or lost else 0


def _print(what: str, seconds: list[float]) -> None:
    ranked = sorted(seconds)
    print(
        f"{what:<22} p50 {statistics.median(ranked) * 1000:>6.0f} ms   p95 {ranked[int(len(ranked) * 0.95)] * 1000:>6.0f} ms"
    )


if __name__ == "__main__":
    sys.exit(main())
