"""Players, files and rates: golden sound in, golden sound out."""

import contextlib
import math
import wave
from array import array
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.realtime.test_voice import tone
from opencto.client.realtime.audio import resample
from opencto.client.realtime.audio.base import BYTES_PER_MS, bytes_of, level, samples_of
from opencto.client.realtime.audio.player import CUSHION_MS, Player
from opencto.client.realtime.audio.stream_rate import StreamRate
from opencto.client.realtime.audio.wav import WavError, WavSink, WavSource, read_wav
from opencto.testing import ManualClock


def player() -> Player:
    return Player(ManualClock().monotonic)


def ms(milliseconds: float) -> int:
    return int(milliseconds * 24) * 2


def test_it_waits_for_a_cushion_and_then_plays_to_the_sample() -> None:
    one = player()
    sound = tone(200)
    one.push("a", "r", sound[: ms(CUSHION_MS - 10)])
    assert one.read(ms(20)) == bytes(ms(20))
    one.push("a", "r", sound[ms(CUSHION_MS - 10) :])
    heard = b"".join(one.read(ms(20)) for _ in range(10))
    assert heard == sound
    assert one.given_ms("a") == 200
    assert not one.is_empty, "more of it may come"
    one.end("a")
    assert one.read(ms(20)) == bytes(ms(20))
    assert one.is_empty
    assert one.underruns == 0


def test_a_short_word_needs_no_cushion_once_it_is_whole() -> None:
    one = player()
    one.push("a", "r", tone(10))
    one.end("a")
    assert one.read(ms(20)) == tone(10) + bytes(ms(10))


def test_a_gap_is_silence_is_counted_and_makes_the_cushion_larger() -> None:
    one = player()
    one.push("a", "r", tone(60))
    assert one.read(ms(80)) == tone(60) + bytes(ms(20))
    assert one.underruns == 1
    one.push("a", "r", tone(60))
    assert one.read(ms(20)) == bytes(ms(20)), "60 ms are not enough any more"
    one.push("a", "r", tone(60))
    assert one.read(ms(120)) == tone(60) * 2
    assert one.given_ms("a") == 180


def test_items_follow_each_other_without_a_gap_and_are_counted_apart() -> None:
    one = player()
    one.push("a", "r", tone(100))
    one.push("b", "r", tone(100, hertz=800))
    assert one.read(ms(150)) == (tone(100) + tone(100, hertz=800))[: ms(150)]
    assert (one.given_ms("a"), one.given_ms("b")) == (100, 50)


def test_a_flush_fades_within_ten_milliseconds_and_says_what_was_heard_of_each() -> None:
    one = player()
    one.delay_ms = 30
    one.push("a", "r1", tone(1000))
    one.push("b", "r2", tone(1000))
    one.read(ms(500))
    assert [(heard.item_id, heard.heard_ms) for heard in one.flush()] == [("a", 500), ("b", 0)]
    tail = samples_of(one.read(ms(100)))
    loud = [place for place, sample in enumerate(tail) if sample]
    assert loud
    assert loud[-1] / 24 < 10
    assert abs(tail[-1]) == 0
    steps = [abs(tail[place] - tail[place - 1]) for place in range(1, 240)]
    assert max(steps) < 8000 * 2 * math.pi * 440 / 24000 * 1.2, "no click"
    assert one.flush() == []


def test_the_first_sound_of_an_answer_is_the_first_that_can_be_heard() -> None:
    clock = ManualClock()
    one = Player(clock.monotonic)
    one.push("a", "r", bytes(ms(100)) + tone(100))
    for _ in range(10):
        one.read(ms(20))
        clock.advance(0.02)
    ((response, at),) = one.first_sounds()
    assert response == "r"
    assert at == pytest.approx(0.1, abs=0.001)
    assert one.first_sounds() == []


@settings(deadline=None, max_examples=50)
@given(
    pieces=st.lists(st.integers(0, 200), min_size=1, max_size=20),
    reads=st.lists(st.integers(1, 120), min_size=1, max_size=40),
)
def test_whatever_the_blocks_nothing_is_lost_doubled_or_changed(pieces: list[int], reads: list[int]) -> None:
    one, given_sound, heard = player(), b"", b""
    for number, milliseconds in enumerate(pieces):
        sound = bytes([number % 200 + 1, 1]) * 24 * milliseconds
        one.push("a", "r", sound)
        given_sound += sound
    one.end("a")
    for milliseconds in [*reads, 4000, 4000]:
        heard += one.read(ms(milliseconds))
    assert heard.rstrip(b"\0") == given_sound.rstrip(b"\0")
    assert one.given_ms("a") == len(given_sound) / BYTES_PER_MS


def written(path: Path, pcm: bytes, *, rate: int = 24000, channels: int = 1, width: int = 2) -> Path:
    with contextlib.closing(wave.open(str(path), "wb")) as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(pcm)
    return path


def test_a_file_is_read_at_our_rate_and_in_one_channel(tmp_path: Path) -> None:
    sound = tone(100)
    stereo = array("h")
    for sample in samples_of(sound):
        stereo.extend((sample, sample))
    assert read_wav(written(tmp_path / "mono.wav", sound)) == sound
    assert read_wav(written(tmp_path / "stereo.wav", bytes_of(stereo), channels=2)) == sound
    assert len(read_wav(written(tmp_path / "phone.wav", sound, rate=8000))) == pytest.approx(3 * len(sound), abs=8)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a sound at all" * 10])
def test_what_is_no_wav_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(WavError, match="not a WAV file"):
        read_wav(tmp_path / "x.wav")
    with pytest.raises(WavError, match="There is no file"):
        read_wav(tmp_path / "y.wav")
    with pytest.raises(WavError, match="8-bit"):
        read_wav(written(tmp_path / "z.wav", b"\x80" * 100, width=1))


def purity(pcm: bytes, hertz: int, rate: int) -> float:
    """Decibels of the tone over everything else."""
    samples = samples_of(pcm)[rate // 100 : -rate // 100]
    turn = [2 * math.pi * hertz * n / rate for n in range(len(samples))]
    sine = sum(s * math.sin(t) for s, t in zip(samples, turn, strict=True)) * 2 / len(samples)
    cosine = sum(s * math.cos(t) for s, t in zip(samples, turn, strict=True)) * 2 / len(samples)
    rest = sum((s - sine * math.sin(t) - cosine * math.cos(t)) ** 2 for s, t in zip(samples, turn, strict=True))
    return 10 * math.log10((sine**2 + cosine**2) / 2 * len(samples) / max(rest, 1e-9))


@pytest.mark.parametrize(("rate", "wanted"), [(48000, 24000), (44100, 24000), (16000, 24000), (8000, 24000)])
def test_a_tone_stays_a_tone_at_another_rate(rate: int, wanted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = array("h", (int(9000 * math.sin(2 * math.pi * 1000 * n / rate)) for n in range(rate // 5)))
    by_hand = resample._by_hand(bytes_of(sound), rate, wanted)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - what runs without soxr
    for made in (by_hand, resample.to_rate(bytes_of(sound), rate, wanted)):
        assert len(made) / 2 == pytest.approx(wanted / 5, abs=2)
        assert purity(made, 1000, wanted) > 50
    assert monkeypatch is not None


def test_a_stream_at_another_rate_has_no_seams() -> None:
    whole = array("h", (int(9000 * math.sin(2 * math.pi * 1000 * n / 48000)) for n in range(48000)))
    stream, out = StreamRate(48000, 24000), b""
    for place in range(0, len(whole), 960):
        out += stream.push(bytes_of(whole[place : place + 960]))
    assert purity(out[-20000:], 1000, 24000) > 50


def test_loudness_is_the_root_of_the_mean_square() -> None:
    assert level(b"") == 0
    assert level(tone(100, loudness=10000)) == pytest.approx(7071, rel=0.01)


@pytest.mark.anyio
async def test_a_files_end_is_told_and_then_there_is_silence() -> None:
    source = WavSource(tone(50), lead_ms=10)
    frames = source.frames()
    got = b"".join([await anext(frames) for _ in range(4)])
    assert got == bytes(ms(10)) + tone(50) + bytes(ms(20))
    assert source.was_spoken.is_set()
    assert source.seconds == pytest.approx(0.06)
    source.close()
    assert [frame async for frame in frames] == []


def test_what_was_heard_is_written_down_with_its_silence(tmp_path: Path) -> None:
    clock = ManualClock()
    sink = WavSink(tmp_path / "out.wav", clock=clock.monotonic)
    clock.advance(0.1)
    sink.push("a", "r", tone(100))
    sink.end("a")
    assert sink.is_playing
    clock.advance(0.2)
    assert not sink.is_playing
    assert sink.heard_ms("a") == 100
    sink.close()
    sink.close()
    assert read_wav(tmp_path / "out.wav") == bytes(ms(100)) + tone(100) + bytes(ms(100))
