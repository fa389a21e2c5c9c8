"""The single values in a tool's result, and which of them a question is about."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from opencto.sandbox.mind.figures import as_decimal, currency_of, is_money, label
from opencto.sandbox.mind.words import split_name, stem, stems

Rank = Callable[[str, Sequence[str]], list[float]]
"""How near each phrase is to the question, by meaning; all 0 where that is not known."""

_MOST_FACTS = 60
_MOST_DEPTH = 3
_VAGUE = frozenset({"value", "name", "status", "state", "amount", "count", "total", "id"})
_DULL = frozenset(
    {"object", "type", "currency", "source", "version", "url", "uuid", "etag", "cursor", "next", "previous", "page", "offset", "more",
     "created", "updated", "fetched", "at", "as", "of", "is", "stale", "served", "by", "call", "id", "has", "unit", "units", "request"}
)  # fmt: skip
_MONEY = re.compile(r"how much|spen[dt]|cost|price|pa(y|id)|expens|bill|budget|money|charge|owe|dollar|euro|revenue")
_YES_OR_NO = re.compile(r"\W*(?:is|are|was|were|do|does|did|has|have|can|any)\b", re.IGNORECASE)
_WHEN = re.compile(r"\W*(?:when|what (?:time|day|date)|until when|how soon)\b", re.IGNORECASE)
_WHO = re.compile(r"\bwho(?:'s)?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fact:
    path: tuple[str, ...]
    value: Any
    currency: str = ""
    unit: str = ""

    @property
    def key(self) -> str:
        return self.path[-1]

    @property
    def name(self) -> str:
        """The words of its key, with those of its parent where it would say too little."""
        words = label(self.key)
        if len(self.path) > 1 and self.key in _VAGUE:
            words = f"{label(self.path[-2])} {words}".removesuffix(" value").removesuffix(" amount")
        for unit in ("usd", "eur", "gbp"):
            words = words.removesuffix(f" {unit}")
        return words

    @property
    def is_count(self) -> bool:
        """ "321 requests" rather than "the requests are 321"."""
        names = split_name(self.key)
        is_plural = bool(names) and names[-1].endswith("s") and not names[-1].endswith(("ss", "us"))
        return is_plural and type(self.value) is int and not is_money(self.key, self.value, self.currency)


def facts_of(value: dict[str, Any], aside: Sequence[str]) -> list[Fact]:
    found: list[Fact] = []
    _collect(value, (), "", aside, found)
    return found[:_MOST_FACTS]


def _collect(
    value: dict[str, Any], path: tuple[str, ...], currency: str, aside: Sequence[str], found: list[Fact]
) -> None:
    currency = currency_of(value) or currency
    unit = value.get("unit", value.get("units"))
    for key, one in value.items():
        if len(found) >= _MOST_FACTS:
            return
        if isinstance(one, dict):
            inner = cast("dict[str, Any]", one)
            amount = inner.get("value", inner.get("amount"))
            if currency_of(inner) and as_decimal(amount) is not None:
                found.append(Fact((*path, key), amount, currency_of(inner)))
            elif len(path) < _MOST_DEPTH:
                _collect(inner, (*path, key), currency, aside, found)
        elif one is not None and not isinstance(one, list) and key not in aside:
            measured = isinstance(unit, str) and isinstance(one, float | int) and not isinstance(one, bool)
            is_first = measured and not any(fact.unit for fact in found)
            found.append(Fact((*path, key), one, currency, str(unit)[:20] if is_first else ""))


def lists_of(value: dict[str, Any], aside: Sequence[str]) -> list[tuple[tuple[str, ...], list[Any], str]]:
    return [one for one in _lists(value, (), "") if one[0][-1] not in aside]


def _lists(value: dict[str, Any], path: tuple[str, ...], currency: str) -> list[tuple[tuple[str, ...], list[Any], str]]:
    found: list[tuple[tuple[str, ...], list[Any], str]] = []
    currency = currency_of(value) or currency
    for key, one in value.items():
        if isinstance(one, list):
            found.append(((*path, key), cast("list[Any]", one), currency))
        elif isinstance(one, dict) and len(path) < 2:
            found += _lists(cast("dict[str, Any]", one), (*path, key), currency)
    return found[:20]


def ranked(facts: list[Fact], question: str, rank: Rank, *, is_change: bool) -> list[tuple[float, Fact]]:
    """The facts that the question is about first; then those that somebody would tell unasked."""
    if not facts:
        return []
    asked = set(stems(question))
    near = rank(question, [" ".join(label(part) for part in fact.path[-2:]) for fact in facts])
    best, worst = max(near), min(near)
    found = [
        (
            _score(fact, question, asked, is_change=is_change)
            + (0.8 * (nearness - worst) / (best - worst) if best > worst else 0.0),
            fact,
        )
        for fact, nearness in zip(facts, near, strict=True)
    ]
    return sorted(found, key=lambda one: -one[0])


def _score(fact: Fact, question: str, asked: set[str], *, is_change: bool) -> float:
    names = [word for part in fact.path for word in split_name(part)]
    own = {stem(word) for word in names}
    low = question.lower()
    score = 1.5 * len(own & asked) / max(1, len({stem(word) for word in split_name(fact.key)}))
    if is_money(fact.key, fact.value, fact.currency):
        score += 1.0 if _MONEY.search(low) else 0.2
    elif re.search(r"\bhow many\b|\bnumber of\b|\bhow often\b", low) and as_decimal(fact.value) is not None:
        score += 0.4
    if _WHEN.match(low) and isinstance(fact.value, str) and re.match(r"\d{4}-\d\d-\d\d|\d\d:\d\d", fact.value):
        score += 0.8
    if (
        _WHO.search(low)
        and isinstance(fact.value, str)
        and {"name", "engineer", "person", "owner", "assignee", "user", "author"} & {*names}
    ):
        score += 1.5
    if {"status", "state", "condition", "result", "summary", "answer", "healthy"} & {*names} or isinstance(
        fact.value, bool
    ):
        score += 1.0 if _YES_OR_NO.match(low) else 0.4
        score += 0.3 if len(fact.path) == 1 else 0.0
    if is_change and fact.key in {"id", "key", "number"}:
        score += 1.0
    elif {*names} <= _DULL:
        score -= 1.0
    if isinstance(fact.value, str) and len(fact.value) > 200:
        score -= 0.3
    return score
