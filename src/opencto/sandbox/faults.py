"""Faults on demand: what a fault is, how it is written, and which of them is due. `front.py` carries them out."""

import re
from dataclasses import dataclass
from typing import Any

from opencto.sandbox.errors import (
    OVERLOADED_MESSAGE,
    ApiError,
    insufficient_quota,
    overloaded,
    rate_limited,
    server_error,
)

KINDS: dict[str, tuple[str, float]] = {
    "latency": ("the answer begins after VALUE seconds", 1.0),
    "stall": ("the answer stops in the middle for VALUE seconds", 60.0),
    "cut": ("the connection is cut in the middle of the answer", 0),
    "html": ("a page of HTML instead of JSON, with status VALUE", 200.0),
    "half_json": ("the first half of the JSON, with a matching length", 0),
    "error_500": ("500 server_error", 0),
    "error_503": ("503 overloaded", 0),
    "rate_limit": ("429 rate_limit_exceeded with retry-after VALUE seconds", 1.0),
    "slow_down": ("429 slow_down", 0),
    "quota": ("429 insufficient_quota", 0),
    "unauthorized": ("401 invalid_api_key", 0),
    "forbidden": ("403 unsupported_country_region_territory", 0),
    "refusal": ("a response or completion is a refusal", 0),
    "incomplete": ("a response or completion is ended by the content filter", 0),
    "failed": ("a response has the status failed, with 200; a completion is 500", 0),
    "error_event": ("a stream of a response or completion ends with an error in the middle; whole, it is 500", 0),
    "jitter": (
        "each event of a Realtime socket, and each piece of a stream, comes up to VALUE seconds later, in order",
        0.2,
    ),
    "half_open": ("a Realtime socket opens, or a request is taken, and then nothing is heard or said", 0),
    "going_away": ("a Realtime socket is closed with 1001 in the middle of an answer", 0),
    "late_deltas": ("a cancelled Realtime answer goes on for VALUE tokens", 10.0),
    "late_transcripts": ("a transcript of Realtime comes after the next one, or after VALUE seconds", 5.0),
    "quiet": ("a spoken answer can hardly be heard", 0),
}
"""Each kind with its sentence and its usual value."""

_OF_SOCKETS = {"going_away", "late_deltas", "late_transcripts", "quiet"}
_OF_ANSWERS = {"refusal", "incomplete", "failed", "error_event"}
HTTP_KINDS = tuple(kind for kind in KINDS if kind not in _OF_SOCKETS | _OF_ANSWERS)
SOCKET_PATH = "/realtime/socket"
"""The path of the Realtime socket for faults, so that it can be met alone: minting is /realtime/client_secrets.

There, `latency`, `stall`, `cut` and the errors but two meet an answer, which fails with them; `unauthorized` and `forbidden`
meet who opens the socket.
"""

_WRITTEN = re.compile(r"(?P<kind>[a-z0-9_]+)(:(?P<value>\d+(\.\d+)?))?(@(?P<path>/[^*]*))?(\*(?P<times>\d+))?")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `path` is the beginning of the paths it meets, after the mount; `times` None means always."""

    kind: str
    path: str = "/"
    value: float = 0
    times: int | None = None

    @classmethod
    def of(cls, kind: str, *, path: str = "/", value: float | None = None, times: int | None = None) -> "Fault":
        """Raises ValueError for an unknown kind or a value that cannot be."""
        if kind not in KINDS:
            raise ValueError(f"There is no fault {kind!r}. There are: {', '.join(KINDS)}.")
        value = KINDS[kind][1] if value is None else value
        if not 0 <= value <= 3600:
            raise ValueError("The value of a fault is a number from 0 to 3600.")
        if times is not None and times < 1:
            raise ValueError("A fault happens at least once.")
        if not path.startswith("/"):
            raise ValueError("The path of a fault begins with a slash, such as /chat/completions.")
        return cls(kind, path, value, times)

    @classmethod
    def parse(cls, written: str) -> "Fault":
        """From `KIND[:VALUE][@PATH][*TIMES]`, such as `latency:2@/chat/completions*3`. Raises ValueError."""
        match = _WRITTEN.fullmatch(written)
        if match is None:
            raise ValueError(
                f"{written!r} is not a fault. Write KIND[:VALUE][@PATH][*TIMES], such as latency:2@/models*3."
            )
        value, times = match["value"], match["times"]
        return cls.of(
            match["kind"],
            path=match["path"] or "/",
            value=float(value) if value else None,
            times=int(times) if times else None,
        )

    def wire(self) -> dict[str, Any]:
        return {"kind": self.kind, "path": self.path, "value": self.value, "times": self.times}

    def error(self) -> ApiError | None:
        """The answer, for the kinds that are an answer by themselves."""
        match self.kind:
            case "error_500":
                return server_error()
            case "error_503":
                return overloaded()
            case "rate_limit":
                return rate_limited("the model", "requests", 3, 3, 1, max(self.value, 0.001))
            case "slow_down":
                return ApiError(429, OVERLOADED_MESSAGE, type="rate_limit_error", code="slow_down")
            case "quota":
                return insufficient_quota()
            case "unauthorized":
                return ApiError(
                    401,
                    "Incorrect API key provided: sk-fault****************ault. You can find your API key at https://platform.openai.com/account/api-keys.",
                    code="invalid_api_key",
                )
            case "forbidden":
                return ApiError(
                    403,
                    "Country, region, or territory not supported",
                    type="request_forbidden",
                    code="unsupported_country_region_territory",
                )
            case _:
                return None
