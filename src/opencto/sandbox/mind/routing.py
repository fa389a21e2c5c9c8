"""Which of the caller's tools a request is for, if any: by meaning where E5 is installed, by words, and by what its schema could take.

Every tool gets a number of signs; a fixed weighted sum of them is its score, and the best tool is called when its score is above
zero. The weights were fitted once on wordings for tools of many kinds (`tests/sandbox/mind/measure.py` prints what they give).
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from opencto.sandbox.mind import solid, strings
from opencto.sandbox.mind.arguments import Filled, fill
from opencto.sandbox.mind.choosing import Alike
from opencto.sandbox.mind.schema import Field, read
from opencto.sandbox.mind.sentence import Sentence
from opencto.sandbox.mind.words import initials, split_name, stem, stems
from opencto.sandbox.ports import Tool

Near = Callable[[Sequence[str], Sequence[str]], list[list[float]]]
"""How near each question is to each passage, as cosines."""

_STATEMENT = re.compile(
    r"\W*(?:i'?m|i am|i was|i had|i feel|i love|i like|i hate|i think|i believe|i've been|my|it's|it is|that's|that is|there's|you are|you're)\b",
    re.IGNORECASE,
)
ELSEWHERE = (
    "greeting, small talk, thanks or goodbye",
    "general knowledge question about the world, history or science",
    "write a poem, a song, a story or a joke",
    "opinion, advice or feelings",
    "explain a concept or how to do something",
    "arithmetic",
    "personal statement of the user",
)
"""What people say that no tool is for: a tool must be nearer than these."""


@dataclass(frozen=True, slots=True)
class Candidate:
    tool: Tool
    filled: Filled
    signs: tuple[float, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Described:
    """A tool as the router reads it."""

    tool: Tool
    fields: tuple[Field, ...]
    short: str
    long: str
    clauses: tuple[str, ...]
    """What its description lists: it may do several things."""
    name_stems: frozenset[str]
    all_stems: frozenset[str]


def described(tool: Tool) -> Described:
    fields = read(tool.parameters)
    parts = split_name(tool.name)
    name = " ".join(parts)
    short = f"{name}: {tool.description[:600]}"
    words = [f"{' '.join(split_name(one.name))} {' '.join(map(str, _values(one)))}".strip() for one in fields]
    about = " ".join([*words, *(one.description for one in fields)])
    return Described(
        tool,
        fields,
        short,
        f"{short} {', '.join(words)[:600]}",
        _clauses(tool.description[:600]) or (short,),
        frozenset([*map(stem, parts), *initials(parts)]),
        frozenset([*map(stem, parts), *initials(parts), *stems(tool.description[:2000]), *stems(about[:4000])]),
    )


def _clauses(description: str) -> tuple[str, ...]:
    parts = re.split(r"[.,;:()]\s*|\s+(?:and|or)\s+", description)
    return tuple(part.strip() for part in parts if len(part.split()) > 1)[:5]


def _values(field: Field) -> tuple[object, ...]:
    return (field.items.values if field.items else field.values)[:12]


NAMES = (
    "near_short", "near_long", "near_clause", "nearer_than_others", "words", "dates_used", "dates_unused", "ids_used", "ids_unused",
    "choices", "missing", "filled", "first_verb", "statement",
)  # fmt: skip
WEIGHTS = (10.8, 26.2, 29.6, 29.6, 4.8, 2.1, -1.0, 2.0, -0.3, 1.5, -1.6, 0.7, 1.7, -2.1)
BIAS = -2.8
_GLANCED, _SERIOUS = 64, 16
WEIGHTS_OF_WORDS = (0.0, 0.0, 0.0, 0.0, 11.8, 1.8, -0.5, 0.6, 0.0, 0.6, -2.1, 0.7, 2.6, -3.1)
BIAS_OF_WORDS = -3.2


def candidates(
    text: str, tools: Sequence[Described], now: datetime, near: Near | None, alike: Alike
) -> list[Candidate]:
    """The tools with their arguments, the likeliest first."""
    sentence = Sentence(text, now)
    asked = _content(text, sentence)
    frequency = Counter(word for one in tools for word in one.all_stems)
    core = _without_dates(text, sentence)
    tools = _serious(core, asked, tools, frequency, near)
    if near is not None and tools:
        short = near([core], [one.short for one in tools])[0]
        long = near([text], [one.long for one in tools])[0]
        clause = [max(near([core], one.clauses)[0]) for one in tools]
        away = max(near([core], ELSEWHERE)[0])
    else:
        short, long, clause, away = [0.0] * len(tools), [0.0] * len(tools), [0.0] * len(tools), 0.0
    both = [one + other for one, other in zip(short, clause, strict=True)]
    found: list[Candidate] = []
    for index, one in enumerate(tools):
        filled = fill(one.tool, text, now, alike, fields=one.fields)
        others = max((value for place, value in enumerate(both) if place != index), default=2 * away)
        signs = (
            short[index] - away,
            long[index] - away,
            clause[index] - away,
            max(-0.1, min(0.1, both[index] - others)),
            _coverage(asked, one.all_stems, frequency, len(tools)),
            *_typed(one, filled, sentence),
            len(filled.missing) + 0.7 * len(filled.guessed),
            float(min(4, len(filled.found - filled.guessed))),
            _first_verb(asked, one, tools),
            float(_STATEMENT.match(text) is not None),
        )
        weights, bias = (WEIGHTS, BIAS) if near is not None else (WEIGHTS_OF_WORDS, BIAS_OF_WORDS)
        score = bias + sum(sign * weight for sign, weight in zip(signs, weights, strict=True))
        found.append(Candidate(one.tool, filled, signs, score))
    return sorted(found, key=lambda one: -one.score)


def _serious(
    core: str, asked: Sequence[str], tools: Sequence[Described], frequency: Counter[str], near: Near | None
) -> Sequence[Described]:
    """The few of many tools that are worth a closer look: looking costs time for each."""
    if len(tools) <= _SERIOUS:
        return tools
    covered = {one.tool.name: _coverage(asked, one.all_stems, frequency, len(tools)) for one in tools}
    ordered = sorted(tools, key=lambda one: -covered[one.tool.name])
    if near is None:
        return ordered[:_SERIOUS]
    glanced = ordered[:_GLANCED]
    short = near([core], [one.short for one in glanced])[0]
    scores = [9 * covered[one.tool.name] + 60 * value for one, value in zip(glanced, short, strict=True)]
    return [glanced[at] for at in sorted(range(len(glanced)), key=lambda at: -scores[at])[:_SERIOUS]]


def _first_verb(asked: Sequence[str], one: Described, tools: Sequence[Described]) -> float:
    """Whether the request begins with the tool's own verb: 1 when no other tool has it."""
    if not asked or asked[0] not in one.name_stems:
        return 0.0
    return 1.0 / sum(asked[0] in other.name_stems for other in tools)


def _without_dates(text: str, sentence: Sentence) -> str:
    """Days say nothing about the matter, and "last month" is near to every tool that counts months."""
    kept = text
    for period in reversed(sentence.periods):
        kept = kept[: period.at] + kept[period.to :]
    return kept if stems(kept) else text


def _content(text: str, sentence: Sentence) -> list[str]:
    """The stems of the request without its dates and quotes."""
    kept = list(text)
    for start, end in [
        *((one.at, one.to) for one in sentence.periods),
        *((one.start, one.end) for one in sentence.quoted),
    ]:
        kept[start:end] = " " * (end - start)
    return stems("".join(kept))


def _coverage(asked: Sequence[str], known: frozenset[str], frequency: Counter[str], tools: int) -> float:
    """The share of the request's words that the tool knows too; rare words count more."""
    weights = {word: math.log(1 + (tools + 1) / (frequency[word] + 0.5)) for word in sorted(set(asked))}
    whole = sum(weights.values())
    return sum(weight for word, weight in weights.items() if word in known) / whole if whole else 0.0


def _typed(one: Described, filled: Filled, sentence: Sentence) -> tuple[float, float, float, float, float]:
    """Dates, ids and choices: used by the tool, or left lying."""
    values = [str(value) for value in filled.values.values()]
    dated = any(_is_date(filled.values[name]) for name in filled.found) and bool(sentence.periods)
    told = any(sentence.text[period.at : period.to] in value for period in sentence.periods for value in values)
    spans = [*sentence.ids, *sentence.emails, *sentence.versions]
    ids = sum(any(span.text in value for value in values) for span in spans)
    numbered = any(strings.is_id(field) and field.name in filled.found for field in one.fields)
    shaped = any(
        solid.has_shape(field, str(filled.values[field.name])) for field in one.fields if field.name in filled.found
    )
    choices = sum(bool(_values(field)) and field.name in filled.found for field in one.fields)
    return (
        float(dated),
        float(bool(sentence.periods) and not dated and not told),
        float(min(2, max(ids, numbered) + shaped)),
        float(min(2, len(spans) - ids)),
        float(min(2, choices)),
    )


def _is_date(value: object) -> bool:
    return isinstance(value, str) and len(value) >= 7 and value[:4].isdigit() and value[4] == "-"
