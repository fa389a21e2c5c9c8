"""A tool's result as a sentence or two. Figures, names and ids come from the result alone; what it says is data, never an order."""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from opencto.sandbox.mind.facts import Fact, Rank, facts_of, lists_of, ranked
from opencto.sandbox.mind.figures import Style, as_decimal, currency_of, joined, label, quoted, shown
from opencto.sandbox.mind.lists import told_list
from opencto.sandbox.mind.words import split_name, stem, stems

_MOST_BYTES = 400_000
_BAD = frozenset({"error", "failed", "failure", "fail"})
_AWAITED = frozenset({"needs_approval", "awaiting_approval", "pending_approval"})
_ASIDE = ("notes", "note", "warnings", "warning", "message", "hint")
_ENVELOPE = frozenset({"ok", "success", "object", "callId", "call_id", "requestId", "request_id"})
_WRAPPERS = frozenset({"data", "result", "results", "output", "response", "payload", "items"})
_PERIODS = (("start", "end"), ("start_date", "end_date"), ("startDate", "endDate"), ("from", "to"))


def told(name: str, arguments: Mapping[str, Any], output: str, question: str, rank: Rank, style: Style) -> str:
    """The answer to `question` from what the tool called `name` gave back."""
    text = output.strip()
    if not text:
        return "The tool answered with nothing."
    try:
        value: Any = json.loads(text) if len(text) <= _MOST_BYTES and text[0] in '{["-0123456789tfn' else text
    except (ValueError, RecursionError):
        value = text
    match value:
        case None:
            return "The tool found nothing."
        case str():
            return f"The tool answered: {quoted(value, 400)}" if value.strip() else "The tool answered with nothing."
        case list():
            return _ended(told_list(_noun(name), cast("list[Any]", value), question, rank, "", style))
        case dict():
            return _object(name, arguments, cast("dict[str, Any]", value), question, rank, style)
        case _:
            return f"The tool answered: {shown(name, value, style=style)}."


def _object(
    name: str, arguments: Mapping[str, Any], value: dict[str, Any], question: str, rank: Rank, style: Style
) -> str:
    failure = _failure(value)
    if failure is not None:
        return _ended(
            f"That did not work: {failure}" if failure else "That did not work, and the tool does not say why"
        )
    awaited = _awaited(value)
    if awaited is not None:
        return awaited
    inner = _unwrapped(value)
    if isinstance(inner, list):
        return _ended(told_list(_noun(name), inner, question, rank, currency_of(value), style))
    scored = ranked(facts_of(inner, _ASIDE), question, rank, is_change=not _reads(name))
    lists = lists_of(inner, _ASIDE)
    chosen = _chosen(lists, question, rank)
    sentences: list[str] = []
    if chosen is not None and _is_about(chosen[0], chosen[1], question, scored):
        path, found, currency = chosen
        noun = label(path[-1])
        sentences.append(
            told_list(noun if noun not in _WRAPPERS else _noun(name), found, question, rank, currency, style)
        )
        if not found or len(scored) == 0 or scored[0][0] < 2.0 or "has the" in sentences[0]:
            scored = []
        scored = [one for one in scored if as_decimal(one[1].value) != len(found)][:1]
    said = _said(scored, inner, arguments, style)
    if said:
        sentences.append(said)
    if not sentences:
        sentences.append("The tool answered, and there was nothing in it")
    sentences += _aside(inner, " ".join(sentences))
    return " ".join(_ended(sentence) for sentence in sentences)


def _aside(value: dict[str, Any], said: str) -> list[str]:
    """The first note or warning: it may change what the figures mean."""
    for key in _ASIDE:
        aside: Any = value.get(key)
        listed: list[Any] = cast("list[Any]", aside) if isinstance(aside, list) else [aside]
        first = listed[0] if listed else None
        if isinstance(first, str) and first.strip() and first not in said:
            return [quoted(first, 240)]
    return []


def _failure(value: dict[str, Any]) -> str | None:
    """What went wrong, as the tool says it; None when it went well, empty when it says nothing."""
    error = value.get("error", value.get("errors"))
    status = value.get("status")
    is_bad = bool(error) or value.get("ok") is False or value.get("success") is False
    if not is_bad and not (
        isinstance(status, str) and status.lower() in _BAD and {"message", "detail", "reason"} & value.keys()
    ):
        return None
    for found in (error, value.get("message"), value.get("detail"), value.get("reason"), value.get("title")):
        text = _reason(found)
        if text:
            return quoted(text, 300)
    return ""


def _awaited(value: dict[str, Any]) -> str | None:
    """That a person must agree first, and to what; None where nobody must."""
    status = value.get("status")
    if not isinstance(status, str) or status.lower() not in _AWAITED:
        return None
    nested = [cast("dict[str, Any]", one) for one in value.values() if isinstance(one, dict)]
    effects = [one[key] for one in (value, *nested) for key in ("effect", "summary") if isinstance(one.get(key), str)]
    return " ".join(
        [
            "Somebody must approve this first; nothing was done yet.",
            *(_ended(quoted(f"It would do this: {effect}", 400)) for effect in effects[:1]),
        ]
    )


def _reason(found: Any) -> str:
    match found:
        case str():
            return found
        case dict():
            inner = cast("dict[str, Any]", found)
            keys = ("message", "detail", "error", "reason", "code")
            return next((_reason(inner[key]) for key in keys if isinstance(inner.get(key), str)), "")
        case list():
            return joined(
                [
                    text
                    for one in cast("list[Any]", found)[:3]
                    if isinstance(one, (str, dict)) and (text := _reason(one))
                ]
            )
        case _:
            return ""


def _unwrapped(value: dict[str, Any]) -> dict[str, Any] | list[Any]:
    """Without the envelope: `{"data": …}`, `{"ok": true, "result": …}`."""
    for _ in range(3):
        rest = {
            key: one
            for key, one in value.items()
            if key not in _ENVELOPE and (key != "status" or one not in ("done", "ok", "success"))
        }
        if len(rest) != 1:
            return value
        key, inner = next(iter(rest.items()))
        if key not in _WRAPPERS or not isinstance(inner, (dict, list)):
            return value
        if isinstance(inner, list):
            return cast("list[Any]", inner)
        value = cast("dict[str, Any]", inner)
    return value


def _noun(name: str) -> str:
    """What a tool gives lists of: `list_open_invoices` gives invoices."""
    plural = [part for part in split_name(name) if part.endswith("s") and not part.endswith("ss")]
    return plural[-1] if plural else "results"


def _reads(name: str) -> bool:
    first = split_name(name)[:1]
    return bool(first) and first[0] in {
        "get",
        "list",
        "search",
        "find",
        "show",
        "read",
        "check",
        "fetch",
        "look",
        "query",
        "count",
        "who",
        "track",
    }


Listed = tuple[tuple[str, ...], list[Any], str]


def _chosen(lists: list[Listed], question: str, rank: Rank) -> Listed | None:
    if not lists:
        return None
    asked = set(stems(question))
    near = rank(question, [" ".join(label(part) for part in path) for path, _, _ in lists])

    def order(at: int) -> tuple[int, bool, float]:
        own = {stem(word) for part in lists[at][0] for word in split_name(part)}
        return -len(own & asked), not lists[at][1], -near[at]

    return lists[min(range(len(lists)), key=order)]


def _is_about(path: tuple[str, ...], found: list[Any], question: str, scored: list[tuple[float, Fact]]) -> bool:
    """Whether the list is what was asked for, rather than one of the figures beside it."""
    own = {stem(word) for word in split_name(path[-1])}
    if not scored or own & set(stems(question)):
        return True
    if found and re.search(
        r"\b(each|every|by|per|break ?down|split|list|which|most|least|highest|cheapest|biggest)\b", question.lower()
    ):
        return True
    return scored[0][0] < 1.0


def _said(scored: list[tuple[float, Fact]], value: dict[str, Any], arguments: Mapping[str, Any], style: Style) -> str:
    """The facts that the question is about, in one sentence."""
    if not scored:
        return ""
    period, used = _period(value, style)
    given = {str(one) for one in arguments.values() if isinstance(one, (str, int, float)) and str(one)}
    known = [
        fact
        for _, fact in scored
        if str(fact.value) in given and fact.key not in used and not isinstance(fact.value, bool)
    ]
    left = [(score, fact) for score, fact in scored if fact.key not in used and fact not in known and score > -0.5]
    if not left:
        left = [(score, fact) for score, fact in scored if fact.key not in used]
        known = []
    if not left:
        return period
    top, first = left[0]
    beside = next((fact for _, fact in left if fact.path[:-1] == first.path[:-1] and _is_bound(first, fact)), None)
    others = [fact for score, fact in left[1:] if fact is not beside and score >= top - 1.2][
        : 2 if style.is_spoken else 3
    ]
    about = [shown(fact.key, fact.value, style=style) for fact in known if isinstance(fact.value, str)][:2]
    opening = period or (f"For {joined(about)}" if about else "")
    text = _clause(first, beside, is_past=bool(period), style=style)
    rest = [_short(fact, style) for fact in others]
    text = f"{opening}, {text}" if opening else text[0].upper() + text[1:]
    return f"{text}; {joined(rest)}" if rest else text


def _clause(fact: Fact, beside: Fact | None, *, is_past: bool, style: Style) -> str:
    value = shown(fact.key, fact.value, currency=fact.currency, style=style)
    words = fact.name
    if beside is not None:
        bound = shown(beside.key, beside.value, currency=beside.currency, style=style)
        return f"{value} of {bound} {'was' if is_past else 'is'} {words}"
    if isinstance(fact.value, bool):
        return f"{words}: {value}"
    if fact.is_count:
        return f"there {'were' if is_past else 'are'} {value} {words}"
    if fact.unit:
        value = f"{value} {fact.unit}"
    is_plural = words.endswith("s") and not words.endswith(("ss", "us"))
    verb = ("were" if is_plural else "was") if is_past else "are" if is_plural else "is"
    return f"the {words} {verb} {value}"


def _short(fact: Fact, style: Style) -> str:
    value = shown(fact.key, fact.value, currency=fact.currency, style=style)
    if fact.is_count:
        return f"{value} {fact.name}"
    return f"{fact.name} {value}{' ' + fact.unit if fact.unit else ''}"


def _is_bound(first: Fact, other: Fact) -> bool:
    """`used` beside `limit`, `spent_usd` beside `monthly_usd`."""
    names, others = set(split_name(first.key)), set(split_name(other.key))
    return bool(
        names & {"used", "spent", "done"} and others & {"limit", "monthly", "budget", "quota", "total", "max", "cap"}
    )


def _period(value: dict[str, Any], style: Style) -> tuple[str, set[str]]:
    """ "From … to …", and the keys that it used up."""
    for first, last in _PERIODS:
        start, end = value.get(first), value.get(last)
        if not (isinstance(start, str) and isinstance(end, str)):
            continue
        if re.match(r"\d{4}-\d\d-\d\d", start) and re.match(r"\d{4}-\d\d-\d\d", end):
            one, other = shown("date", start[:10], style=style), shown("date", end[:10], style=style)
            return (f"On {one}" if one == other else f"From {one} to {other}"), {first, last}
    return "", set()


def _ended(sentence: str) -> str:
    sentence = sentence.strip()
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."
