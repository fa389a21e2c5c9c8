"""The demo month: 30 days of invented usage, so that a first question about costs has an answer.

Everything in it carries the project `proj_demo`, the person `user-demo` and the key `key_demo`, and an answer that contains any of it says so
in a header. The same start always gives the same month.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

from opencto.core.clock import millis

PROJECT_ID = "proj_demo"
USER_ID = "user-demo"
KEY_ID = "key_demo"
DAYS = 30
HEADER = "x-opencto-sandbox-demo"
HEADER_VALUE = "this answer contains demo data (project proj_demo)"

# model: (capability, requests in a busy hour, input, cached, output, input audio, output audio; each for one request)
_HABITS: dict[str, tuple[str, int, int, int, int, int, int]] = {
    "gpt-realtime-2.1": ("completions", 6, 2600, 900, 420, 1100, 300),
    "gpt-6-luna": ("completions", 40, 1500, 600, 220, 0, 0),
    "gpt-6.1-sol": ("completions", 5, 6200, 2400, 900, 0, 0),
    "text-embedding-3-small": ("embeddings", 30, 240, 0, 0, 0, 0),
}
# How busy each hour of the day is, in tenths, on a working day.
_HOURS = (0, 0, 0, 0, 0, 0, 1, 3, 6, 9, 10, 8, 6, 9, 10, 9, 7, 4, 2, 1, 1, 0, 0, 0)
_WEEKEND = 0.15


def month_before(now: datetime) -> Iterator[dict[str, Any]]:
    """Rows of usage for the 30 UTC days that end at the last midnight before `now`."""
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    for day in range(DAYS, 0, -1):
        for hour, busy in enumerate(_HOURS):
            at = today - timedelta(days=day) + timedelta(hours=hour, minutes=30)
            for model, habit in _HABITS.items():
                capability, requests, *tokens = habit
                scale = busy / 10 * (_WEEKEND if at.weekday() >= 5 else 1.0) * _wobble(day, hour, model)
                count = round(requests * scale)
                if count:
                    yield _row(
                        at, capability, model, count, [round(one * count * _wobble(hour, day, model)) for one in tokens]
                    )


def _row(at: datetime, capability: str, model: str, count: int, tokens: list[int]) -> dict[str, Any]:
    given, cached, output, audio_in, audio_out = tokens
    return {
        "at_ms": millis(at),
        "capability": capability,
        "model": model,
        "project_id": PROJECT_ID,
        "user_id": USER_ID,
        "api_key_id": KEY_ID,
        "service_tier": "default",
        "requests": count,
        "input_tokens": given,
        "input_cached_tokens": cached,
        "input_audio_tokens": audio_in,
        "output_tokens": output,
        "output_audio_tokens": audio_out,
        "is_demo": True,
    }


def _wobble(*parts: object) -> float:
    """0.7 to 1.3, always the same for the same parts."""
    number = int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "big")
    return 0.7 + 0.6 * number / 0xFFFFFFFF
