"""What a conversation can fail with: a code, a sentence, what to do, and whether trying again can help."""

from dataclasses import dataclass

from opencto.client.errors import APIConnectionError, APIStatusError, OpenCTOError

REFUSED_CLOSES = frozenset({3000, 4000})
"""Closed with these, the next attempt would be closed alike."""


@dataclass(frozen=True, slots=True)
class _Known:
    said: str
    remedy: str
    is_retryable: bool = False


_KNOWN: dict[str, _Known] = {
    "invalid_api_key": _Known(
        "OpenAI refuses the secret of this conversation.", "Check the OpenAI key: `opencto keys list`."
    ),
    "insufficient_quota": _Known(
        "The OpenAI account has no credit left.", "Add credit at OpenAI, or save another key: `opencto keys set`."
    ),
    "billing_hard_limit_reached": _Known(
        "The OpenAI account has reached its budget.", "Raise the budget at OpenAI, or save another key."
    ),
    "invalid_model": _Known("OpenAI does not know this model.", "Choose another one: `opencto models`."),
    "model_not_found": _Known("The key does not reach this model.", "Choose another one: `opencto models`."),
    "missing_model": _Known("No model was named.", "This is a defect; please report it."),
    "beta_api_shape_disabled": _Known(
        "The upstream speaks another version of the protocol.", "Update OpenCTO, or check OPENAI_BASE_URL."
    ),
    "rate_limit_exceeded": _Known(
        "OpenAI's rate limit is reached.", "Wait a moment and say it again.", is_retryable=True
    ),
    "session_expired": _Known("The session reached its longest duration.", "It goes on by itself.", is_retryable=True),
    "NO_PROVIDER_KEY": _Known("There is no OpenAI key.", "Save one: `opencto keys set`."),
    "sandbox_no_ears": _Known(
        "The local sandbox cannot hear here.",
        'Install its ears (`pip install "opencto[local]"`), add an OpenAI key, or write: `opencto talk --text`.',
    ),
}
FATAL_CODES = frozenset(code for code, known in _KNOWN.items() if not known.is_retryable) - {"sandbox_no_ears"}


class RealtimeError(OpenCTOError):
    """A conversation that could not begin, or not go on."""

    def __init__(self, code: str, said: str, remedy: str = "", *, is_retryable: bool = False) -> None:
        super().__init__(code, said)
        self.code = code
        self.said = said
        self.remedy = remedy
        self.is_retryable = is_retryable
        self.pause_seconds: float | None = None
        """How long to wait at least, where the other side said so."""

    def __str__(self) -> str:
        return f"{self.said} {self.remedy}".strip()


def known(code: str, said: str = "") -> RealtimeError:
    """The failure of a code of OpenAI or of ours; `said` is told where the code means nothing to us."""
    found = _KNOWN.get(code)
    if found is None:
        return RealtimeError(code or "unknown", said or "The conversation failed.", is_retryable=True)
    return RealtimeError(code, found.said, found.remedy, is_retryable=found.is_retryable)


def of_close(code: int | None, error_code: str, said: str) -> RealtimeError:
    """Why a socket closed, with the last error that came before."""
    found = known(error_code, said) if error_code else None
    if code in REFUSED_CLOSES:
        refused = found or RealtimeError(f"closed_{code}", said or "The conversation was refused.")
        refused.is_retryable = False
        return refused
    if found is not None and (not found.is_retryable or error_code in _KNOWN):
        return found
    return RealtimeError("connection_lost", "The connection broke.", "It is tried again.", is_retryable=True)


def of_call(error: OpenCTOError) -> RealtimeError:
    """Why no token could be had."""
    if isinstance(error, APIStatusError):
        is_passing = error.status >= 500 or (error.status == 429 and error.code != "PROVIDER_QUOTA_EXHAUSTED")
        made = RealtimeError(error.code or f"status_{error.status}", error.detail, is_retryable=is_passing)
        made.pause_seconds = error.retry_after if is_passing else None
        return made
    if isinstance(error, APIConnectionError):
        return RealtimeError("not_reachable", str(error), "It is tried again.", is_retryable=True)
    return RealtimeError("unexpected", str(error))
