"""How quick it was and what it used, by definitions that stand in docs/talk.md. All times are of one monotonic clock."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opencto.client.realtime import events
from opencto.client.realtime.events import Event
from opencto.wire.sessions import LatencyMetric


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement in milliseconds."""

    metric: LatencyMetric
    milliseconds: float
    response_id: str | None = None
    call_id: str | None = None
    count: int | None = None


@dataclass(slots=True)
class Usage:
    """Tokens as OpenAI counted them; cached and audio tokens are parts of the others."""

    responses: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0

    def add(self, usage: Mapping[str, Any]) -> dict[str, int]:
        """Count one response; gives what it used."""
        into: Mapping[str, Any] = usage.get("input_token_details") or {}
        out: Mapping[str, Any] = usage.get("output_token_details") or {}
        cached: Mapping[str, Any] = into.get("cached_tokens_details") or {}
        one = {
            "input_tokens": int(usage.get("input_tokens") or 0),
            "cached_input_tokens": int(into.get("cached_tokens") or 0),
            "output_tokens": int(usage.get("output_tokens") or 0),
            "input_audio_tokens": int(into.get("audio_tokens") or 0),
            "output_audio_tokens": int(out.get("audio_tokens") or 0),
        }
        self.responses += 1
        for name, count in one.items():
            setattr(self, name, getattr(self, name) + count)
        return {**one, "cached_input_audio_tokens": int(cached.get("audio_tokens") or 0)}


@dataclass(slots=True)
class _Answer:
    started: float
    end_of_speech: float | None
    first_piece: float | None = None
    has_sounded: bool = False


class Metrics:
    """Watches events with their times. `tell` gets each measurement once."""

    def __init__(self, tell: Callable[[Measured], None], *, is_written: bool = False) -> None:
        """`is_written`: answers are read, and their first word counts as their first sound."""
        self._is_written = is_written
        self.usage = Usage()
        self.values: dict[LatencyMetric, list[float]] = defaultdict(list)
        self._tell = tell
        self._answers: dict[str, _Answer] = {}
        self._end_of_speech: float | None = None
        self._quiet_since: float | None = None
        """Since when a tool runs and nothing is heard."""

    def record(
        self,
        metric: LatencyMetric,
        seconds: float,
        *,
        response_id: str | None = None,
        call_id: str | None = None,
        count: int | None = None,
    ) -> None:
        milliseconds = round(max(0.0, seconds * 1000), 1)
        self.values[metric].append(milliseconds)
        self._tell(Measured(metric, milliseconds, response_id, call_id, count))

    def speech_ended(self, at: float, told_at: float) -> None:
        """The user stopped at this moment; the server said so at that one."""
        self._end_of_speech = at
        self.record("eot_delay", told_at - at)

    def on(self, event: Event, now: float) -> None:
        """What an event says of times."""
        match event:
            case events.ResponseStarted() if not event.is_aside:
                self._answers[event.response_id] = _Answer(now, self._end_of_speech)
            case events.SoundDelta() if not self._is_written:
                self._first_piece(event.response_id, now)
            case events.SaidDelta() if self._is_written:
                self._first_piece(event.response_id, now)
                self.heard_something(now)
            case events.ResponseEnded():
                if event.usage:
                    self.usage.add(event.usage)
            case _:
                pass

    def _first_piece(self, response_id: str, now: float) -> None:
        answer = self._answers.get(response_id)
        if answer is not None and answer.first_piece is None:
            answer.first_piece = now
            self.record("ttfa_model", now - answer.started, response_id=response_id)

    def sounded(self, response_id: str, at: float) -> None:
        """The first sound of an answer was heard at this moment."""
        self.heard_something(at)
        answer = self._answers.get(response_id)
        if answer is None or answer.has_sounded:
            return
        answer.has_sounded = True
        if answer.first_piece is not None:
            self.record("render_delay", at - answer.first_piece, response_id=response_id)
        if answer.end_of_speech is not None and answer.end_of_speech == self._end_of_speech:
            self._end_of_speech = None  # answered: by this one, though others that only called tools began before
            self.record("eos_to_first_sound", at - answer.end_of_speech, response_id=response_id)

    def tool_began(self, now: float, speaking_until: float | None) -> None:
        if self._quiet_since is None:
            self._quiet_since = max(now, speaking_until or now)

    def heard_something(self, now: float) -> None:
        """Sound or words came: the silence of a tool ends."""
        if self._quiet_since is not None:
            self.record("tool_dead_air", now - self._quiet_since)
            self._quiet_since = None

    def summary(self) -> dict[str, dict[str, float]]:
        """For each metric how often, p50, p95 and most, in milliseconds."""
        return {name: _summary(values) for name, values in self.values.items() if values}


def _summary(values: list[float]) -> dict[str, float]:
    ranked = sorted(values)
    return {
        "measurements": len(ranked),
        "p50": ranked[(len(ranked) - 1) // 2],
        "p95": ranked[min(len(ranked) - 1, int(len(ranked) * 0.95))],
        "max": ranked[-1],
    }


@dataclass(slots=True)
class Loudness:
    """Where speech ended, by ear: the last frame that was loud for this room. For turn detection that names no silence."""

    floor: float = field(default=80.0)
    last_loud_at: float | None = None

    def frame(self, level: float, at: float) -> None:
        """`level` is the root mean square of 16-bit samples."""
        self.floor = level if level < self.floor else min(self.floor * 1.01 + 0.05, 400.0)
        if level > max(self.floor * 3, 150.0):
            self.last_loud_at = at
