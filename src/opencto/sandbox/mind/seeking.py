"""Names of people, places and things for a field: beside the field's own name, after a preposition, by their capital."""

import re
from typing import Any

from opencto.sandbox.mind.names import STARTS, capitals, ends_here, is_value, run_of, whole_token
from opencto.sandbox.mind.schema import Field
from opencto.sandbox.mind.sentence import Sentence
from opencto.sandbox.mind.strings import PERSON, PLACE, described, is_address, is_free_text, put
from opencto.sandbox.mind.words import split_name, stem


def beside_name(field: Field, sentence: Sentence, into: dict[str, Any], known: frozenset[str]) -> None:
    """ "Service checkout", "the checkout service", "project: web"."""
    if is_free_text(field) or is_address(field):
        return
    own = {stem(name) for name in split_name(field.name) if name not in {"name", "id", "of", "the"}}
    texts = sentence.words
    for index, word in enumerate(texts):
        if stem(word.text) not in own:
            continue
        following = texts[index + 1 : index + 5]
        if following and following[0].low in {"is", "named", "called", "name"}:
            following = following[1:]
        gap = sentence.text[word.end : following[0].start] if following else "?"
        if (
            following
            and re.fullmatch(r"\s*[:=]?\s*(?:(?:is|named|called|name)\s+)?[\"']?", gap)
            and is_value(following[0], sentence, known)
        ):
            run = run_of(following, sentence, known)
            if put(field, sentence.text[run[0].start : run[-1].end], into):
                sentence.take(run[0].start, run[-1].end)
                return
        before = texts[index - 1] if index else None
        if (
            before is not None
            and is_value(before, sentence, known)
            and sentence.text[before.end : word.start].strip() == ""
        ):
            start = index - 1
            while (
                start > 0
                and before.is_capital
                and texts[start - 1].is_capital
                and start - 1 > 0
                and is_value(texts[start - 1], sentence, known)
            ):
                start -= 1
            first = texts[start]
            if put(field, whole_token(sentence, first.start, before.end), into):
                sentence.take(first.start, before.end)
                return


def _prepositions(field: Field) -> tuple[str, ...]:
    about = f"{' '.join(split_name(field.name))} {field.description}".lower()
    names = set(split_name(field.name))
    if names & {"to", "recipient", "destination", "target"}:
        return ("to", "into", "for", "at")
    if names & {"from", "source", "origin", "sender"}:
        return ("from", "out of", "of", "by")
    if PLACE.search(about):
        return ("in", "for", "at", "near", "around", "to", "of", "from")
    if PERSON.search(re.sub(r"\w+/\w+", "", about)):
        return ("by", "to", "with", "for", "of", "from", "invite", "ask", "tell", "message", "assign", "page", "on")
    if re.search(r"language", about):
        return ("to", "into", "in")
    return ("for", "of", "from", "in", "by", "on", "at", "to", "with", "about", "back")


def named(field: Field, sentence: Sentence, into: dict[str, Any], known: frozenset[str]) -> None:
    """After a preposition that suits the field; people and places also by their capital."""
    if is_free_text(field) or is_address(field):
        return
    if field.kind == "array":
        _list_of_names(field, sentence, into, known)
        return
    about = f"{' '.join(split_name(field.name))} {field.description}"
    wants_person = bool(PERSON.search(described(field)))
    for preposition in _prepositions(field):
        for match in re.finditer(rf"\b{preposition}\s+(?:the\s+|our\s+|my\s+|a\s+)?", sentence.text, re.IGNORECASE):
            following = [word for word in sentence.words if word.start >= match.end()][:6]
            if not following or following[0].start != match.end() or not is_value(following[0], sentence, known):
                continue
            run = run_of(
                following,
                sentence,
                known,
                is_phrase=bool(re.search(r"\b(?:the|our|my|a)\s+$", match.group(), re.IGNORECASE)),
            )
            if (
                wants_person
                and not run[0].is_capital
                and (preposition in {"on", "of"} or not ends_here(run[-1], sentence))
            ):
                continue  # "to renew the licence" and "on the phone" are nobody
            if put(field, whole_token(sentence, run[0].start, run[-1].end), into):
                sentence.take(run[0].start, run[-1].end)
                return
    capital = capitals(sentence, known)
    if wants_person:  # "in Oslo" is nobody
        capital = [one for one in capital if not re.search(r"\b(?:in|at|near)\s+$", sentence.text[: one.start])]
    if capital and (field.is_required or wants_person or PLACE.search(about)) and put(field, capital[0].text, into):
        sentence.take(capital[0].start, capital[0].end)


def _list_of_names(field: Field, sentence: Sentence, into: dict[str, Any], known: frozenset[str]) -> None:
    names = capitals(sentence, known)
    if not names:
        return
    together = [names[0]]
    for name in names[1:]:
        if not re.fullmatch(r"\s*(?:,|and|,\s*and|&|or)\s*", sentence.text[together[-1].end : name.start]):
            break
        together.append(name)
    into[field.name] = [name.text for name in together]
    for name in together:
        sentence.take(name.start, name.end)


def last_resort(field: Field, sentence: Sentence, into: dict[str, Any], known: frozenset[str]) -> None:
    """A required name without a preposition: the phrase after "the", or the few words that are left and that the tool does not know."""
    if is_address(field):
        return
    left = [
        word
        for word in sentence.words
        if is_value(word, sentence, known) and word.low not in STARTS and not word.text.isdigit()
    ]
    for index, word in enumerate(left):
        if re.search(r"\b(?:the|our|my|a|an|any|some)\s+$", sentence.text[: word.start], re.IGNORECASE):
            run = run_of(left[index:], sentence, known, is_phrase=True)
            break
    else:
        if not left or len(left) > 3:
            return
        run = run_of(left, sentence, known, is_phrase=True)
        if len(run) < len(left):
            run = left[-1:]
    if put(field, whole_token(sentence, run[0].start, run[-1].end), into):
        sentence.take(run[0].start, run[-1].end)
        sentence.guessed.add(field.name)
