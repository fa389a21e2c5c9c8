"""What Chat Completions and Responses share on the way from the mind to the wire."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from opencto.sandbox import tokens
from opencto.sandbox.errors import not_in_sandbox
from opencto.sandbox.ports import Calls
from opencto.sandbox.structured import TooComplicated, smallest

CONTEXT_TOKENS = 128_000
ASSUMED_OUTPUT = 256
"""What the token limit assumes for the answer when the caller sets no bound."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call on its way to the wire: its arguments in tokens."""

    name: str
    pieces: tuple[str, ...]
    call_id: str = field(default_factory=lambda: f"call_{secrets.token_hex(12)}")

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)


def tool_calls(calls: Calls) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(one.name, tuple(tokens.split(json.dumps(dict(one.arguments))))) for one in calls.calls)


def as_schema(schema: dict[str, Any], said: str, param: str) -> str:
    """The smallest JSON that the schema allows, around what was said. Raises ApiError."""
    try:
        return json.dumps(smallest(schema, said))
    except TooComplicated as error:
        raise not_in_sandbox(param, f"a schema with {error}") from None


def as_object(said: str) -> str:
    return json.dumps({"answer": said})


def obfuscation() -> str:
    """Padding of a random length, so that the size of an event does not tell the length of its word."""
    return secrets.token_urlsafe(12)[: 4 + secrets.randbelow(12)]
