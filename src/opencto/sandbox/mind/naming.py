"""Strings: names of people, places and things, and free text. Each comes out of the sentence as it stands there."""

from collections.abc import Iterable
from typing import Any

from opencto.sandbox.mind.dating import role_of
from opencto.sandbox.mind.names import capitals
from opencto.sandbox.mind.phrases import free_text, quoted
from opencto.sandbox.mind.schema import Field
from opencto.sandbox.mind.seeking import beside_name, last_resort, named
from opencto.sandbox.mind.sentence import Sentence
from opencto.sandbox.mind.strings import (
    PERSON,
    PLACE,
    described,
    is_address,
    is_free_text,
    is_open_string,
    put,
)


def fill(fields: Iterable[Field], sentence: Sentence, into: dict[str, Any], known: frozenset[str]) -> None:
    """`known` are the stems of the tool's own words: they are not values."""
    wanting = [field for field in fields if is_open_string(field) and field.name not in into and role_of(field) is None]
    # What stands in quotes is text before it is a name; people and places show themselves more clearly than other names.
    by_person = sorted(
        wanting,
        key=lambda one: (not is_free_text(one), not PERSON.search(described(one)) and not PLACE.search(described(one))),
    )
    for step in (quoted, beside_name, named):
        for field in by_person:
            if field.name not in into:
                step(field, sentence, into, known)
    for field in sorted(wanting, key=lambda one: not one.is_required):
        if field.name not in into and is_free_text(field):
            free_text(field, sentence, into, known)
    for field in wanting:
        if field.name not in into and field.is_required and not is_free_text(field):
            last_resort(field, sentence, into, known)
    open_names = [
        field for field in wanting if field.name not in into and not is_free_text(field) and not is_address(field)
    ]
    by_capital = capitals(sentence, known)
    if (
        len(open_names) == len(by_capital) == 1
        and open_names[0].kind == "string"
        and put(open_names[0], by_capital[0].text, into)
    ):
        sentence.take(by_capital[0].start, by_capital[0].end)
