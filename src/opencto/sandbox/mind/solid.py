"""Strings that are known by their form: addresses, ids, versions, codes."""

import re
from collections.abc import Iterable
from typing import Any

from opencto.sandbox.mind.dating import role_of
from opencto.sandbox.mind.schema import Field
from opencto.sandbox.mind.sentence import Sentence, Span
from opencto.sandbox.mind.strings import (
    FREE_NAMES,
    is_id,
    is_open_string,
    put,
    take_first,
)
from opencto.sandbox.mind.words import split_name, stem

_SLUG = re.compile(r"(?<![\w/])[\w.-]*\w/[\w./-]*\w")
_TIED = re.compile(r"(?<![\w/-])[a-z][a-z0-9]*(?:[_./-][a-z0-9]+)+(?![\w-])", re.IGNORECASE)


def fill_solid(fields: Iterable[Field], sentence: Sentence, into: dict[str, Any]) -> None:
    """What is known by its form: addresses, ids, versions, codes."""
    for field in fields:
        if is_open_string(field) and field.name not in into and role_of(field) is None:
            _solid(field, sentence, into)


def _solid(field: Field, sentence: Sentence, into: dict[str, Any]) -> None:
    names = set(split_name(field.name))
    about = field.description.lower()
    kind = field.format or (field.items.format if field.items else "")
    if (
        kind == "email"
        or names & {"email", "mail"}
        or (re.search(r"e-?mail address", about) and not names & FREE_NAMES)
    ):
        take_first(field, sentence.emails, sentence, into)
    elif kind in {"uri", "url"} or names & {"url", "uri", "link", "website"}:
        take_first(field, sentence.urls, sentence, into)
    elif names & {"phone", "telephone", "mobile", "msisdn"}:
        take_first(field, sentence.phones, sentence, into)
    elif names & {"version", "release", "tag", "revision"}:
        take_first(field, sentence.versions or [], sentence, into)
    elif (
        names & {"currency"}
        or re.search(r"currency|\biso code\b|iso 4217|three-letter|ticker|stock symbol", about)
        or names & {"symbol", "ticker"}
    ):
        _code(field, sentence, into)
    elif is_id(field):
        _id(field, sentence, into)
    elif names & {"repo", "repository", "path", "file", "slug", "image"}:
        take_first(field, _spans_of(_SLUG, sentence), sentence, into)
    elif (
        names & {"branch", "flag", "host", "hostname", "key", "bucket", "cluster", "namespace", "pod", "table"}
        and field.is_required
    ):
        take_first(field, _spans_of(_TIED, sentence), sentence, into)


def _spans_of(pattern: re.Pattern[str], sentence: Sentence) -> list[Span]:
    return [Span(match.group(), match.start(), match.end()) for match in pattern.finditer(sentence.text)]


def _id(field: Field, sentence: Sentence, into: dict[str, Any]) -> None:
    free = [span for span in sentence.ids if sentence.is_free(span.start, span.end)]
    shape = _shape(field.description)
    kin = {stem(name) for name in split_name(field.name)} - {"id"}

    def rank(span: Span) -> tuple[bool, bool]:
        before = {stem(word) for word in re.findall(r"\w+", sentence.text[max(0, span.start - 25) : span.start])[-2:]}
        return (not (shape and span.text.lower().startswith(shape)), not before & kin)

    if free:
        take_first(field, sorted(free, key=rank), sentence, into)
        return
    for number in sentence.numbers:
        digits = sentence.text[number.start : number.end]
        before = re.findall(r"\w+", sentence.text[max(0, number.start - 30) : number.start].lower())[-2:]
        if (
            digits.isdigit()
            and sentence.is_free(number.start, number.end)
            and ({stem(word) for word in before} & (kin | {"id", "number"}))
        ):
            if put(field, digits, into):
                sentence.take(number.start, number.end)
            return
    long = [one for one in sentence.numbers if one.end - one.start >= 4 and sentence.is_free(one.start, one.end)]
    if field.is_required and len(long) == 1 and sentence.text[long[0].start : long[0].end].isdigit():
        take_first(
            field, [Span(sentence.text[long[0].start : long[0].end], long[0].start, long[0].end)], sentence, into
        )


def has_shape(field: Field, value: str) -> bool:
    """Whether an id looks like the one in the field's description: TCK-7 like TCK-1042."""
    shape = _shape(field.description)
    return bool(shape) and value.lower().startswith(shape)


def _shape(description: str) -> str:
    """The letters that ids begin with, from an example such as TCK-1042."""
    found = re.search(r"\b([A-Za-z]{1,8}[-_])\w*\d", description)
    return found[1].lower() if found else ""


def _code(field: Field, sentence: Sentence, into: dict[str, Any]) -> None:
    codes = [span for span in sentence.codes if sentence.is_free(span.start, span.end) and len(span.text) >= 2]
    names = set(split_name(field.name))
    side = (
        "to"
        if names & {"to", "target", "into", "quote", "destination"}
        else "from"
        if names & {"from", "source", "base"}
        else ""
    )

    def follows(span: Span) -> str:
        found = re.search(r"(\w+)\s*$", sentence.text[: span.start])
        return found[1].lower() if found else ""

    if side == "to":
        codes = (
            [span for span in codes if follows(span) in {"to", "in", "into"}] or codes[-1:]
            if len(codes) > 1 or names & {"to"}
            else codes
        )
    elif side == "from":
        codes = [span for span in codes if follows(span) not in {"to", "in", "into"}]
    if codes:
        take_first(field, codes[:1], sentence, into)
