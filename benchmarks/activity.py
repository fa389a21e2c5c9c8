"""Where speech begins and ends: what the turn detector tells, and how far that is from the truth of a labelled set.

Like is compared with like: `audio_start_ms` has the prefix padding in it, so the detector is asked for none; `audio_end_ms`
has the silence in it that was waited for, which is taken off. Every other sentence of a source is for tuning; what is
claimed is claimed for the others.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.recordings import Sentence, noise, pcm, room
from opencto.sandbox.hearing.ears import LocalEars
from opencto.sandbox.ports import BYTES_PER_MS, SAMPLE_RATE, SpeechStarted, SpeechStopped, TurnEvent, TurnSettings

WANTED_MS = 100
SILENCE_MS = 500
_BEFORE_MS, _AFTER_MS = 1000, 1200
_PIECE_MS = 40
_HISS = 0.0005


@dataclass(frozen=True)
class Found:
    """One sentence; None where nobody was found speaking. How far it is from the truth: more is later."""

    start_ms: int
    end_ms: int
    turns: int


def matched(events: Iterable[TurnEvent], begin_ms: int, end_ms: int) -> Found | None:
    """The first start and the last end of a sentence that is spoken between these two; None where either is missing."""
    found = list(events)
    starts = [one.audio_start_ms for one in found if isinstance(one, SpeechStarted)]
    ends = [one.audio_end_ms - SILENCE_MS for one in found if isinstance(one, SpeechStopped)]
    return Found(starts[0] - begin_ms, ends[-1] - end_ms, len(starts)) if starts and ends else None


async def heard(sentence: Sentence, seed: int) -> Found | None:
    """Between two silences, with a faint hiss under all of it, as it comes over a wire. The room of a recording goes on there:
    no microphone switches it on for the first word."""
    settings = TurnSettings("server", prefix_padding_ms=0, silence_duration_ms=SILENCE_MS)
    detector = LocalEars().turn_detector(settings)
    before, after = (room(sentence.whole, SAMPLE_RATE * ms // 1000) for ms in (_BEFORE_MS, _AFTER_MS))
    around = np.concatenate([before, sentence.whole, after])
    sound = pcm(noise(around, _HISS, seed))
    size = _PIECE_MS * BYTES_PER_MS
    events = [event for at in range(0, len(sound), size) for event in await detector.push(sound[at : at + size])]
    return matched(events, _BEFORE_MS + sentence.begin_ms, _BEFORE_MS + sentence.end_ms)


async def report(sentences: list[Sentence], *, is_long: bool) -> None:
    halves: dict[str, list[Found | None]] = {"for tuning": [], "held out": []}
    counts: dict[str, int] = {}
    for seed, one in enumerate(sentences):
        number = counts[one.source] = counts.get(one.source, 0) + 1
        found = await heard(one, seed)
        halves["for tuning" if number % 2 else "held out"].append(found)
        if is_long:
            print(f"{one.source:14}{one.words[:48]:50}{found}")
    for half, all_found in (*halves.items(), ("together", halves["for tuning"] + halves["held out"])):
        found = [one for one in all_found if one is not None]
        split = sum(one.turns > 1 for one in found)
        print(
            f"\nactivity, {len(all_found)} sentences {half}: {len(all_found) - len(found)} not found, "
            f"{split} in more than one turn (a pause of {SILENCE_MS} ms in them)"
        )
        print(
            f"{'ms from the truth':20}{'median':>8}{'p50 of |error|':>16}{'p95':>7}{'worst':>7}   within {WANTED_MS} ms"
        )
        for side, errors_ms in (("start", [one.start_ms for one in found]), ("end", [one.end_ms for one in found])):
            if errors_ms:
                print(f"{side:20}{summed(errors_ms)} of {len(all_found)}")


def summed(errors_ms: Sequence[int]) -> str:
    """The columns of one line; the last says how many are near enough."""
    sizes = sorted(map(abs, errors_ms))
    p95 = sizes[min(len(sizes) - 1, int(len(sizes) * 0.95))]
    near = sum(size <= WANTED_MS for size in sizes)
    return f"{statistics.median(errors_ms):>+8.0f}{statistics.median(sizes):>16.0f}{p95:>7}{sizes[-1]:>7}   {near}"
