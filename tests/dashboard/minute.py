"""Some time of a talk, and what its recording proves: for the tests of the sound, and for `benchmarks/talk_browser.py`."""

import base64
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from dashboard.soundly import (
    RATE,
    Samples,
    at_24k,
    falls_silent,
    find,
    in_order,
    matches,
    of_pcm,
    stopped_at_ms,
)
from dashboard.talking import Recording, Talker, recording

_ALIKE = 0.9
_SEEN_OUT = RATE // 2
"""So much of the recording has to follow on an interruption, that the silence after it is in it."""


@dataclass
class Minute:
    """What there is of it: the log of the wire, what was played and heard, and the answers as they came."""

    sent: list[dict[str, Any]]
    got: list[dict[str, Any]]
    played: Samples
    heard: Samples
    appended: Samples
    answers: dict[str, Samples]
    begin_seconds: float
    """When the recording of what was played begins, on the clock of the sound."""
    missed: int
    """Samples of what was played and heard that the recorder was not called for."""

    @classmethod
    def of(cls, talker: Talker) -> "Minute":
        played, heard = recording(talker.page, "played"), recording(talker.page, "heard")
        sound: dict[str, list[str]] = talker.probe("sound")
        return cls(
            talker.probe("sent"),
            talker.probe("got"),
            _at_24k(played),
            _at_24k(heard),
            of_pcm(b"".join(base64.b64decode(one) for one in talker.probe("keepsSent"))),
            {item: of_pcm(b"".join(map(base64.b64decode, pieces))) for item, pieces in sound.items()},
            played.begin / played.rate,
            round((played.missed + heard.missed) * RATE / played.rate),
        )

    def interruptions(self) -> list[tuple[dict[str, Any], int]]:
        """Each truncation, and the sample of the recording at which the page was told that somebody speaks.

        The talk goes on while the recording is fetched, for ten seconds and more where it is long: what the log tells of that
        time is not in the recording.
        """
        begins = [one for one in self.got if one["type"] == "input_audio_buffer.speech_started"]
        cuts = [one for one in self.sent if one["type"] == "conversation.item.truncate"]
        found: list[tuple[dict[str, Any], int]] = []
        for cut in cuts:
            told = [one for one in begins if one["at"] <= cut["at"]][-1]
            sample = round((told["frame"] - self.begin_seconds) * RATE)
            if sample + _SEEN_OUT <= len(self.played):
                found.append((cut, sample))
        return found

    def silences_ms(self) -> list[float]:
        """From the word that somebody speaks to silence."""
        return [max(0, falls_silent(self.played, told) - told) * 1000 / RATE for _, told in self.interruptions()]

    def truncate_errors_ms(self) -> list[float]:
        """Between what the service was told to have been heard and what had been played; where it can be told.

        An answer that is stopped in a pause of its own is off by as much as is told beyond either end of the pause.
        """
        errors: list[float] = []
        for cut, told in self.interruptions():
            end, told_ms = falls_silent(self.played, told), float(cut["endMs"])
            stopped = stopped_at_ms(self.played, end, self.answers[cut["item"]], told_ms)
            if stopped is not None:
                least, most = stopped
                errors.append(max(least - told_ms, told_ms - most, 0))
        return errors

    def moves(self) -> list[int]:
        """By how many samples each piece of an answer was played later (or earlier: samples were left out) than the one before."""
        found: list[int] = []
        for cut, told in self.interruptions():
            end, source = falls_silent(self.played, told), self.answers[cut["item"]]
            # From its beginning, with room for the silence in between; what was before it is of another answer.
            heard = self.played[max(0, end - cut["endMs"] * RATE // 1000 - 4 * RATE) : end]
            pieces = in_order(matches(heard, source))
            found += [(two.recorded - one.recorded) - (two.source - one.source) for one, two in pairwise(pieces)]
        return found

    def shifts(self) -> list[int]:
        """Where each piece that was sent lies in what the microphone gave: a sample that is lost moves all that follow."""
        piece, found = RATE // 5, list[int]()
        for start in range(0, len(self.appended) - piece, piece):
            part = self.appended[start : start + piece]
            if float(np.sqrt(np.mean(part**2))) < 0.01:
                continue
            begin = max(0, start - RATE)
            within = self.heard[begin : start + 2 * RATE]
            if len(within) < 2 * piece:
                break  # the page spoke on while the recording was fetched
            place, alike = find(part, within)
            if alike > _ALIKE:
                found.append(begin + place - start)
        return found

    def most_messages_a_second(self) -> int:
        moments = np.array([one["at"] for one in self.sent])
        return max(int(((moments >= at) & (moments < at + 1000)).sum()) for at in moments)


def _at_24k(one: Recording) -> Samples:
    return at_24k(one.samples, one.rate)
