"""A process of its own with microphone and speaker: PortAudio looks for its devices once in the life of a process.

Prints one JSON object a line: `cut` after somebody spoke into the answer, `heard` when the microphone heard a tone.
With the argument `dry` the answer comes in pieces and too late, so that the speaker runs dry between them.
"""

import asyncio
import itertools
import json
import math
import sys
from array import array
from typing import Any

from client.realtime.conftest import talking
from client.realtime.strict_server import BYTES_PER_MS, Line, Script
from opencto.client.realtime import TalkOptions
from opencto.client.realtime.audio.base import level, samples_of
from opencto.client.realtime.audio.device import Microphone, Speaker

ANSWER_MS, SPOKEN_INTO_AT_MS, PIECE_MS, LOWEST_HERTZ = 3000, 1000, 300, 400


def rising(milliseconds: int) -> bytes:
    """A tone that rises by one hertz every millisecond, so that each moment of it is known by its pitch."""
    times = (n / 24_000 for n in range(milliseconds * 24))
    return array("h", (int(8000 * math.sin(math.tau * (LOWEST_HERTZ * t + 500 * t * t))) for t in times)).tobytes()


ANSWER = rising(ANSWER_MS)


class Answering(Script):
    async def on_response(self, line: Line) -> None:
        await line.answer("one two three four five six seven eight", ANSWER)


class Stuttering(Script):
    """300 ms of sound at a time, and nothing until all of it was heard."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker

    async def on_response(self, line: Line) -> None:
        await line.begin()
        item_id = line.new_id("item")
        await line.open_message(item_id)
        step = PIECE_MS * BYTES_PER_MS
        for number in range(1, ANSWER_MS // PIECE_MS + 1):
            await line.words(item_id, f" {number}", ANSWER[(number - 1) * step : number * step])
            async with asyncio.timeout(10):
                while self._speaker.underruns < number:  # noqa: ASYNC110 - a sound card has no event for it
                    await asyncio.sleep(0.01)


def say(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def pitch(pcm: bytes) -> float:
    """In hertz, by counting how often the sign changes."""
    samples = samples_of(pcm)
    changes = sum(1 for one, two in itertools.pairwise(samples) if (one < 0) != (two < 0))
    return changes / 2 / (len(samples) / 24000)


async def main() -> None:
    microphone, speaker = Microphone.opened(), Speaker.opened()
    script = Stuttering(speaker) if sys.argv[1:] == ["dry"] else Answering()
    options = TalkOptions(full_duplex=True)
    async with talking(script, options, source=microphone, sink=speaker) as stage:
        await stage.session.say("Tell me.")
        await stage.server.until(lambda: any(item.get("role") == "assistant" for item in stage.server.line.items))
        item_id = next(item["id"] for item in stage.server.line.items if item.get("role") == "assistant")
        assert await stage.session.until(lambda: speaker.heard_ms(item_id) >= SPOKEN_INTO_AT_MS, 10)
        held = speaker.held_ms
        await stage.server.line.tell("input_audio_buffer.speech_started", item_id="item_barge", audio_start_ms=10)
        await stage.server.until(lambda: bool(stage.server.received("conversation.item.truncate")))
        (cut,) = stage.server.received("conversation.item.truncate")
        say(
            "cut",
            truncated_ms=cut["audio_end_ms"],
            given_ms=speaker.given_ms(item_id),
            held_ms=held,
            delay_ms=speaker.delay_ms,
            underruns=speaker.underruns,
        )
        buffer = stage.server.line.buffer
        await stage.server.until(lambda: level(bytes(buffer[-200 * BYTES_PER_MS :])) > 1000, 20)
        begin = len(buffer)
        await stage.server.until(lambda: len(buffer) > begin + 400 * BYTES_PER_MS)
        say("heard", hertz=pitch(bytes(buffer[begin : begin + 400 * BYTES_PER_MS])), overflows=microphone.overflows)


if __name__ == "__main__":
    asyncio.run(main())
