"""What every shape has in common: camelCase, no unknown fields in, text that can be stored and shown."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator
from pydantic.alias_generators import to_camel

ItemT = TypeVar("ItemT")
SentT = TypeVar("SentT")

_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})  # control, format (bidi, zero width), private, surrogate
_EMAIL = re.compile(r"[^@\s\"'<>()\[\],;:\\]{1,64}@[^@\s\"'<>()\[\],;:\\.]+(\.[^@\s\"'<>()\[\],;:\\.]+)*")


class Wire(BaseModel):
    """An answer: camelCase outside, snake_case inside. A client ignores fields it does not know."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True)


class WireIn(Wire):
    """A request body: unknown fields are refused, so that a typo is a message and not a surprise."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _is_unicode(cls, data: Any) -> Any:
        # JSON can spell half a surrogate pair (\ud800) and NUL, which no database, log or answer can hold.
        if not _is_storable(data):
            raise ValueError("must be valid Unicode without NUL characters or half of a surrogate pair")
        return data


class Page(Wire, Generic[ItemT]):
    """One page of a list. `next_cursor` null means that this was the last."""

    data: list[ItemT]
    next_cursor: str | None = None


def _is_storable(data: Any) -> bool:
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if "\x00" in value:
                return False
            try:
                value.encode()
            except UnicodeEncodeError:
                return False
        elif isinstance(value, dict):
            entries = cast("dict[Any, Any]", value)
            waiting += entries.keys()
            waiting += entries.values()
        elif isinstance(value, list):
            waiting += cast("list[Any]", value)
    return True


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain a NUL character")
    return text


def _shown(text: str) -> str:
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise ValueError("must not be empty")
    if any(unicodedata.category(character) in _INVISIBLE for character in text):
        raise ValueError("must not contain control, invisible or text-direction characters")
    return text


def _email(text: str) -> str:
    text = _shown(text)
    if len(text) > 254 or not _EMAIL.fullmatch(text):
        raise ValueError("must be an e-mail address such as ada@example.com")
    return text


def _not_null(value: Any) -> Any:
    if value is None:
        raise ValueError("must not be null; leave the field out to keep what is there")
    return value


def _as_sent(schema: dict[str, Any]) -> None:
    """In the document the field is optional and not nullable."""
    schema.pop("default", None)
    for branch in schema.pop("anyOf", []):
        if branch != {"type": "null"}:
            schema.update({**branch, **schema})


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Text = Annotated[str, AfterValidator(_storable)]
"""Free text that a database can store."""

Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_shown)]
"""What people call something: 1 to 100 characters, all of them visible, trimmed and in Unicode's composed form."""

Email = Annotated[str, Field(min_length=3, max_length=254), AfterValidator(_email)]
"""An e-mail address as written; compared case-insensitively."""

Time = Annotated[datetime, PlainSerializer(_utc, return_type=str, when_used="json")]
"""RFC 3339 in UTC, to the millisecond."""

Sent = Annotated[SentT | None, BeforeValidator(_not_null), Field(json_schema_extra=_as_sent)]
"""A field of a PATCH body: absent (None inside) keeps what is there, an explicit null is refused. Give it `= None`."""
