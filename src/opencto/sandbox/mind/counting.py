"""Numbers: how many, how much, and which number belongs to which field."""

import re
from collections.abc import Iterable
from typing import Any

from opencto.sandbox.mind.numbers import COUNT, Number, value_of
from opencto.sandbox.mind.schema import Field
from opencto.sandbox.mind.sentence import Sentence
from opencto.sandbox.mind.words import STOP, split_name, stem

_QUANTITIES = frozenset(["quantity", "count", "pieces", "amount", "units", "qty"])
_COUNT_NAMES = frozenset(
    [
        "limit",
        "count",
        "max",
        "maximum",
        "top",
        "n",
        "size",
        "amount",
        "number",
        "num",
        "results",
        "items",
        "last",
        "first",
        "quantity",
        "page_size",
    ]
)
_COUNTED = re.compile(
    rf"\b(?:(?:the|my|our|your)\s+)?(?:last|top|first|latest|newest|oldest|biggest|most recent|recent|up to|at most|max(?:imum)?|limit(?: of| to)?|only|next|list|show(?: me)?|give me|any)\s+"
    rf"(?P<count>{COUNT})\b(?!\s*(?:second|minute|min|hour|day|week|month|year|quarter|percent|%|:|am\b|pm\b))",
    re.IGNORECASE,
)


def fill_counts(fields: Iterable[Field], sentence: Sentence, into: dict[str, Any], known: frozenset[str]) -> None:
    """ "The last five", "three open incidents" into `limit`. `known` are the stems of the tool's own words."""
    for field in fields:
        if field.kind not in {"integer", "number"} or field.name in into or not _is_limit(field):
            continue
        for number in sentence.numbers:
            if (
                sentence.is_free(number.start, number.end)
                and fits(field, number.value)
                and _counts(number, sentence, known)
            ):
                into[field.name] = _typed(field, number.value)
                sentence.take(number.start, number.end)
                break


def _counts(number: Number, sentence: Sentence, known: frozenset[str]) -> bool:
    if _is_counting(number, sentence):
        return True
    before = [word for word in sentence.words if word.end <= number.start]
    after = [word for word in sentence.words if word.start >= number.end][:4]
    if (
        before
        and stem(before[-1].text) in known
        and before[-1].low not in STOP
        and not before[-1].low.startswith(("list", "show", "get", "find"))
    ):
        return False  # "ticket 5" is not five tickets
    gap = sentence.text[number.end : after[-1].end] if after else ""
    return any(stem(word.text) in known and word.low.endswith("s") for word in after) and not re.search(
        r"[,.;:?!$€%]|\b(?:and|for|to|at|on|of|from)\b", gap
    )


def _is_limit(field: Field) -> bool:
    names = set(split_name(field.name))
    return bool(names & {"limit", "top", "count", "max", "maximum", "first", "last", "n", "size", "results"}) or bool(
        re.search(r"\b(how many|at most|maximum number|number of)\b", field.description.lower())
    )


def fill_numbers(fields: Iterable[Field], sentence: Sentence, into: dict[str, Any]) -> None:
    """Beside their name first, then by their unit, and the only number that is left into the only field that wants one."""
    wanting = [
        field for field in fields if field.kind in {"integer", "number"} and field.name not in into and not field.values
    ]
    for by_name in (True, False):
        for field in wanting:
            if field.name in into:
                continue
            number = next(
                (
                    one
                    for one in _free(sentence)
                    if fits(field, one.value) and _belongs(field, one, sentence, by_name=by_name)
                ),
                None,
            )
            if number is not None:
                into[field.name] = _typed(field, number.value)
                sentence.take(number.start, number.end)
    left = [field for field in wanting if field.name not in into]
    required = [field for field in left if field.is_required]
    free = [one for one in _free(sentence) if not _is_counting(one, sentence)]
    for field in required if len(required) == len(free) else left if len(left) == len(free) == 1 else []:
        number = next((one for one in free if fits(field, one.value) and sentence.is_free(one.start, one.end)), None)
        if number is not None and (field.is_required or not _is_limit(field)):
            into[field.name] = _typed(field, number.value)
            sentence.take(number.start, number.end)
    for field in left:
        if field.name in into:
            continue
        marked = next(
            (one for one in sentence.ids if one.text.startswith("#") and sentence.is_free(one.start, one.end)), None
        )
        if (
            marked is not None
            and field.kind == "integer"
            and set(split_name(field.name)) & {"id", "number", "issue", "pr", "no", "nr"}
        ):
            into[field.name] = int(marked.text[1:])
            sentence.take(marked.start, marked.end)


def _free(sentence: Sentence) -> list[Number]:
    return [one for one in sentence.numbers if sentence.is_free(one.start, one.end)]


def _is_counting(number: Number, sentence: Sentence) -> bool:
    return any(match.start() <= number.start < match.end() for match in _COUNTED.finditer(sentence.text))


def _belongs(field: Field, number: Number, sentence: Sentence, *, by_name: bool) -> bool:
    after, before = (
        sentence.text[number.end : number.end + 40].lower(),
        sentence.text[max(0, number.start - 40) : number.start].lower(),
    )
    names = [
        name
        for name in split_name(field.name)
        if name not in {"id", "number", "num", "no", "count", "min", "max", "in", "of"}
    ]
    if by_name:
        own = {stem(name) for name in names}
        next_word = re.match(r"\s*(?:more\s+)?([a-z]+)", after)
        last_words = re.findall(r"[a-z]+", before)[-3:]
        if next_word and stem(next_word[1]) in own:
            return True
        gap = [
            word
            for word in last_words
            if word not in {"to", "of", "is", "at", "number", "the", "a", "for", "by", "no", "id", "with"}
        ]
        return bool(gap) and stem(gap[-1]) in own
    text = f"{field.name} {field.description}".lower()
    if re.match(r"\s*(%|percent)", after):
        return bool(re.search(r"percent|%|rate|brightness|volume|level", text))
    if re.match(r"\s*(usd|eur|dollars?|euros?|€|\$|pounds?|bucks|cents?)\b|\s*[€$]", after) or re.search(
        r"[$€£]\s*$", before
    ):
        return bool(re.search(r"amount|price|cost|budget|total|sum|value|pay|cap|limit|salary|fee|refund", text))
    if re.match(r"\s*(degrees?|°)", after):
        return bool(re.search(r"temp|degree|setpoint|target", text))
    return False


def fits(field: Field, value: float) -> bool:
    if field.kind == "integer" and value != int(value):
        return False
    return (field.least is None or value >= field.least) and (field.most is None or value <= field.most)


def _typed(field: Field, value: float) -> int | float:
    return int(value) if field.kind == "integer" or value == int(value) else value


def part_quantity(fields: Iterable[Field], values: dict[str, Any]) -> None:
    """ "twenty notebooks" is a quantity and a thing, where the tool asks for both."""
    fields = list(fields)
    quantity = next(
        (
            one
            for one in fields
            if one.kind in {"integer", "number"} and one.name not in values and set(split_name(one.name)) & _QUANTITIES
        ),
        None,
    )
    if quantity is None:
        return
    for one in fields:
        value = values.get(one.name)
        found = re.match(rf"({COUNT})\s+(?=\S)", value, re.IGNORECASE) if isinstance(value, str) else None
        if one.kind == "string" and isinstance(value, str) and found:
            count = value_of(found[1].lower())
            if quantity.kind == "number" or count == int(count):
                values[one.name] = value[found.end() :]
                values[quantity.name] = int(count) if count == int(count) else count
                return
