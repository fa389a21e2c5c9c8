"""The readers of days and of spans of days, and the words that each of them reads."""

import re
from calendar import monthrange
from datetime import date, timedelta

from opencto.sandbox.mind.calendar_words import (
    DAY_NUMBER,
    JOINED,
    MONTH,
    MONTHS,
    ORDINAL,
    UNIT,
    WEEKDAY,
    WEEKDAYS,
    YEAR,
    Clock,
    Handler,
)
from opencto.sandbox.mind.numbers import COUNT, NUMBER, ORDINALS, value_of


def _whole_month(year: int, month: int) -> tuple[date, date]:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def _one(day: date) -> tuple[date, date]:
    return day, day


def months_back(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _month_number(name: str) -> int:
    return next(index for index, month in enumerate(MONTHS, 1) if month.startswith(name[:3]))


def _day_number(written: str) -> int:
    digits = re.match(r"\d+", written)
    return int(digits.group()) if digits else ORDINALS[written]


def _in_year(month: int, day: int, clock: Clock, year: str | None) -> date:
    if year:
        return date(int(year), month, day)
    found = date(clock.today.year, month, day)
    if found > clock.today and not clock.is_future:
        return date(clock.today.year - 1, month, day)
    if found < clock.today and clock.is_future:
        return date(clock.today.year + 1, month, day)
    return found


def _relative_day(match: re.Match[str], clock: Clock) -> tuple[date, date]:
    words = re.sub(r"^the\s+", "", match.group().strip())
    offset = {
        "day before yesterday": -2, "yesterday": -1, "today": 0, "tonight": 0, "this morning": 0, "this afternoon": 0,
        "this evening": 0, "tomorrow": 1, "day after tomorrow": 2, "last night": -1,
    }[re.sub(r"\s+", " ", words)]  # fmt: skip
    return _one(clock.today + timedelta(days=offset))


def _iso(match: re.Match[str], _clock: Clock) -> tuple[date, date]:
    return _one(date.fromisoformat(match.group()))


def _slashed(match: re.Match[str], _clock: Clock) -> tuple[date, date]:
    first, second, year = int(match[1]), int(match[2]), int(match[3])
    return _one(date(year, second, first) if first > 12 else date(year, first, second))


def _dotted(match: re.Match[str], _clock: Clock) -> tuple[date, date]:
    return _one(date(int(match[3]), int(match[2]), int(match[1])))


def _weekday(match: re.Match[str], clock: Clock) -> tuple[date, date]:
    wanted = WEEKDAYS.index(match["weekday"])
    which = match["which"]
    monday = clock.today - timedelta(days=clock.today.weekday())
    if which == "this":
        return _one(monday + timedelta(days=wanted))
    ahead = (wanted - clock.today.weekday()) % 7 or 7
    if which in {"next", "coming"} or (which is None and clock.is_future):
        return _one(clock.today + timedelta(days=ahead))
    return _one(clock.today - timedelta(days=7 - ahead if ahead < 7 else 7))


def _month_and_day(match: re.Match[str], clock: Clock) -> tuple[date, date]:
    return _one(_in_year(_month_number(match["month"]), _day_number(match["day"]), clock, match["year"]))


def _days_of_month(match: re.Match[str], clock: Clock) -> tuple[date, date]:
    month = _month_number(match["month"])
    last = _in_year(month, _day_number(match["last"]), clock, match["year"])
    return last.replace(day=_day_number(match["first"])), last


def _bare_day(match: re.Match[str], clock: Clock) -> tuple[date, date] | None:
    day = _day_number(match["day"])
    if not 1 <= day <= 31:
        return None
    for back in range(12):
        base = clock.today.year * 12 + clock.today.month - 1 + (back if clock.is_future else -back)
        year, month = divmod(base, 12)
        if day > monthrange(year, month + 1)[1]:
            continue
        found = date(year, month + 1, day)
        if (found >= clock.today) if clock.is_future else (found <= clock.today):
            return _one(found)
    return None


def _ago(match: re.Match[str], clock: Clock) -> tuple[date, date]:
    count = 1 if match["count"] in {"a", "an"} else int(value_of(match["count"]))
    sign = 1 if match.group().startswith("in ") or match.group().endswith("from now") else -1
    match match["unit"]:
        case "month":
            return _one(months_back(clock.today, -sign * count))
        case "year":
            return _one(months_back(clock.today, -sign * count * 12))
        case unit:
            return _one(clock.today + timedelta(days=sign * count * {"day": 1, "week": 7, "fortnight": 14}[unit]))


def _counted(match: re.Match[str], clock: Clock) -> tuple[date, date] | None:
    """The last N: N days that end today."""
    count = int(value_of(match["back"]))
    if not 1 <= count <= 5000:
        return None
    if match["which"] == "next":
        days = {"day": 1, "week": 7, "fortnight": 14}.get(match["unit"])
        ahead = clock.today + timedelta(days=days * count - 1) if days else months_back(clock.today, -count)
        return clock.today, ahead
    match match["unit"]:
        case "month":
            return months_back(clock.today, count) + timedelta(days=1), clock.today
        case "quarter":
            return months_back(clock.today, 3 * count) + timedelta(days=1), clock.today
        case "year":
            return months_back(clock.today, 12 * count) + timedelta(days=1), clock.today
        case unit:
            days = count * {"day": 1, "week": 7, "fortnight": 14}[unit]
            return clock.today - timedelta(days=days - 1), clock.today


def _whole(match: re.Match[str], clock: Clock) -> tuple[date, date] | None:
    """Last, this, next week and so on. What is not over yet ends today, unless the future is meant."""
    which = match["whole"]
    step = {"last": -1, "past": -1, "previous": -1, "prior": -1, "this": 0, "current": 0, "next": 1, "coming": 1}[which]
    unit = match["unit"]
    if unit == "week" and re.search(r"before last$", match.group()):
        step = -2
    today = clock.today
    match unit:
        case "day":
            return _one(today + timedelta(days=step))
        case "week":
            start = today - timedelta(days=today.weekday()) + timedelta(weeks=step)
            found = start, start + timedelta(days=6)
        case "fortnight":
            return today - timedelta(days=13), today
        case "weekend":
            start = today - timedelta(days=today.weekday()) + timedelta(weeks=step, days=5)
            return start, start + timedelta(days=1)
        case "month":
            found = _whole_month(today.year, today.month + step)
        case "quarter":
            first = (today.month - 1) // 3 * 3 + 1 + 3 * step
            found = _whole_month(today.year, first)[0], _whole_month(today.year, first + 2)[1]
        case _:
            found = date(today.year + step, 1, 1), date(today.year + step, 12, 31)
    if step == 0 and not clock.is_future:
        return found[0], today
    return found


def _before_last(match: re.Match[str], clock: Clock) -> tuple[date, date]:
    today = clock.today
    if match["unit"] == "month":
        return _whole_month(today.year, today.month - 2)
    start = today - timedelta(days=today.weekday() + 14)
    return start, start + timedelta(days=6)


def _month(match: re.Match[str], clock: Clock) -> tuple[date, date]:
    month = _month_number(match["month"])
    which = match["which"]
    if match["year"]:
        year = int(match["year"])
    elif which in {"next", "coming"} or clock.is_future:
        year = clock.today.year + (month < clock.today.month)
    else:
        year = clock.today.year - (month > clock.today.month)
        if which == "last" and month == clock.today.month:
            year -= 1
    start, end = _whole_month(year, month)
    if start <= clock.today <= end and not clock.is_future:
        end = clock.today
    return start, end


def _quarter(match: re.Match[str], clock: Clock) -> tuple[date, date]:
    number = int(match["number"]) if match["number"].isdigit() else ORDINALS[match["number"]]
    first = 3 * number - 2
    year = int(match["year"]) if match["year"] else clock.today.year - (first > clock.today.month)
    return _whole_month(year, first)[0], _whole_month(year, first + 2)[1]


def _year(match: re.Match[str], clock: Clock) -> tuple[date, date]:
    year = int(match["year"])
    return date(year, 1, 1), clock.today if year == clock.today.year else date(year, 12, 31)


def _edge(match: re.Match[str], clock: Clock) -> tuple[date, date]:
    today = clock.today
    step = {"last": -1, "next": 1}.get(match["which"] or "", 0)
    if match["unit"] == "week":
        start = today - timedelta(days=today.weekday()) + timedelta(weeks=step)
        days = start, start + timedelta(days=6)
    elif match["unit"] == "month":
        days = _whole_month(today.year, today.month + step)
    else:
        days = date(today.year + step, 1, 1), date(today.year + step, 12, 31)
    return _one(days[1] if match["edge"] == "end" else days[0])


def _week_of(match: re.Match[str], clock: Clock) -> tuple[date, date]:
    day = _month_and_day(match, clock)[0]
    start = day - timedelta(days=day.weekday())
    return start, start + timedelta(days=6)


def _sources() -> list[tuple[str, Handler]]:
    day, month = rf"(?P<day>{DAY_NUMBER})", rf"(?P<month>{MONTH})"
    first, last = rf"(?P<first>{DAY_NUMBER})", rf"(?P<last>{DAY_NUMBER})"
    return [
        (r"(?<![\d-])\d{4}-\d{2}-\d{2}(?![\d-])", _iso),
        (r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4})(?![\d/])", _slashed),
        (r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d{4})(?![\d.])", _dotted),
        (
            r"\b(?:the\s+)?day\s+before\s+yesterday\b|\byesterday\b|\btoday\b|\btonight\b|\b(?:the\s+)?day\s+after\s+tomorrow\b|\btomorrow\b"
            r"|\bthis (?:morning|afternoon|evening)\b|\blast night\b",
            _relative_day,
        ),
        (rf"\b(?:(?P<which>last|this|next|coming|past)\s+)?(?P<weekday>{WEEKDAY})\b", _weekday),
        (rf"\b{month}\s+(?:the\s+)?{day}\b(?!\s*(?::|%|am\b|pm\b)){YEAR}", _month_and_day),
        (rf"\b(?:the\s+)?{day}\s+(?:of\s+)?{month}\b{YEAR}", _month_and_day),
        (rf"\bweek of (?:the\s+)?{month}\s+(?:the\s+)?{day}\b{YEAR}", _week_of),
        (rf"\b{month}\s+(?:the\s+)?{first}{JOINED}(?:the\s+)?{last}\b(?!\s*(?:of\s+)?(?:{MONTH})\b){YEAR}", _days_of_month),
        (rf"\b(?:the\s+)?{first}{JOINED}(?:the\s+)?{last}\s+(?:of\s+)?{month}\b{YEAR}", _days_of_month),
        (rf"\bon\s+the\s+(?P<day>{ORDINAL})\b(?!\s+(?!of\b|and\b|to\b|until\b|for\b|in\b|please\b)\w)", _bare_day),
        (r"\b(?:the\s+)?(?P<day>\d{1,2}(?:st|nd|rd|th))\b(?!\s+(?!and\b|to\b|until\b|for\b|please\b)\w)", _bare_day),
        (rf"\b(?P<count>an?|{NUMBER})\s+{UNIT}\s+(?:ago|from now)\b", _ago),
        (rf"\bin\s+(?P<count>an?|{NUMBER})\s+(?P<unit>day|week|month)s?\b(?!\s+ago)", _ago),
        (rf"\b(?:the\s+)?(?P<which>last|past|previous|next|coming)\s+(?P<back>{COUNT})\s+{UNIT}\b", _counted),
        (
            r"\b(?:the\s+)?(?P<whole>last|past|previous|prior|this|current|next|coming)\s+(?P<unit>week(?!end)|fortnight|month|quarter|year|weekend)\b",
            _whole,
        ),
        (r"\b(?:the\s+)(?P<unit>week|month)\s+before\s+last\b", _before_last),
        (rf"\b(?:in\s+|during\s+|for\s+)?(?:(?P<which>last|this|next|coming|past)\s+)?{month}\b{YEAR}", _month),
        (r"\bq(?P<number>[1-4])\b(?:\s+(?:of\s+)?(?P<year>20\d{2}))?", _quarter),
        (r"\b(?:the\s+)?(?P<number>first|second|third|fourth)\s+quarter\b(?:\s+(?:of\s+)?(?P<year>20\d{2}))?", _quarter),
        (r"\b(?:in|during|for|of)\s+(?P<year>20\d{2})\b(?!-)", _year),
        (
            r"\b(?:the\s+)?(?P<edge>start|beginning|end)\s+of\s+(?:the\s+)?(?:(?P<which>this|last|next)\s+)?(?P<unit>week|month|year)\b",
            _edge,
        ),
    ]  # fmt: skip


PATTERNS: list[tuple[re.Pattern[str], Handler]] = [(re.compile(source), handler) for source, handler in _sources()]
