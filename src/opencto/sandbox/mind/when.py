"""Days and spans of days as people name them: "yesterday", "last week", "since Monday", "from the 3rd to the 9th of October".

Weeks run from Monday to Sunday. What is named without a year is the latest one that has begun, unless the future is meant.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from opencto.sandbox.mind.calendar_words import JOINED, Clock
from opencto.sandbox.mind.days import PATTERNS
from opencto.sandbox.mind.numbers import value_of


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both ends included; `start` or `end` is None where the sentence leaves it open."""

    start: date | None
    end: date | None
    at: int
    """Where its words begin in the text, and where they end."""
    to: int
    length: tuple[int, str] | None = None
    """What was said to count back: (2, "week")."""

    @property
    def is_one_day(self) -> bool:
        return self.start is not None and self.start == self.end


def find(text: str, today: date, *, is_future: bool = False) -> list[Period]:
    """The periods of a text in their order. `is_future` decides what "on Friday" means."""
    clock = Clock(today, is_future)
    low = text.lower()
    atoms = _atoms(text, low, clock)
    found: list[Period] = []
    index = 0
    while index < len(atoms):
        one = atoms[index]
        before = low[: one.at]
        following = atoms[index + 1] if index + 1 < len(atoms) else None
        opening = re.search(r"\b(from|between)\s+(?:the\s+|last\s+)?$", before)
        if following is not None:
            joint = re.fullmatch(JOINED + r"(?:the\s+)?", low[one.to : following.at])
            if joint and (opening or "and" not in joint.group()) and following.length is None:
                start = opening.start() if opening else one.at
                found.append(Period(*_in_order(one.start, following.end, clock), start, following.to))
                index += 2
                continue
        found.append(_opened(one, before, clock))
        index += 1
    return found


def _in_order(start: date | None, end: date | None, clock: Clock) -> tuple[date | None, date | None]:
    """ "From Monday to Friday" said on a Wednesday: each day alone was the nearest of its name."""
    if start is None or end is None or start <= end:
        return start, end
    step = timedelta(weeks=1) if (start - end).days < 7 else timedelta(days=365)
    return (start, end + step) if clock.is_future else (start - step, end)


def _opened(one: Period, before: str, clock: Clock) -> Period:
    """With the word before it: since, until."""
    since = re.search(r"\b(since|starting|from|after|as of|beginning)\s+(?:on\s+)?(?:the\s+)?$", before)
    if since and one.length is None:
        start = one.start
        if since[1] == "after" and one.end is not None:
            start = one.end + timedelta(days=1)
        end = None if clock.is_future or (start and start > clock.today) else clock.today
        if since[1] == "from" and one.start != one.end:
            return one  # "the invoices from October" are October's
        if since[1] == "from" and one.is_one_day:
            return one
        return replace(one, start=start, end=end, at=since.start())
    until = re.search(r"\b(until|till|through|up to|before)\s+(?:the\s+)?$", before)
    if until:
        end = one.end
        if until[1] == "before" and one.start is not None:
            end = one.start - timedelta(days=1)
        return replace(one, start=None, end=end, at=until.start())
    return one


def _atoms(text: str, low: str, clock: Clock) -> list[Period]:
    found: list[Period] = []
    at = 0
    candidates: list[tuple[int, int, tuple[date, date] | None, re.Match[str]]] = []
    for pattern, handler in PATTERNS:
        for match in pattern.finditer(low):
            if _is_other_word(match, text):
                continue
            try:
                days = handler(match, clock)
            except (ValueError, OverflowError):  # the 31st of June: its words mean no other day either
                candidates.append((match.start(), match.end(), None, match))
                continue
            if days is not None:
                candidates.append((match.start(), match.end(), days, match))
    candidates.sort(key=lambda one: (one[0], -one[1]))
    for start, end, days, match in candidates:
        if start < at:
            continue
        at = end
        if days is None:
            continue
        groups = match.groupdict()
        length = (int(value_of(groups["back"])), groups["unit"]) if groups.get("back") else None
        found.append(Period(*days, start, end, length))
    return found


def _is_other_word(match: re.Match[str], text: str) -> bool:
    """ "may" and "march" are also verbs: alone they are months only with a capital or after "in"."""
    word = match.group().strip()
    if word in {"may", "march", "mar", "sun", "sat", "dec", "jan"}:
        return not (text[match.start()].isupper() and match.start() > 0)
    return (
        bool(re.fullmatch(r"(?:jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec)\.?", word))
        and not text[match.start()].isupper()
    )
