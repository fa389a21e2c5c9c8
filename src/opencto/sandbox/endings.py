"""Answers that end otherwise than well, on demand: by a fault, or by a message that is nothing but one of a few sentences."""

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

from starlette.concurrency import run_in_threadpool

from opencto.sandbox.store import Store

Kind = Literal["refusal", "incomplete", "failed", "error_event"]
KINDS: Final = get_args(Kind)
REFUSAL: Final = "I'm sorry, but I can't help with that. The local sandbox refuses on demand."
_MESSAGES: Final = {
    "server_error": "The server had an error while processing your request. Sorry about that!",
    "rate_limit_exceeded": "Rate limit reached. Please try again in 1s.",
    "invalid_prompt": "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
}
SENTENCES: Final = {
    "sandbox: refuse": "a refusal",
    "sandbox: stop short": "an answer that a content filter ends",
    "sandbox: fail": f"a response that fails; `sandbox: fail with CODE` for {', '.join(_MESSAGES)}",
    "sandbox: break off": "an error in the middle of a stream, or instead of an answer",
}
_WRITTEN = re.compile(
    rf"\s*sandbox: (?:(?P<refusal>refuse)|(?P<incomplete>stop short)|(?P<failed>fail(?: with (?P<code>{'|'.join(_MESSAGES)}))?)|(?P<error_event>break off))[.!]?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Ending:
    kind: Kind
    code: str = "server_error"

    @property
    def message(self) -> str:
        return _MESSAGES[self.code]


class Endings:
    """`is_on` False looks at the words alone."""

    def __init__(self, store: Store, *, is_on: bool) -> None:
        self._store = store
        self._is_on = is_on

    async def of(self, path: str, last_words: str) -> Ending | None:
        """How the answer at this path, to these words of the user, ends; None for well."""
        match = _WRITTEN.fullmatch(last_words[:80])
        if match is not None:
            kind = next(one for one in KINDS if match[one])
            return Ending(kind, (match["code"] or "server_error").lower())
        fault = await run_in_threadpool(self._store.next_fault, path, KINDS) if self._is_on else None
        return None if fault is None else Ending(next(one for one in KINDS if one == fault.kind))
