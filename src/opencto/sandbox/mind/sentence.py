"""One sentence on its way into arguments: what stands in it, and which of its words have found their place already."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time

from opencto.sandbox.mind import numbers, when
from opencto.sandbox.mind.numbers import COUNT, Number
from opencto.sandbox.mind.when import Period
from opencto.sandbox.mind.words import Word, words

_QUOTED = re.compile(
    r"\"([^\"]{1,400})\"|“([^”]{1,400})”|„([^“”]{1,400})[“”]|(?<!\w)'([^']{2,400})'(?!\w)|`([^`]{1,400})`"
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"https?://[^\s,;\"']+[^\s,;\"'.?!)]")
_PHONE = re.compile(r"(?<!\w)\+\d[\d\s()-]{6,18}\d")
_VERSION = re.compile(
    r"(?<![\w.])v?\d+\.\d+(?:\.\d+)+(?:[-+][\w.]+)?(?![\w])|(?<![\w.])v\d+(?:\.\d+)*(?![\w])", re.IGNORECASE
)
_ID = re.compile(
    r"(?<![\w@.])(?:#\d+|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[A-Za-z]{1,12}[_-](?=[\w-]*\d)[A-Za-z0-9][\w-]*"
    r"|(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9]{2,}(?:[_-][A-Za-z0-9]+)*)(?![\w@])"
)
_NO_ID = re.compile(
    r"\d+(?:st|nd|rd|th|am|pm|h|min|m|s|d|k|x|ms|gb|mb|kb|tb|°c|°f)|q[1-4]|\d{1,2}h\d{2}|v\d+", re.IGNORECASE
)
_CODE = re.compile(r"(?<![\w-])[A-Z]{2,5}(?![\w-])")
_CLOCK = re.compile(
    r"\b(?:(?:at|by|around|from)\s+)?(?:(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*(?P<half>am|pm|a\.m\.|p\.m\.)(?!\w)"
    r"|(?P<hour24>\d{1,2}):(?P<minute24>\d{2})(?!\d)|(?P<word>noon|midnight)\b"
    r"|(?P<past>half|quarter) (?P<side>past|to) (?P<named>\w+)(?:\s*(?P<half3>am|pm)\b)?"
    rf"|(?P<oclock>{COUNT})\s*(?:o'?clock|(?P<half2>am|pm))\b)",
    re.IGNORECASE,
)
_DURATION = re.compile(
    rf"\b(?:(?P<back>(?:in|over|for|during|within)?\s*(?:the\s+)?(?:last|past|previous|next))\s+)?(?:for\s+)?"
    rf"(?P<count>half an?|an?|{COUNT})?\s*(?P<unit>second|sec|minute|min|hour|hr|day|week|month|year)s?\b",
    re.IGNORECASE,
)
SECONDS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "hr": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000, "year": 31_536_000}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Duration:
    seconds: int
    count: float
    unit: str
    start: int
    end: int
    looks_back: bool


@dataclass(frozen=True, slots=True)
class Moment:
    at: time
    start: int
    end: int


@dataclass
class Sentence:
    text: str
    now: datetime
    """In the zone of whoever speaks."""
    is_future: bool = False
    taken: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    guessed: set[str] = field(default_factory=set[str])
    """Fields that took a word only because it was left over."""
    words: list[Word] = field(init=False)
    periods: list[Period] = field(init=False)
    numbers: list[Number] = field(init=False)
    quoted: list[Span] = field(init=False)
    emails: list[Span] = field(init=False)
    urls: list[Span] = field(init=False)
    phones: list[Span] = field(init=False)
    versions: list[Span] = field(init=False)
    ids: list[Span] = field(init=False)
    codes: list[Span] = field(init=False)
    durations: list[Duration] = field(init=False)
    moments: list[Moment] = field(init=False)

    def __post_init__(self) -> None:
        self.words = words(self.text)
        self.quoted = [
            Span(next(group for group in match.groups() if group), match.start(), match.end())
            for match in _QUOTED.finditer(self.text)
        ]
        quotes = [(one.start, one.end) for one in self.quoted]
        self.emails = _spans(_EMAIL, self.text, quotes)
        self.urls = _spans(_URL, self.text, quotes)
        self.phones = _spans(_PHONE, self.text, quotes)
        solid = [*quotes, *((one.start, one.end) for one in [*self.emails, *self.urls, *self.phones])]
        self.versions = _spans(_VERSION, self.text, solid)
        self.periods = [
            one
            for one in when.find(self.text, self.now.date(), is_future=self.is_future)
            if not overlaps(one.at, one.to, solid)
        ]
        dated = [*solid, *((one.at, one.to) for one in self.periods)]
        self.ids = [
            one
            for one in _spans(_ID, self.text, [*dated, *((v.start, v.end) for v in self.versions)])
            if not _NO_ID.fullmatch(one.text)
        ]
        self.codes = _spans(_CODE, self.text, solid)
        self.moments = [one for one in _moments(self.text) if not overlaps(one.start, one.end, dated)]
        self.durations = [one for one in _durations(self.text) if not overlaps(one.start, one.end, solid)]
        busy = [*dated, *((one.start, one.end) for one in [*self.ids, *self.versions, *self.moments])]
        self.numbers = [one for one in numbers.find(self.text) if not overlaps(one.start, one.end, busy)]

    def is_free(self, start: int, end: int) -> bool:
        return not overlaps(start, end, self.taken)

    def take(self, start: int, end: int) -> None:
        self.taken.append((start, end))


def overlaps(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start < other_end and other_start < end for other_start, other_end in spans)


def _spans(pattern: re.Pattern[str], text: str, busy: Sequence[tuple[int, int]]) -> list[Span]:
    found = [Span(match.group(), match.start(), match.end()) for match in pattern.finditer(text)]
    return [one for one in found if not overlaps(one.start, one.end, busy)]


def _moments(text: str) -> list[Moment]:
    found: list[Moment] = []
    for match in _CLOCK.finditer(text):
        groups = match.groupdict()
        at = _time(groups)
        if at is not None:
            found.append(Moment(at, match.start(), match.end()))
    return found


def _time(groups: dict[str, str | None]) -> time | None:
    half = (groups["half"] or groups["half2"] or groups["half3"] or "").lower().replace(".", "")
    minute = int(groups["minute"] or groups["minute24"] or 0)
    if groups["word"]:
        return time(12 if groups["word"].lower() == "noon" else 0)
    if groups["past"]:
        named = numbers.UNITS.get((groups["named"] or "").lower())
        if named is None:
            return None
        quarter = 30 if groups["past"].lower() == "half" else 15
        hour, minute = (named, quarter) if (groups["side"] or "").lower() == "past" else (named - 1, 60 - quarter)
    elif groups["oclock"]:
        hour = int(numbers.value_of(groups["oclock"].lower()))
    else:
        hour = int(groups["hour"] or groups["hour24"] or 0)
    if half == "pm" and hour < 12:
        hour += 12
    elif half == "am" and hour == 12:
        hour = 0
    return time(hour, minute) if 0 <= hour < 24 and minute < 60 else None


def _durations(text: str) -> list[Duration]:
    found: list[Duration] = []
    for match in _DURATION.finditer(text):
        said = (match["count"] or "").lower()
        back = (match["back"] or "").lower()
        if not said and not back:
            continue
        count = 0.5 if said.startswith("half") else 1.0 if said in {"", "a", "an"} else numbers.value_of(said)
        unit = match["unit"].lower()
        seconds = int(count * SECONDS[unit])
        start = match.start() + len(match.group()) - len(match.group().lstrip())
        found.append(Duration(seconds, count, unit, start, match.end(), bool(back) and not back.endswith("next")))
    return found
