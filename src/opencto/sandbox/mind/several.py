"""More than one call for one sentence: two requests joined by "and", or one request for two things of a kind."""

import re
from datetime import datetime
from typing import Any

from opencto.sandbox.mind import dating, strings
from opencto.sandbox.mind.arguments import Filled, fill
from opencto.sandbox.mind.choosing import Alike
from opencto.sandbox.mind.routing import Described
from opencto.sandbox.mind.sentence import Sentence
from opencto.sandbox.mind.words import stems

_JOINTS = re.compile(
    r"\s*(?:(?:[;?!]|[,.](?!\d))\s*(?:and\s+)?(?:also\s+|then\s+)?|\s+and\s+(?:also\s+|then\s+)?|\s+as well as\s+|\s+plus\s+)(?=\w)",
    re.IGNORECASE,
)
_MOST = 4


def parts_of(text: str) -> list[str]:
    """The requests of a sentence; fewer than two mean that it is one request."""
    quotes = [(match.start(), match.end()) for match in re.finditer(r"\"[^\"]*\"|“[^”]*”", text)]
    parts: list[str] = []
    at = 0
    for match in _JOINTS.finditer(text):
        if any(start < match.start() < end for start, end in quotes):
            continue
        parts.append(text[at : match.start()])
        at = match.end()
    parts.append(text[at:])
    parts = [part.strip() for part in parts if part.strip()]
    return parts if 2 <= len(parts) <= _MOST and all(len(stems(part)) > 1 for part in parts) else []


def more_calls(text: str, one: Described, filled: Filled, now: datetime, alike: Alike) -> list[dict[str, Any]]:
    """The arguments of further calls of the same tool: for the second id, the second period, the second name."""
    sentence = Sentence(text, now)
    found: list[dict[str, Any]] = []
    for field in one.fields:
        value = filled.values.get(field.name)
        if field.name not in filled.found or field.kind not in {"string", "integer"} or field.values:
            continue
        if strings.is_id(field):
            spans = [span.text for span in sentence.ids]
            others = [span for span in spans if span != value] if value in spans else []
            found += [{**filled.values, field.name: other} for other in others]
        elif isinstance(value, str) and not strings.is_free_text(field) and dating.role_of(field) is None:
            listed = re.search(
                rf"{re.escape(value)}((?:\s*(?:,|and|or|&|,\s*and)\s+(?:in |for |of )?[A-Z][\w-]*(?: [A-Z][\w-]*)*)+)(?=[\s?.!,]|$)",
                text,
            )
            names = re.findall(r"[A-Z][\w-]*(?: [A-Z][\w-]*)*", listed[1]) if listed else []
            if not any(name in map(str, filled.values.values()) for name in names):
                found += [{**filled.values, field.name: name} for name in names]
    if (
        not found
        and len(sentence.periods) > 1
        and any(dating.role_of(field) for field in one.fields if field.name in filled.found)
    ):
        for period in sentence.periods[1:]:
            again = fill(
                one.tool,
                text[period.at : period.to],
                now,
                alike,
                fields=tuple(field for field in one.fields if dating.role_of(field)),
            )
            kept = {
                name: value
                for name, value in filled.values.items()
                if not any(field.name == name and dating.role_of(field) for field in one.fields)
            }
            found.append({**kept, **again.values})
    return found[: _MOST - 1]
