"""Enumerated values, yes and no: fields whose values the sentence names outright."""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from opencto.sandbox.mind.schema import Field
from opencto.sandbox.mind.sentence import Sentence
from opencto.sandbox.mind.words import STOP, split_name, stem

Alike = Callable[[str, tuple[str, ...]], int | None]
"""Which of the values a word means, by meaning; None when it cannot tell."""
_SPLITTING = frozenset(
    [
        "group",
        "grouped",
        "split",
        "sort",
        "order",
        "by",
        "per",
        "breakdown",
        "granularity",
        "interval",
        "bucket",
        "resolution",
        "aggregation",
    ]
)
_EVERY = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly", "hour": "hourly"}
_ON = re.compile(r"\b(on|enable[ds]?|activate[ds]?|start(?:ed)?|yes|true|open|unmute|unpause|resume)\b", re.IGNORECASE)
_OFF = re.compile(r"\b(off|disable[ds]?|deactivate[ds]?|stop(?:ped)?|false|close|mute|pause)\b", re.IGNORECASE)
_SWITCH_NAMES = frozenset(["on", "enabled", "enable", "active", "state", "value", "power", "activated", "is_on"])
_NO = re.compile(
    r"\b(?:without|no|not|don'?t|do not|never|exclude|excluding|except|skip)\s+(?:\w+\s+){0,2}$", re.IGNORECASE
)


def fill_choices(fields: Iterable[Field], sentence: Sentence, into: dict[str, Any], alike: Alike) -> int:
    """Says how many found their value."""
    found = 0
    for field in fields:
        several = field.items is not None and bool(field.items.values)
        values = field.items.values if several and field.items else field.values
        if field.name in into or not values:
            continue
        matches = _matches(field, values, sentence)
        if not matches and field.kind != "boolean":
            matches = _by_meaning(field, values, sentence, alike)
        if not matches:
            continue
        chosen = matches if several else matches[:1]
        for _, start, end in chosen:
            sentence.take(start, end)
        picked = [
            value for index, (value, _, _) in enumerate(chosen) if value not in [one for one, _, _ in chosen[:index]]
        ]
        into[field.name] = picked if several else picked[0]
        found += 1
    return found


def _matches(field: Field, values: tuple[Any, ...], sentence: Sentence) -> list[tuple[Any, int, int]]:
    """Where values stand in the sentence, the longest first where they overlap, in the order of the sentence."""
    is_splitting = bool(set(split_name(field.name)) & _SPLITTING)
    stemmed = [stem(word.text) for word in sentence.words]
    found: list[tuple[Any, int, int]] = []
    for value in values:
        if isinstance(value, bool) or not str(value):
            continue
        parts = split_name(str(value)) or [str(value).lower()]
        wanted = [stem(part) for part in parts]
        for at in range(len(stemmed) - len(wanted) + 1):
            first, last = sentence.words[at], sentence.words[at + len(wanted) - 1]
            here = stemmed[at : at + len(wanted)]
            if first.low in STOP and first.low != parts[0]:
                continue  # "does" is not "done"
            if (
                here != wanted
                and not (len(wanted) == 1 and _is_of_one_root(first.low, parts[0]))
                and not _is_short_for(first.low, wanted, sentence, at)
                and not _is_every(first.low, value)
            ):
                continue
            if not _may_take(first.start, last.end, str(value), sentence):
                continue
            if is_splitting and not _has_cue(sentence, at, first.low):
                continue
            if _is_verb(sentence, at) and not is_splitting:
                continue
            found.append((value, first.start, last.end))
    found.sort(key=lambda one: (one[1] - one[2], one[1]))
    kept: list[tuple[Any, int, int]] = []
    for one in found:
        if not any(one[1] < end and start < one[2] for _, start, end in kept):
            kept.append(one)
    kept.sort(key=lambda one: one[1])
    if len(kept) > 1 and not (field.items and field.items.values):
        # "open tickets, not closed ones", "high priority": what stands beside the field's own name counts first
        own = {stem(part) for part in split_name(field.name)}
        kept.sort(key=lambda one: (_is_refused(sentence, one[1]), _distance(sentence, one[1], own)))
    return [one for one in kept if not _is_refused(sentence, one[1])]


_ENDINGS = frozenset(["", "s", "e", "es", "ed", "er", "ers", "ing", "ings", "al", "ial"])


def _is_of_one_root(word: str, value: str) -> bool:
    """ "engineers" for engineering, "financial" for finance."""
    shared = next((at for at, (one, other) in enumerate(zip(word, value, strict=False)) if one != other), None)
    root = min(len(word), len(value)) if shared is None else shared
    return root >= 5 and {word[root:], value[root:]} <= _ENDINGS


def _may_take(start: int, end: int, value: str, sentence: Sentence) -> bool:
    if not sentence.is_free(start, end):
        return False
    for period in sentence.periods:
        if start < period.to and period.at < end:  # `last_week` may take "last week", `day` not a part of it
            return start <= period.at + 4 and period.to <= end
    return not any(start < one.end and one.start < end for one in sentence.quoted) or value.islower() is False


def _is_short_for(word: str, wanted: list[str], sentence: Sentence, at: int) -> bool:
    """ "prod" for production."""
    return (
        len(wanted) == 1
        and len(word) >= 3
        and len(word) < len(wanted[0])
        and wanted[0].startswith(word)
        and word not in STOP
        and (
            len(word) >= 4
            or (sentence.words[at].text.islower() and word in {"dev", "pro", "int", "qa", "uat", "sec", "min"})
        )
    )


def _is_every(word: str, value: Any) -> bool:
    return _EVERY.get(str(value).lower()) == word


def _has_cue(sentence: Sentence, at: int, word: str) -> bool:
    if word in _EVERY.values():
        return True
    before = sentence.words[at - 1].low if at else ""
    earlier = sentence.words[at - 2].low if at > 1 else ""
    return before in {"by", "per", "each", "every", "which", "what", "individual", "single"} or (
        before in {"the", "each"} and earlier in {"by", "per", "for"}
    )


def _is_verb(sentence: Sentence, at: int) -> bool:
    """ "Open a ticket" opens one; it does not ask for open ones."""
    if at + 1 >= len(sentence.words) or sentence.words[at + 1].low not in {
        "a",
        "an",
        "the",
        "my",
        "our",
        "another",
        "this",
        "that",
        "it",
        "me",
    }:
        return False
    return all(word.low in STOP for word in sentence.words[:at])


def _is_refused(sentence: Sentence, at: int) -> bool:
    return bool(
        re.search(
            r"\b(?:not|no|except|excluding|without|but not|instead of)\s+(?:the\s+)?$",
            sentence.text[:at],
            re.IGNORECASE,
        )
    )


def _distance(sentence: Sentence, at: int, own: set[str]) -> int:
    places = [abs(word.start - at) for word in sentence.words if stem(word.text) in own]
    return min(places, default=10_000)


def _by_meaning(field: Field, values: tuple[Any, ...], sentence: Sentence, alike: Alike) -> list[tuple[Any, int, int]]:
    """ "With critical priority" where there are low, high and urgent: the word beside the field's name, by meaning."""
    own = {stem(part) for part in split_name(field.name)}
    texts = tuple(str(value) for value in values)
    for before, after in pairwise(sentence.words):
        if stem(after.text) in own and before.low not in STOP:
            word = before
        elif stem(before.text) in own and after.low not in STOP:
            word = after
        else:
            continue
        if not sentence.is_free(word.start, word.end) or stem(word.text) in own:
            continue
        chosen = alike(f"{word.low} {' '.join(split_name(field.name))}", texts)
        if chosen is not None:
            return [(values[chosen], min(before.start, after.start), max(before.end, after.end))]
    return []


def fill_switches(fields: Iterable[Field], sentence: Sentence, into: dict[str, Any]) -> None:
    for field in fields:
        if field.kind != "boolean" or field.name in into:
            continue
        names = [
            name
            for name in split_name(field.name)
            if name not in {"is", "has", "include", "with", "only", "should", "use", "show", "flag"}
        ]
        at = _place(names, sentence)
        if at is not None:
            refused = _NO.search(sentence.text[: at[0]])
            follows = re.match(r"\s*[:=]?\s*(?:is\s+|to\s+)?(false|off|no)\b", sentence.text[at[1] :], re.IGNORECASE)
            into[field.name] = not (refused or follows)
            sentence.take(*at)
        elif set(split_name(field.name)) & _SWITCH_NAMES or field.name.lower() in _SWITCH_NAMES:
            off, on = _OFF.search(sentence.text), _ON.search(sentence.text)
            match = off or on
            if match is not None:
                into[field.name] = match is not off
                sentence.take(match.start(), match.end())


def _place(names: list[str], sentence: Sentence) -> tuple[int, int] | None:
    """Where a name of several words stands."""
    wanted = [stem(name) for name in names]
    if not wanted or wanted == ["on"]:
        return None
    stemmed = [stem(word.text) for word in sentence.words]
    for at in range(len(stemmed) - len(wanted) + 1):
        first, last = sentence.words[at], sentence.words[at + len(wanted) - 1]
        if stemmed[at : at + len(wanted)] == wanted and sentence.is_free(first.start, last.end):
            return first.start, last.end
    joined = "".join(names)
    return next(((word.start, word.end) for word in sentence.words if word.low == joined), None)
