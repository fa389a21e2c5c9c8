"""Conversations by voice: what is heard, what is cut, and what a break must not lose. Sound is counted in samples."""

import asyncio
import math
from array import array
from collections.abc import AsyncIterator

import pytest

from client.realtime.conftest import talking
from client.realtime.strict_server import BYTES_PER_MS, Line, Script
from opencto.client.realtime import TalkOptions, events
from opencto.client.realtime.audio.base import FRAME_BYTES, FRAME_MS, samples_of
from opencto.client.realtime.audio.wav import WavSink, WavSource
from opencto.testing import ManualClock

pytestmark = pytest.mark.anyio
DUPLEX = TalkOptions(full_duplex=True)


def tone(milliseconds: int, *, hertz: int = 440, loudness: int = 8000) -> bytes:
    count = milliseconds * 24
    return array("h", (int(loudness * math.sin(2 * math.pi * hertz * n / 24000)) for n in range(count))).tobytes()


class Spoken(Script):
    """Answers with two seconds of sound, all at once as OpenAI does."""

    def __init__(self, milliseconds: int = 2000) -> None:
        self.sound = tone(milliseconds)

    async def on_live(self, line: Line) -> None:
        if line.number == 1:
            await line.heard("Tell me.", end_ms=0)
            await self.on_response(line)

    async def on_response(self, line: Line) -> None:
        await line.answer("one two three four five six seven eight", self.sound)


class Asked(Spoken):
    """The same, when it is asked to."""

    async def on_live(self, line: Line) -> None:
        assert line.number


class Silence:
    """A microphone in a quiet room."""

    def __init__(self) -> None:
        self.is_closed = False

    async def frames(self) -> AsyncIterator[bytes]:
        while not self.is_closed:
            yield bytes(FRAME_BYTES)
            await asyncio.sleep(FRAME_MS / 1000)

    def close(self) -> None:
        self.is_closed = True


async def test_an_answer_is_heard_whole_and_to_the_sample() -> None:
    sink = WavSink(None)
    async with talking(Spoken(300), sink=sink, source=Silence()) as stage:
        assert await stage.session.until(lambda: sink.is_playing, 5)
        await stage.quiet()
        heard = sink.pcm
        assert tone(300) in heard, "without a gap, a click or a change"
        assert {"render_delay", "ttfa_model", "first_listen"} <= set(stage.session.metrics.summary())
        assert sink.underruns == 0


async def test_who_speaks_into_an_answer_gets_silence_and_the_server_knows_what_was_heard() -> None:
    clock = ManualClock()
    sink = WavSink(None, clock=clock.monotonic)
    script = Asked()
    async with talking(script, DUPLEX, sink=sink, source=Silence(), clock=clock.monotonic) as stage:
        await stage.session.say("Tell me.")
        assert await stage.session.until(lambda: sink.is_playing, 5)
        clock.advance(0.7)
        assert await stage.session.until(lambda: "render_delay" in stage.session.metrics.values, 5)
        at_ms = len(sink.pcm) / BYTES_PER_MS
        await stage.server.line.tell("input_audio_buffer.speech_started", item_id="item_barge", audio_start_ms=10)
        await stage.server.until(lambda: bool(stage.server.received("conversation.item.truncate")))
        clock.advance(3)
        (cut,) = stage.server.received("conversation.item.truncate")
        loud = [place for place, sample in enumerate(samples_of(sink.pcm)) if abs(sample) > 50]
        begun_ms, ended_ms = loud[0] / 24, loud[-1] / 24
        assert ended_ms - at_ms <= 50
        assert abs(cut["audio_end_ms"] - (ended_ms - begun_ms)) <= 60
        assert cut["audio_end_ms"] == 700
        item = stage.session.conversation.by_id[cut["item_id"]]
        assert item.heard_ms == 700
        assert stage.session.conversation.spoken(item) == "one two "  # 700 of 2000 ms, to the last whole word
        assert stage.session.conversation.unspoken(item) == "three four five six seven eight"
        assert stage.server.received("response.cancel") == [], "the answer was through already"
        assert max(stage.session.metrics.values["bargein_stop"]) <= 50


async def test_late_sound_of_an_answer_that_was_stopped_is_not_heard() -> None:
    sink = WavSink(None)

    class Late(Asked):
        async def on_response(self, line: Line) -> None:
            await line.begin()
            await line.open_message("item_a")
            await line.words("item_a", "one two", self.sound)
            assert await stage.session.until(lambda: sink.heard_ms("item_a") > 100, 5)
            stage.session.interrupt()

        async def on_cancel(self, line: Line) -> None:
            await line.words("item_a", " three", self.sound)
            await line.open_message("item_b")
            await line.words("item_b", "another", self.sound)
            await line.close_message("item_a", "one two three", is_spoken=True, status="incomplete")
            await line.end("cancelled", {"type": "cancelled", "reason": "client_cancelled"})

    async with talking(Late(), sink=sink, source=Silence()) as stage:
        await stage.session.say("Tell me.")
        await stage.server.until(lambda: bool(stage.server.received("conversation.item.delete")))
        await stage.quiet()
        assert not sink.is_playing
        assert [frame["item_id"] for frame in stage.server.received("conversation.item.truncate")] == ["item_a"]
        assert [frame["item_id"] for frame in stage.server.received("conversation.item.delete")] == ["item_b"]
        assert await stage.session.until(lambda: stage.session.conversation.by_id["item_b"].is_deleted, 5)
        loud = [sample for sample in samples_of(sink.pcm) if abs(sample) > 50]
        assert len(loud) / 24 < 400


async def test_an_answer_that_fails_in_the_middle_is_heard_so_far_and_then_it_is_quiet() -> None:
    class Failing(Asked):
        async def on_response(self, line: Line) -> None:
            await line.begin()
            await line.open_message("item_a")
            await line.words("item_a", "one two", tone(300))
            error = {"type": "server_error", "code": None, "message": "It broke."}
            await line.end("failed", {"type": "failed", "error": error})

    sink = WavSink(None)
    async with talking(Failing(), sink=sink, source=Silence()) as stage:
        await stage.session.say("Tell me.")
        assert await stage.session.until(lambda: sink.is_playing, 5)
        assert await stage.session.until(lambda: not sink.is_playing, 5), "nobody said that it was all"
        assert await stage.session.quiet(5)
        assert tone(300) in sink.pcm


async def test_an_answer_of_which_nothing_was_heard_is_deleted() -> None:
    sink = WavSink(None)

    class Early(Spoken):
        async def on_response(self, line: Line) -> None:
            await line.begin()
            await line.open_message("item_a")
            await line.words("item_a", "one", tone(20))  # less than the player waits for
            await line.tell("input_audio_buffer.speech_started", item_id="item_barge", audio_start_ms=10)

    async with talking(Early(), DUPLEX, sink=sink, source=Silence()) as stage:
        await stage.server.until(lambda: bool(stage.server.received("conversation.item.delete")))
        assert stage.server.received("conversation.item.truncate") == []
        assert not any(samples_of(sink.pcm))


async def test_half_duplex_sends_silence_while_the_answer_is_heard_and_the_clock_goes_on() -> None:
    sink = WavSink(None)
    source = WavSource(tone(3000, loudness=12000))
    async with talking(Spoken(600), sink=sink, source=source) as stage:
        assert await stage.session.until(lambda: sink.is_playing, 5)
        before = len(stage.server.line.buffer)
        await stage.quiet()
        await stage.server.until(lambda: len(stage.server.line.buffer) > before + 800 * BYTES_PER_MS)
        sent = samples_of(bytes(stage.server.line.buffer[: len(stage.server.line.buffer) & ~1]))
        quiet = sum(1 for sample in sent if sample == 0) / 24
        assert 600 <= quiet <= 1100
        assert abs(sent[0]) < 12000
        assert max(abs(sample) for sample in sent) > 10000, "before and after, the microphone is heard"


async def test_mute_only_mutes() -> None:
    source = WavSource(tone(5000))
    async with talking(options=TalkOptions(), sink=WavSink(None), source=source) as stage:
        await stage.server.until(lambda: any(stage.server.line.buffer))
        stage.session.mute(True)
        length = len(stage.server.line.buffer)
        await stage.server.until(lambda: len(stage.server.line.buffer) > length + 400 * BYTES_PER_MS)
        assert not any(stage.server.line.buffer[-200 * BYTES_PER_MS :])
        assert stage.session.state.input == "muted"
        stage.session.mute(False)
        await stage.server.until(lambda: any(stage.server.line.buffer[-40 * BYTES_PER_MS :]))


async def test_what_was_said_before_the_connection_was_there_is_sent_first() -> None:
    class Slow(Script):
        async def on_connect(self, line: Line) -> bool:
            await asyncio.sleep(0.3)
            return line.number == 1

    said = tone(200, hertz=700)
    async with talking(Slow(), options=TalkOptions(), sink=WavSink(None), source=WavSource(said)) as stage:
        await stage.server.until(lambda: len(stage.server.line.buffer) > 400 * BYTES_PER_MS)
        assert bytes(stage.server.line.buffer).startswith(said)


async def test_cut_while_somebody_speaks_the_new_connection_hears_it_from_the_start() -> None:
    said = tone(1500, hertz=500)

    class CutInSpeech(Script):
        def __init__(self) -> None:
            self.has_begun = False

        async def on_sound(self, line: Line) -> None:
            if line.number > 1:
                return
            if line.buffer_ms > 700 and not self.has_begun:
                self.has_begun = True
                await line.tell("input_audio_buffer.speech_started", item_id="item_said", audio_start_ms=100)
            elif line.buffer_ms > 1000:
                line.cut()

    source = WavSource(said, lead_ms=400)
    async with talking(CutInSpeech(), options=TalkOptions(), sink=WavSink(None), source=source) as stage:
        await stage.server.until(lambda: len(stage.server.lines) == 2 and stage.server.line.buffer_ms > 2000, 10)
        again = bytes(stage.server.line.buffer)
        assert said in again, "nothing is missing, and nothing stands in it twice"
        assert abs(again.index(said) - 300 * BYTES_PER_MS) <= 20 * BYTES_PER_MS
        assert [one.id for one in stage.session.conversation.items if one.role == "user"] == []


async def test_a_spoken_turn_that_nobody_wrote_down_yet_goes_to_the_new_connection_as_sound() -> None:
    said = tone(600, hertz=500)

    class CutBeforeWords(Script):
        async def on_sound(self, line: Line) -> None:
            if line.number == 1 and line.buffer_ms > 900 and not line.items:
                await line.heard(None, start_ms=100, end_ms=900)
                line.cut()

        async def on_response(self, line: Line) -> None:
            await line.answer("Understood.", tone(100))

    source = WavSource(said, lead_ms=200)
    async with talking(CutBeforeWords(), options=TalkOptions(), sink=WavSink(None), source=source) as stage:
        await stage.server.until(lambda: bool(stage.server.received("response.create")))
        anchor, question = stage.server.line.items[:2]
        assert anchor["role"] == "system"
        assert question["id"] == stage.server.lines[0].items[0]["id"]
        (part,) = question["content"]
        assert part["type"] == "input_audio"
        assert len(part["audio"]) * 3 // 4 >= 800 * BYTES_PER_MS - FRAME_BYTES
        await stage.quiet()
        assert stage.texts[-1] == "Understood."


async def test_what_came_of_an_answer_before_a_cut_is_heard_to_its_end() -> None:
    class CutInAnswer(Spoken):
        async def on_response(self, line: Line) -> None:
            if line.number > 1:
                await line.answer(" five six", tone(300, hertz=900))
                return
            await line.begin()
            item_id = line.new_id("item")
            await line.open_message(item_id)
            await line.words(item_id, "one two", tone(300))
            line.cut()

    sink = WavSink(None)
    async with talking(CutInAnswer(), sink=sink, source=Silence()) as stage:
        await stage.server.until(lambda: len(stage.server.lines) == 2)
        await stage.quiet()
        heard = sink.pcm
        assert heard.index(tone(300)) < heard.index(tone(300, hertz=900))
        assert stage.texts[-2:] == ["one two", " five six"]


async def test_push_to_talk_commits_what_was_held_with_its_first_syllable() -> None:
    options = TalkOptions(push_to_talk=True)
    source = WavSource(tone(3000))
    async with talking(Spoken(100), options, sink=WavSink(None), source=source) as stage:
        assert stage.server.line.session["audio"] == {"input": {"turn_detection": None}}
        assert await stage.session.until(lambda: stage.session.level > 100, 5)
        await asyncio.sleep(0.6)
        assert stage.server.line.buffer == b"", "nothing is sent while the key is up"
        stage.session.hold(True)
        await stage.server.until(lambda: stage.server.line.buffer_ms > 700)
        stage.session.hold(False)
        await stage.server.until(lambda: bool(stage.server.received("response.create")))
        kinds = [frame["type"] for frame in stage.server.line.received if "append" not in frame["type"]]
        assert kinds == ["session.update", "input_audio_buffer.commit", "response.create"]
        stage.session.hold(True)
        stage.session.hold(False)


async def test_a_spoken_turn_is_measured_from_the_end_of_speech() -> None:
    class Vad(Spoken):
        async def on_live(self, line: Line) -> None:
            line.session["audio"] = {"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 200}}}
            await line.tell("session.updated", session=line.session)

        async def on_sound(self, line: Line) -> None:
            if line.buffer_ms > 800 and not line.items:
                await line.heard("Tell me.", start_ms=0, end_ms=800)
                await self.on_response(line)

    detection = {"type": "server_vad", "silence_duration_ms": 200}
    options = TalkOptions(turn_detection=detection)
    async with talking(Vad(200), options, sink=WavSink(None), source=WavSource(tone(600))) as stage:
        assert await stage.session.until(lambda: "eos_to_first_sound" in stage.session.metrics.values, 5)
        (waited,) = stage.session.metrics.values["eot_delay"]
        assert 150 <= waited <= 600
        (first,) = stage.session.metrics.values["eos_to_first_sound"]
        assert first >= waited


async def test_leaving_stops_the_microphone_first_whatever_happened() -> None:
    source = Silence()
    with pytest.raises(RuntimeError, match="of the user"):
        async with talking(options=TalkOptions(), sink=WavSink(None), source=source):
            raise RuntimeError("of the user's own")
    assert source.is_closed


async def test_words_come_with_their_events() -> None:
    async with talking(Spoken(50), sink=WavSink(None), source=Silence()) as stage:
        await stage.quiet()
    told = [update async for update in stage.session]
    words = "".join(one.delta for one in told if isinstance(one, events.SaidDelta))
    assert words == "one two three four five six seven eight"
    assert not any(isinstance(one, events.SoundDelta) for one in told)
