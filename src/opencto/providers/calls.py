"""What belongs to one call of the door: how long, how much, how often, and its stopwatch."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opencto.core.clock import Clock
from opencto.core.secret import Secret
from opencto.providers.errors import Upstream
from opencto.providers.faults import safe_word
from opencto.providers.transport import Reply, StreamReply

Observer = Callable[[Upstream, str | None], None]
"""Told of every call when it ends: how it went, and the code of the problem, CANCELLED, or None when all was well."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds that each kind of call may take in all, retries included; `idle` is the longest silence within a stream."""

    mint: float = 10.0
    models: float = 15.0
    chat: float = 120.0
    stream: float = 600.0
    idle: float = 60.0
    organization: float = 30.0


@dataclass(frozen=True, slots=True)
class Caps:
    """How much is read of each kind of answer, in bytes, after decompression."""

    mint: int = 262_144
    models: int = 4_194_304
    chat: int = 16_777_216
    stream: int = 67_108_864
    organization: int = 16_777_216
    error: int = 65_536


@dataclass(frozen=True, slots=True)
class Retries:
    """Doubling pauses with jitter, and OpenAI's own word where it gives one; a longer one than `longest_seconds` is left
    to the caller."""

    attempts: int = 3
    first_seconds: float = 0.25
    longest_seconds: float = 5.0

    def pause(self, attempt: int, told: float | None) -> float | None:
        """Seconds to wait after the given attempt, None to give up."""
        if attempt >= self.attempts:
            return None
        if told is not None:
            return told * random.uniform(1.0, 1.1) if told <= self.longest_seconds else None  # noqa: S311 - jitter
        return random.uniform(0.5, 1.0) * min(self.longest_seconds, self.first_seconds * 2 ** (attempt - 1))  # noqa: S311


@dataclass(frozen=True, slots=True)
class Call:
    """One request, ready to be sent. `model` is for the words of a refusal."""

    operation: str
    method: str
    path: str
    total_seconds: float
    max_bytes: int
    body: bytes | None = None
    headers: Mapping[str, str] | None = None
    model: str | None = None


class Trip:
    """The stopwatch of one call."""

    def __init__(self, clock: Clock, operation: str, key: Secret | None) -> None:
        self._key = key
        self._clock = clock
        self._begun = clock.monotonic()
        self._operation = operation
        self.attempts = 0

    def upstream(self, reply: Reply | StreamReply | None) -> Upstream:
        """How it stands now."""
        return Upstream(
            self._operation,
            reply.status if reply else None,
            safe_word(reply.headers.get("x-request-id"), self._key) if reply else None,
            self._clock.monotonic() - self._begun,
            max(1, self.attempts),
        )
