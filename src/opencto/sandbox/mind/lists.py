"""Lists out of a tool's result: how many, the first of them by name, and what the question wants to know of each."""

import re
from itertools import pairwise
from typing import Any, cast

from opencto.sandbox.mind.facts import Rank
from opencto.sandbox.mind.figures import Style, as_decimal, currency_of, is_money, joined, label, shown
from opencto.sandbox.mind.words import split_name, stem, stems

_NAMES = (
    "title",
    "name",
    "subject",
    "summary",
    "label",
    "day",
    "date",
    "key",
    "display_name",
    "displayName",
    "service",
    "city",
    "text",
    "id",
    "number",
)
_COUNTED = {
    1: "one",
    2: "two",
    3: "three",
    4: "four",
    5: "five",
    6: "six",
    7: "seven",
    8: "eight",
    9: "nine",
    10: "ten",
}
_MOST = re.compile(
    r"\b(most|highest|largest|biggest|greatest|expensive|max(imum)?|worst|top|longest|busiest)\b", re.IGNORECASE
)
_LEAST = re.compile(r"\b(least|lowest|smallest|cheapest|fewest|min(imum)?|shortest)\b", re.IGNORECASE)
_NEWEST = re.compile(r"\b(newest|latest|last|most recent)\b", re.IGNORECASE)
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}")


def told_list(noun: str, items: list[Any], question: str, rank: Rank, currency: str, style: Style) -> str:
    if not items:
        return f"There are no {noun}"
    if not all(isinstance(one, dict) for one in items):
        return _told_plain(noun, items, style=style)
    rows = cast("list[dict[str, Any]]", items)
    name_key = _name_key(rows)
    keys = _wanted_keys(rows, name_key, question, rank, currency)
    extreme = _extreme(rows, name_key, keys, question, currency, style=style)
    if extreme:
        return extreme
    narrowed = _narrowed(rows, keys[:1], question)
    shown_rows = narrowed or rows
    most = 3 if style.is_spoken else 5
    parts = [_row(row, name_key, keys, currency, style=style) for row in shown_rows[:most]]
    left = len(shown_rows) - len(parts)
    if left:
        parts.append(f"{left} more")
    head = _head(len(shown_rows), noun)
    if narrowed:
        head = f"{_COUNTED.get(len(narrowed), str(len(narrowed))).capitalize()} of {len(rows)} {noun}"
    separator = "; " if any("," in part or " with " in part for part in parts) else ""
    listed = "; ".join(parts) if separator else joined(parts)
    return f"{head}: {listed}"


def _told_plain(noun: str, items: list[Any], style: Style) -> str:
    most = 5 if style.is_spoken else 8
    parts = [shown("", one, style=style) for one in items[:most]]
    if len(items) > most:
        parts.append(f"{len(items) - most} more")
    return f"{_head(len(items), noun)}: {joined(parts)}"


def _head(count: int, noun: str) -> str:
    """ "Three models"; where the noun is none to be counted, as in `last_hour` and `by_model`, just that."""
    if not noun.endswith("s") or noun.startswith("by "):
        return f"{noun[:1].upper()}{noun[1:]}"
    one = noun.removesuffix("s") if count == 1 and not noun.endswith("ss") else noun
    return f"{_COUNTED.get(count, f'{count:,}').capitalize()} {one}"


def _name_key(rows: list[dict[str, Any]]) -> str:
    for key in _NAMES:
        if any(isinstance(row.get(key), (str, int)) for row in rows):
            return key
    first = rows[0]
    strings = [key for key, value in first.items() if isinstance(value, str)]
    return strings[0] if strings else next(iter(first), "")


def _wanted_keys(rows: list[dict[str, Any]], name_key: str, question: str, rank: Rank, currency: str) -> list[str]:
    """The two keys besides the name that the question asks for most."""
    found = {
        key: value
        for row in reversed(rows[:50])
        for key, value in row.items()
        if key != name_key and value is not None and not isinstance(value, dict)
    }
    if not found:
        return []
    asked = set(stems(question))
    low = question.lower()
    near = rank(question, [label(key) for key in found])
    best, worst = max(near), min(near)
    scores: dict[str, float] = {}
    for (key, value), nearness in zip(found.items(), near, strict=True):
        own = {stem(word) for word in split_name(key)}
        score = 1.5 * max(len(own & asked) / max(1, len(own)), 0.5 * _is_named(key, question)) + (
            0.6 * (nearness - worst) / (best - worst) if best > worst else 0.0
        )
        if is_money(key, value, currency or currency_of(rows[0])):
            score += 0.8 if re.search(r"how much|spen|cost|price|pa(y|id)|expens|bill|invoice|owe|amount", low) else 0.5
        if own & {"statu", "status", "state", "sever", "severity", "prior", "priority"}:
            score += 0.5
        if isinstance(value, str) and _DATED.match(value):
            score += 0.4 + 0.6 * bool(re.search(r"\bwhen\b|\bdate|\bend|shut|due|newest|latest|last", low))
        if own & {"used"} and "limit" in found:
            score += 1.0
        if key in {"id", "uuid", "url", "object", "type", "created", "description", "body"} or isinstance(value, list):
            score -= 0.6
        scores[key] = score
    ordered = sorted(scores, key=lambda key: -scores[key])
    if "used" in ordered and "limit" in ordered:
        ordered.remove("limit")  # it is told with what is used of it
    return [key for key in ordered if scores[key] > 0.3][:2]


def _extreme(
    rows: list[dict[str, Any]], name_key: str, keys: list[str], question: str, currency: str, style: Style
) -> str:
    """ "Which model cost the most?", "what is the newest ticket?" """
    latest = _NEWEST.search(question)
    dated = next(
        (key for key in rows[0] if key != name_key and isinstance(rows[0][key], str) and _DATED.match(rows[0][key])),
        None,
    )
    if (
        latest
        and dated
        and len(rows) > 1
        and not re.search(r"\blast (?:\d+|\w+) (?:day|week|month|\w+s\b)|\blast (?:week|month|year)", question.lower())
    ):
        row = max(rows, key=lambda one: str(one.get(dated) or ""))
        return f"The newest of {len(rows)} is {_row(row, name_key, [*keys, dated][:2], currency, style)}"
    wants_most, wants_least = bool(_MOST.search(question)), bool(_LEAST.search(question))
    key = next((key for key in keys if sum(as_decimal(row.get(key)) is not None for row in rows) > 1), None)
    if wants_most == wants_least or key is None:
        return ""
    measured = [(amount, row) for row in rows if (amount := as_decimal(row.get(key))) is not None]
    amount, row = (max if wants_most else min)(measured, key=lambda one: one[0])
    del amount
    name = shown(name_key, row.get(name_key), style=style)
    which = "highest" if wants_most else "lowest"
    value = shown(key, row[key], currency=currency_of(row) or currency, style=style)
    return f"{name} has the {which} {label(key)}: {value}"


def _narrowed(rows: list[dict[str, Any]], keys: list[str], question: str) -> list[dict[str, Any]]:
    """Only the rows that have what is asked for: "which models shut down" leaves out those without a date."""
    if not keys:
        return []
    if not _is_named(keys[0], question) or any(type(row.get(keys[0])) in {int, float} for row in rows):
        return []
    having = [row for row in rows if row.get(keys[0]) not in (None, "", False)]
    return having if 0 < len(having) < len(rows) else []


def _is_named(key: str, question: str) -> bool:
    """Whether the question has a word of the key, or `shutdown` in two: "which models shut down"."""
    asked = re.findall(r"\w+", question.lower())
    joint = {f"{first}{second}" for first, second in pairwise(asked)}
    own = split_name(key)
    return bool({stem(word) for word in own} & set(stems(question)) or {*own, "".join(own[:2])} & joint)


def _row(row: dict[str, Any], name_key: str, keys: list[str], currency: str, style: Style) -> str:
    currency = currency_of(row) or currency
    name = shown(name_key, row.get(name_key), style=style)
    details: list[str] = []
    for key in keys:
        value = row.get(key)
        if value is None or value == "":
            continue
        said = shown(key, value, currency=currency, style=style)
        if key == "used" and row.get("limit") is not None:
            details.append(f"{said} of {shown('limit', row['limit'], currency=currency, style=style)}")
        elif is_money(key, value, currency) or (
            isinstance(value, str) and not _DATED.match(value) and as_decimal(value) is None
        ):
            details.append(said)
        else:
            names = split_name(key)
            is_counted = as_decimal(value) is not None and any(
                name.endswith(("s", "ed")) for name in (names[0], names[-1])
            )
            details.append(f"{said} {label(key)}" if is_counted else f"{label(key)} {said}")
    return (
        f"{name} ({', '.join(details)})"
        if details and not style.is_spoken
        else f"{name}, {', '.join(details)}"
        if details
        else name
    )
