"""What a string field wants, by its name and description: an id, an address, free text, a person, a place; and how a value is put there."""

import re
from typing import Any

from opencto.sandbox.mind.schema import Field
from opencto.sandbox.mind.sentence import Sentence, Span
from opencto.sandbox.mind.words import split_name

LOOKED_FOR = frozenset(
    ["query", "q", "search", "keyword", "keywords", "term", "terms", "topic", "title", "name", "subject"]
)
_ID_NAMES = frozenset(
    [
        "id",
        "ids",
        "number",
        "no",
        "nr",
        "key",
        "sku",
        "tracking",
        "uuid",
        "code",
        "ref",
        "reference",
        "identifier",
        "hash",
        "sha",
        "commit",
        "symbol",
        "ticker",
        "pr",
    ]
)
FREE_NAMES = (LOOKED_FOR - {"name"}) | frozenset(
    [
        "text",
        "message",
        "content",
        "body",
        "note",
        "notes",
        "description",
        "summary",
        "reason",
        "comment",
        "question",
        "phrase",
        "prompt",
        "task",
        "todo",
        "memo",
        "fact",
        "what",
        "pattern",
        "sentence",
        "reply",
        "caption",
        "details",
    ]
)
PERSON = re.compile(
    r"\b(person|people|assignee|owner|user|employee|author|recipient|attendee|colleague|member|contact|who|whom|reviewer|guest|manager|engineer|teammate)s?\b",
    re.IGNORECASE,
)
PLACE = re.compile(
    r"\b(city|place|location|country|town|address|region|venue|destination|origin|airport|station|state)\b",
    re.IGNORECASE,
)


def is_open_string(field: Field) -> bool:
    if field.kind == "array":
        return field.items is not None and field.items.kind == "string" and not field.items.values
    return field.kind == "string" and not field.values


def is_free_text(field: Field) -> bool:
    names = set(split_name(field.name))
    if names & _ID_NAMES or is_id(field):
        return False
    return bool(names & FREE_NAMES) or bool(
        re.search(
            r"\b(words|text|sentence|summary|message|free[- ]form|what to|search (terms?|for)|keywords?)\b",
            field.description.lower(),
        )
    )


def is_id(field: Field) -> bool:
    names = split_name(field.name)
    return bool(set(names) & _ID_NAMES) or bool(names and names[-1] in {"id", "ids"})


def is_address(field: Field) -> bool:
    return is_id(field) or field.format in {"email", "uri", "url"} or "email" in split_name(field.name)


def described(field: Field) -> str:
    return re.sub(r"\w+/\w+", "", f"{' '.join(split_name(field.name))} {field.description}")


def put(field: Field, value: str, into: dict[str, Any]) -> bool:
    value = value.strip().strip(".,;:!?").strip()
    if not is_free_text(field):
        value = re.sub(r"['’]s$", "", value)
    if not value or (field.longest is not None and len(value) > field.longest) or not _fits_pattern(field, value):
        return False
    into[field.name] = [value] if field.kind == "array" else value
    return True


def _fits_pattern(field: Field, value: str) -> bool:
    pattern = (field.items.pattern if field.items else "") or field.pattern
    if not pattern or len(pattern) > 100 or re.search(r"[+*}]\)?[+*{]|\\\d|\(\?", pattern):
        return True  # a pattern of a stranger may take for ever; the caller checks its own schema
    try:
        return re.search(pattern, value[:200]) is not None
    except re.error:
        return True


def take_first(field: Field, spans: list[Span], sentence: Sentence, into: dict[str, Any]) -> None:
    free = [span for span in spans if sentence.is_free(span.start, span.end)]
    if field.kind == "array" and free:
        into[field.name] = [span.text for span in free]
        for span in free:
            sentence.take(span.start, span.end)
        return
    for span in free:
        if put(field, span.text, into):
            sentence.take(span.start, span.end)
            return
