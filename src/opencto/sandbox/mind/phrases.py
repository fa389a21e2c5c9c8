"""Free text: what stands in quotes, after "saying" or "about", or after the verb."""

import re
from typing import Any

from opencto.sandbox.mind.names import STARTS
from opencto.sandbox.mind.schema import Field
from opencto.sandbox.mind.sentence import Sentence
from opencto.sandbox.mind.strings import (
    LOOKED_FOR,
    is_address,
    is_free_text,
    put,
    take_first,
)
from opencto.sandbox.mind.words import STOP, split_name, stem, words

_INTRODUCED = {
    "title": r"(?:titled|entitled|called|named|with (?:the )?(?:title|subject|name)|title|subject)",
    "text": r"(?:saying|say|(?:and )?(?:tell|telling|inform) (?:her|him|them|it|us|everyone|\w+)(?: that)?|let (?:her|him|them|everyone|\w+) know(?: that)?|that says|with (?:the )?(?:text|message|words|note|comment)|which says|to say(?: that)?|reading)",
    "about": r"(?:about|regarding|concerning|mentioning|containing|matching|that mention|which mention|related to|on the topic of|with the words?|for)",
    "because": r"(?:because(?: of)?|due to|reason)",
}


def quoted(field: Field, sentence: Sentence, into: dict[str, Any], _known: frozenset[str]) -> None:
    free = [span for span in sentence.quoted if sentence.is_free(span.start, span.end)]
    own = {stem(name) for name in split_name(field.name)}
    for span in free:
        before = {stem(word) for word in re.findall(r"\w+", sentence.text[: span.start])[-3:]}
        if before & own:
            take_first(field, [span], sentence, into)
            return
    if free and (is_free_text(field) or (field.is_required and not is_address(field))):
        take_first(field, free[:1], sentence, into)


def free_text(field: Field, sentence: Sentence, into: dict[str, Any], known: frozenset[str]) -> None:
    names = set(split_name(field.name))
    if names & {"reason"}:
        kinds = ["because"]
    elif names & {"title", "subject", "summary"}:
        kinds = ["title", "text", "about"]
    elif names & {"query", "q", "search", "keyword", "keywords", "term", "terms", "topic"} or re.search(
        r"search|look for", field.description.lower()
    ):
        kinds = ["about", "title", "text"]
    else:
        kinds = ["text", "title", "about"]
    for kind in kinds:
        for match in re.finditer(rf"\b{_INTRODUCED[kind]}\b[\s:,]*", sentence.text, re.IGNORECASE):
            if (
                kind == "about"
                and not field.is_required
                and match.group().lower().startswith("for")
                and not names & {"query", "q", "search"}
            ):
                continue
            if _phrase(field, match.end(), sentence, into, known):
                return
    colon = re.search(r":\s+(?=\S)", sentence.text)
    if colon and _phrase(field, colon.end(), sentence, into, known):
        return
    if field.is_required:
        _after_verb(field, sentence, into, known)


def _phrase(field: Field, start: int, sentence: Sentence, into: dict[str, Any], known: frozenset[str]) -> bool:
    """From here to the end of the sentence, or to what has found its place already."""
    end = len(sentence.text)
    for taken_start, taken_end in sorted(sentence.taken):
        if taken_start >= start:
            end = min(end, taken_start)
        elif taken_end > start:
            return False
    text = re.split(r"(?<=\w)[.?!;](?:\s|$)|\n", sentence.text[start:end], maxsplit=1)[0]
    text = re.sub(
        r"(?:[\s,]+(?:with|and|at|on|for|by|in|to|from|as|the|a|an|please|that|is|are|of|which|who|its?|since|until|due|over|within|but))+\s*$",
        "",
        text.rstrip(" ,"),
        flags=re.IGNORECASE,
    )
    if set(split_name(field.name)) & LOOKED_FOR:
        text = re.sub(r"^(?:the|a|an|any|some)\s+", "", text, flags=re.IGNORECASE)
    found = words(text)
    if not found or all(word.low in STOP for word in found) or all(stem(word.text) in known for word in found):
        return False
    at = sentence.text.find(text, start)
    if not put(field, text, into):
        return False
    sentence.take(at, at + len(text))
    return True


def _after_verb(field: Field, sentence: Sentence, into: dict[str, Any], known: frozenset[str]) -> None:
    """ "Remember that the key rotates on Mondays": what follows the words that the tool is named by."""
    told = re.match(r"\W*(?:[\w']+\W+){1,6}?(?:that|to)\s+", sentence.text)
    if told and _phrase(field, told.end(), sentence, into, known):
        return
    start, is_asked = 0, False
    for word in sentence.words:
        is_own = (stem(word.text) in known or word.low in STARTS) and word.low not in STOP
        if not is_own and word.low not in STOP:
            break
        is_asked = is_asked or is_own
        start = word.end
    if is_asked:
        lead = re.match(r"\s*(?:that|to|about|of|:|,)?\s+", sentence.text[start:])
        _phrase(field, start + (lead.end() if lead else 0), sentence, into, known)
        if field.name in into and not any(stem(word.text) in known for word in sentence.words[:3]):
            sentence.guessed.add(field.name)
