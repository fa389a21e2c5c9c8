"""Requests that lean on what came before: "and yesterday?", the answer to a question of ours, "close the first one"."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, cast

from opencto.sandbox.mind import dating, strings
from opencto.sandbox.mind.names import ASKS
from opencto.sandbox.mind.reading import Exchange, Reading
from opencto.sandbox.mind.schema import Field
from opencto.sandbox.mind.words import STOP, split_name, stem, words

ASKED_BACK = "For that I need "
_LEANING = re.compile(
    r"\s*(?:and|but|or|ok(?:ay)?|so|then|also|only|just|now|same|again|no|yes|actually|i mean(?:t)?|make (?:it|that)|what about|how about|and what about|and how about|instead|rather|"
    r"the same)\b[\s,]*",
    re.IGNORECASE,
)
_ORDINALS = {"first": 0, "1st": 0, "newest": 0, "latest": 0, "top": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "fifth": 4, "last": -1, "oldest": -1}  # fmt: skip
_POINTING = re.compile(
    r"\b(it|its|that|this|them|that one|this one|the (?:first|second|third|fourth|fifth|last|latest|newest|oldest|top) (?:one|\w+))\b",
    re.IGNORECASE,
)


def is_led(text: str) -> bool:
    """Whether a request says that it is the change of the one before: "and …", "what about …"."""
    return _LEANING.match(text) is not None


def leans(text: str, verbs: Collection[str] = ()) -> bool:
    """The same, or so short that it must be: a few words that neither ask nor begin with the verb of a tool."""
    if is_led(text):
        return True
    found = words(text)
    if not found or found[0].low in ASKS or stem(found[0].text) in verbs:
        return False
    return len(found) <= 5 and sum(word.low not in STOP for word in found) <= 3


def change(text: str) -> str:
    """What is left of a follow-up without "and what about"."""
    for _ in range(3):
        match = _LEANING.match(text)
        if match is None or match.end() == 0:
            break
        text = text[match.end() :]
    return text.strip()


def merged(old: Mapping[str, Any], new: Mapping[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
    """The arguments of the call before, with what was said anew. A new period replaces both ends of the old one."""
    roles = {one.name: dating.role_of(one) for one in fields}
    spans = {name for name, role in roles.items() if role in {"start", "end"}}
    dates = {name for name, role in roles.items() if role is not None}
    kept = dict(old)
    if any(name in spans for name in new):
        kept = {name: value for name, value in kept.items() if name not in spans}
    elif any(name in dates for name in new):
        kept = {name: value for name, value in kept.items() if name not in dates}
    return {**kept, **new}


def arguments_of(exchange: Exchange) -> dict[str, Any]:
    try:
        found: Any = json.loads(exchange.call.arguments or "{}")
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def pointed_at(text: str, field: Field, reading: Reading) -> Any:
    """The value that "it" or "the second one" stands for, out of the last result; None when nothing is pointed at."""
    pointing = _POINTING.search(text)
    if pointing is None or not reading.answered or reading.answered[-1].output is None:
        return None
    rows = _rows(reading.answered[-1].output)
    found = [value for row in rows if (value := _value(row, field)) is not None]
    place = next((_ORDINALS[word] for word in re.findall(r"\w+", pointing.group().lower()) if word in _ORDINALS), None)
    if place is None:
        if len(found) == 1:
            return found[0]
        own = arguments_of(reading.answered[-1]).get(field.name)
        return own if own is not None and (isinstance(own, str) or field.kind != "string") else None
    return found[place] if -len(found) <= place < len(found) else None


def _rows(output: str) -> list[dict[str, Any]]:
    try:
        value: Any = json.loads(output)
    except (ValueError, RecursionError):
        return []
    if isinstance(value, dict):
        lists = [cast("list[Any]", one) for one in cast("dict[str, Any]", value).values() if isinstance(one, list)]
        value = next((one for one in lists if one and isinstance(one[0], dict)), [cast("dict[str, Any]", value)])
    if not isinstance(value, list):
        return []
    return [cast("dict[str, Any]", one) for one in cast("list[Any]", value)[:200] if isinstance(one, dict)]


def _value(row: dict[str, Any], field: Field) -> Any:
    """What a row has for a field: `ticket_id` from `ticketId`, `ticket_id`, `id`, or `number`."""
    wanted = [stem(part) for part in split_name(field.name)]
    for key, value in row.items():
        if [stem(part) for part in split_name(key)] == wanted and isinstance(value, (str, int)):
            return _as(field, value)
    if strings.is_id(field):
        for key in ("id", "key", "number", "name"):
            if isinstance(row.get(key), (str, int)):
                return _as(field, row[key])
    return None


def _as(field: Field, value: str | int) -> Any:
    if field.kind == "string":
        return str(value)
    return value if isinstance(value, int) or field.kind not in {"integer", "number"} else None
