"""A tool's arguments out of what was said. Nothing is invented: a value stands in the words, in the schema, or is a date that was named."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from opencto.sandbox.mind import choosing, counting, dating, naming, solid
from opencto.sandbox.mind.choosing import Alike
from opencto.sandbox.mind.schema import Field, read
from opencto.sandbox.mind.sentence import Sentence
from opencto.sandbox.mind.words import initials, split_name, stem, stems
from opencto.sandbox.ports import Tool

_AHEAD = re.compile(r"\b(will|going to|upcoming|coming|planned|scheduled|due|next)\b", re.IGNORECASE)
_BEHIND = re.compile(r"\b(was|were|did|had|spent|happened|been|went|since|so far|last|past)\b", re.IGNORECASE)
_PAST = frozenset(
    stem(word)
    for word in [
        "report",
        "usage",
        "cost",
        "spend",
        "history",
        "log",
        "statistics",
        "summary",
        "metrics",
        "deployments",
        "sales",
        "revenue",
        "incidents",
        "expenses",
        "audit",
        "past",
    ]
)
_MAKES = frozenset(
    [
        "create",
        "set",
        "book",
        "schedule",
        "add",
        "remind",
        "plan",
        "make",
        "put",
        "open",
        "new",
        "send",
        "post",
        "reserve",
        "order",
        "start",
        "forecast",
        "rent",
        "hire",
        "lease",
        "borrow",
        "invite",
        "move",
    ]
)
_READS = frozenset(
    ["get", "list", "find", "search", "show", "look", "fetch", "read", "query", "count", "check", "report"]
)


@dataclass(frozen=True, slots=True)
class Filled:
    values: Mapping[str, Any]
    missing: tuple[Field, ...]
    """Required, and not to be found."""
    found: frozenset[str] = field(default=frozenset())
    """The fields whose value stood in the words."""
    guessed: frozenset[str] = frozenset()
    """Those of them that took a word only because it was left over."""


def known_words(tool: Tool, fields: tuple[Field, ...]) -> frozenset[str]:
    """Stems of the words that name the tool and its fields, which are therefore no values."""
    names = [*split_name(tool.name), *(word for one in fields for word in split_name(one.name))]
    return frozenset([*(stem(word) for word in names), *initials(split_name(tool.name)), *stems(tool.description)])


def _looks_ahead(text: str, tool: Tool, fields: tuple[Field, ...], known: frozenset[str]) -> bool:
    """Whether "on Friday" is the next one: for tools that make or plan something, and for a single day unless it is told of as past."""
    if set(split_name(tool.name)) & _MAKES or _AHEAD.search(text):
        return True
    if any(one.is_required and dating.role_of(one) == "start" for one in fields) and not (
        set(split_name(tool.name)) & _READS or known & _PAST or _BEHIND.search(text)
    ):
        return True  # what needs to know when it begins is still to come
    roles = {dating.role_of(one) for one in fields} - {None}
    return roles == {"one"} and not _BEHIND.search(text) and not known & _PAST


def _wanted(field: Field) -> Field:
    return replace(field, is_required=True)


def fill(
    tool: Tool,
    text: str,
    now: datetime,
    alike: Alike,
    *,
    is_future: bool = False,
    fields: tuple[Field, ...] | None = None,
    first: tuple[Field, ...] = (),
) -> Filled:
    """`first` are the fields that a follow-up most likely changes: names go there before they go elsewhere."""
    fields = read(tool.parameters) if fields is None else fields
    known = known_words(tool, fields)
    sentence = Sentence(text, now, is_future or _looks_ahead(text, tool, fields, known))
    values: dict[str, Any] = {}
    steps: list[Callable[[], object]] = [
        lambda: choosing.fill_choices(fields, sentence, values, alike),
        lambda: counting.fill_counts(fields, sentence, values, known),
        lambda: dating.fill_durations(fields, sentence, values),
        lambda: dating.fill(fields, sentence, values),
        lambda: dating.fill_times(fields, sentence, values),
        lambda: solid.fill_solid(fields, sentence, values),
        lambda: choosing.fill_switches(fields, sentence, values),
        lambda: counting.fill_numbers(fields, sentence, values),
        lambda: naming.fill([_wanted(one) for one in first], sentence, values, known),
        lambda: naming.fill(fields, sentence, values, known),
        lambda: counting.part_quantity(fields, values),
    ]
    for step in steps:
        step()
    found = frozenset(values)
    guessed = frozenset(sentence.guessed)
    missing: list[Field] = []
    for one in fields:
        if one.name in values or not one.is_required:
            continue
        if one.has_default:
            values[one.name] = one.default
        elif one.may_be_null:
            values[one.name] = None
        elif len(one.values) == 1:
            values[one.name] = one.values[0]
        else:
            missing.append(one)
    ordered = {one.name: values[one.name] for one in fields if one.name in values}
    return Filled(ordered, tuple(missing), found, guessed)
