"""The models that the sandbox claims to have, and their prices: data of 2026-11-23, not code.

Names and shutdown dates follow OpenAI's deprecations page and the `openai` package 3.54; prices (US dollars per million
tokens, standard tier, short context) follow genai-prices 0.2.3 and the model pages. `created` is a plausible day where
OpenAI's own is not known. Models without a known price are left out: an unknown price must not become zero.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

AS_OF = date(2026, 11, 23)
Kind = Literal["chat", "realtime", "embedding", "transcription"]
DEFAULT_REALTIME_MODEL = "gpt-realtime-2.1"


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens. Audio is None where the model has none."""

    input: Decimal
    cached_input: Decimal
    output: Decimal
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Model:
    id: str
    kind: Kind
    created: date
    shutdown: date | None
    price: Price | None
    reasons: bool

    def is_alive(self, today: date) -> bool:
        return self.shutdown is None or today < self.shutdown

    def wire(self) -> dict[str, Any]:
        created = datetime(self.created.year, self.created.month, self.created.day, tzinfo=UTC)
        return {
            "id": self.id,
            "object": "model",
            "created": int(created.timestamp()),
            "owned_by": "openai",
            "shutdown_date": self.shutdown.isoformat() if self.shutdown else None,
        }


# id | kind | created | shutdown | input, cached, output[, audio in, audio out] | r = reasons
_DATA = """
gpt-6-astra              chat       2026-10-06  -           10    1      50          r
gpt-6.1-sol              chat       2026-11-03  -           2     0.1    10          r
gpt-6.1-terra            chat       2026-11-03  -           1     0.05   5           r
gpt-6-sol                chat       2026-10-06  -           2     0.2    10          r
gpt-6-luna               chat       2026-10-06  -           0.1   0.01   0.5         r
gpt-5.6-sol              chat       2026-07-14  -           4     0.4    20          r
gpt-5.6-terra            chat       2026-07-14  -           2     0.2    12          r
gpt-5.6-luna             chat       2026-07-14  -           0.2   0.02   1.2         r
gpt-5.5                  chat       2026-04-23  -           5     0.5    30          r
gpt-5.4                  chat       2026-03-05  -           2.5   0.25   15          r
gpt-5.4-mini             chat       2026-03-17  -           0.75  0.075  4.5         r
gpt-5.4-nano             chat       2026-03-17  2027-04-01  0.2   0.02   1.25        r
gpt-5.2                  chat       2025-12-11  -           1.75  0.175  14          r
gpt-5.1                  chat       2025-11-13  2027-04-01  1.25  0.125  10          r
gpt-5                    chat       2025-08-07  2026-12-11  1.25  0.125  10          r
gpt-5-mini               chat       2025-08-07  2026-12-11  0.25  0.025  2           r
gpt-5-nano               chat       2025-08-07  2026-12-11  0.05  0.005  0.4         r
gpt-4.1                  chat       2025-04-14  2027-01-14  2     0.5    8           -
gpt-4.1-mini             chat       2025-04-14  2027-01-14  0.4   0.1    1.6         -
gpt-4o                   chat       2024-05-10  2027-01-14  2.5   1.25   10          -
gpt-4o-mini              chat       2024-07-16  2027-01-14  0.15  0.075  0.6         -
gpt-4                    chat       2023-06-27  2026-10-23  30    30     60          -
gpt-realtime-2.1         realtime   2026-09-08  -           4     0.4    24  32  64  r
gpt-realtime-2.1-mini    realtime   2026-09-08  -           0.6   0.06   2.4 10  20  r
gpt-realtime-2           realtime   2026-05-07  -           4     0.4    24  32  64  r
gpt-realtime-1.5         realtime   2026-02-23  -           4     0.4    16  32  64  -
gpt-realtime             realtime   2025-08-28  2027-01-20  4     0.4    16  32  64  -
gpt-realtime-2025-08-28  realtime   2025-08-28  2027-01-20  4     0.4    16  32  64  -
gpt-realtime-mini        realtime   2025-10-06  2027-01-20  0.6   0.06   2.4 10  20  -
gpt-audio-1.5            realtime   2026-02-23  -           2.5   2.5    10  32  64  -
text-embedding-3-small   embedding  2024-01-22  -           0.02  0.02   0           -
text-embedding-3-large   embedding  2024-01-22  -           0.13  0.13   0           -
text-embedding-ada-002   embedding  2022-12-16  -           0.1   0.1    0           -
gpt-transcribe           transcription 2026-06-16 -         ?                        -
gpt-live-transcribe      transcription 2026-06-16 -         ?                        -
gpt-4o-transcribe        transcription 2025-03-15 2027-02-26 ?                       -
gpt-4o-mini-transcribe   transcription 2025-03-15 2027-02-26 ?                       -
whisper-1                transcription 2023-02-27 2027-02-26 ?                       -
"""


def _read(line: str) -> Model:
    name, kind, created, shutdown, *numbers, reasons = line.split()
    price = None if numbers == ["?"] else Price(*(Decimal(number) for number in numbers))
    return Model(
        name,
        kind,  # pyright: ignore[reportArgumentType]
        date.fromisoformat(created),
        None if shutdown == "-" else date.fromisoformat(shutdown),
        price,
        reasons == "r",
    )


MODELS = {model.id: model for model in map(_read, _DATA.strip().splitlines())}


def alive(today: date) -> list[Model]:
    """What `GET /v1/models` lists on that day."""
    return [model for model in MODELS.values() if model.is_alive(today)]


def find(name: str, today: date) -> Model | None:
    model = MODELS.get(name)
    return model if model and model.is_alive(today) else None
