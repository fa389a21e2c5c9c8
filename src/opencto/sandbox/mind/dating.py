"""Days and times into the fields that want them."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from opencto.sandbox.mind.schema import Field
from opencto.sandbox.mind.sentence import SECONDS, Duration, Moment, Sentence
from opencto.sandbox.mind.when import Period
from opencto.sandbox.mind.words import split_name

Role = Literal["start", "end", "one"]
_START = frozenset(["start", "from", "since", "begin", "beginning", "after", "newer", "earliest", "min", "lower"])
_END = frozenset(["end", "to", "until", "till", "before", "through", "older", "latest", "max", "upper", "thru"])
_ONE = frozenset(["date", "day", "when", "deadline", "due", "birthday"])
_DATED = re.compile(r"\b(dates?|days?|yyyy|iso[ -]?8601|rfc ?3339|timestamp|datetime|calendar)\b", re.IGNORECASE)
_MONTHLY = re.compile(r"\byyyy-mm(?!-?dd)\b", re.IGNORECASE)
_UNIX = re.compile(r"\b(unix|epoch)\b", re.IGNORECASE)
_SHORT = re.compile(r"\b\d+ ?(?P<unit>[smhdw])\b")
_CLOCKED = frozenset(["time", "hour", "hours", "clock"])
_UNITS = {"second": "second", "minute": "minute", "hour": "hour", "day": "day", "week": "week", "month": "month"}


def role_of(field: Field) -> Role | None:
    """What a field is to a period; None when it wants no day."""
    names = split_name(field.name)
    known = set(names)
    if field.kind in {"integer", "number"}:
        if not _UNIX.search(field.description):
            return None
    elif (
        field.kind != "string" or field.values or field.format == "time" or (known & _CLOCKED and not _is_moment(field))
    ):
        return None
    is_dated = (
        field.format in {"date", "date-time", "datetime"}
        or bool(known & {"date", "datetime", "timestamp", "day", "month", "deadline"})
        or bool(_DATED.search(field.description))
        or bool(_UNIX.search(field.description))
    )
    edge: Role | None = "start" if known & _START else "end" if known & _END else None
    if is_dated:
        # "Month to show" and "day to look at" are single in spite of their "to".
        return edge or _edge_of(field.description)
    if edge is not None and known & {"start", "since", "until", "begin", "end"} and len(names) <= 2:
        return edge
    return "one" if known & {"when", "due"} and not field.description else None


def _edge_of(description: str) -> Role:
    low = description.lower()
    if re.search(
        r"\b(first|start(ing)?|earliest|since|begin\w*|only (those|from) (after|since)) (day|date|of)?\b", low
    ):
        return "start"
    return "end" if re.search(r"\b(last|end(ing)?|latest|until|up to) (day|date|of)?\b", low) else "one"


def fill(fields: Iterable[Field], sentence: Sentence, into: dict[str, Any]) -> bool:
    """Says whether a day or time was put anywhere."""
    roles: list[tuple[Field, Role]] = []
    for field in fields:
        role = role_of(field)
        if field.name not in into and role is not None:
            roles.append((field, role))
    if not roles:
        return False
    period = next((one for one in sentence.periods if sentence.is_free(one.at, one.to)), None)
    moment = next((one for one in sentence.moments if sentence.is_free(one.start, one.end)), None)
    duration = next(
        (one for one in sentence.durations if one.looks_back and one.unit in {"second", "minute", "min", "hour", "hr"}),
        None,
    )
    if period is None and moment is None and duration is None:
        return False
    has_span = {role for _, role in roles} >= {"start", "end"}
    is_filled = False
    for field, role in roles:
        value = _value(field, role, period, moment, duration, sentence, has_span=has_span)
        if value is not None:
            into[field.name] = value
            is_filled = True
    if is_filled:
        if period is not None:
            sentence.take(period.at, period.to)
        elif duration is not None:
            sentence.take(duration.start, duration.end)
        if moment is not None and any(_is_moment(field) for field, _ in roles if field.name in into):
            sentence.take(moment.start, moment.end)
    return is_filled


def _is_moment(field: Field) -> bool:
    return field.format in {"date-time", "datetime"} or bool(
        re.search(
            r"date-?time|timestamp|iso[ -]?8601|rfc ?3339|date and time|T\d\d:\d\d",
            f"{field.name} {field.description}",
            re.IGNORECASE,
        )
    )


def _value(
    field: Field,
    role: Role,
    period: Period | None,
    moment: Moment | None,
    duration: Duration | None,
    sentence: Sentence,
    *,
    has_span: bool,
) -> Any:
    now = sentence.now
    if period is None:
        if duration is not None and moment is None:
            since = now - timedelta(seconds=duration.seconds)
            if role == "one":
                return None
            return _written(field, (since if role == "start" else now).date(), since if role == "start" else now)
        if moment is None or not _is_moment(field):
            return None
        at = datetime.combine(now.date(), moment.at, now.tzinfo)
        return _written(field, at.date(), at if at > now or not sentence.is_future else at + timedelta(days=1))
    if role == "one" and not period.is_one_day and not (sentence.is_future or field.is_required or _wants_month(field)):
        return None
    if role == "one":
        day = period.start or period.end
    elif has_span or role == "end":
        day = period.start if role == "start" else period.end
    else:
        day = period.start
    if day is None:
        return None
    clock = moment.at if moment is not None else time(23, 59, 59) if role == "end" else time(0)
    return _written(field, day, datetime.combine(day, clock, now.tzinfo))


def _wants_month(field: Field) -> bool:
    return "month" in split_name(field.name) or bool(_MONTHLY.search(field.description))


def _written(field: Field, day: date, moment: datetime) -> Any:
    if field.kind in {"integer", "number"}:
        return int(moment.timestamp())
    if _MONTHLY.search(field.description) or (
        field.format == ""
        and "month" in split_name(field.name)
        and not re.search("yyyy-mm-dd", field.description, re.IGNORECASE)
    ):
        return f"{day:%Y-%m}"
    return moment.isoformat() if _is_moment(field) else day.isoformat()


def fill_times(fields: Iterable[Field], sentence: Sentence, into: dict[str, Any]) -> None:
    """Times of day without a day."""
    for field in fields:
        names = set(split_name(field.name))
        if field.name in into or field.kind != "string" or field.values:
            continue
        if (
            field.format != "time"
            and not names & {"time", "hour", "clock"}
            and not re.search(r"\bHH:MM\b", field.description, re.IGNORECASE)
        ):
            continue
        moments = [one for one in sentence.moments if sentence.is_free(one.start, one.end)]
        if moments:
            into[field.name] = (
                f"{moments[0].at:%H:%M:%S}" if "HH:MM:SS" in field.description else f"{moments[0].at:%H:%M}"
            )
            sentence.take(moments[0].start, moments[0].end)


def fill_durations(fields: Iterable[Field], sentence: Sentence, into: dict[str, Any]) -> None:
    """ "The last two hours" into `minutes`, `hours` or a window such as "2h"."""
    for field in fields:
        if field.name in into or field.values:
            continue
        free = [one for one in sentence.durations if sentence.is_free(one.start, one.end)]
        whole_week = [one for one in sentence.periods if sentence.is_free(one.at, one.to)]
        unit = _unit_of(field)
        if field.kind in {"integer", "number"} and unit is not None:
            if free:
                value = free[0].seconds / SECONDS[unit]
                if value >= 1 or field.kind == "number":
                    into[field.name] = int(value) if field.kind == "integer" or value == int(value) else value
                    sentence.take(free[0].start, free[0].end)
            elif unit == "day" and whole_week and whole_week[0].start and whole_week[0].end:
                into[field.name] = (sentence.now.date() - whole_week[0].start).days + 1
                sentence.take(whole_week[0].at, whole_week[0].to)
        elif (
            field.kind == "string"
            and free
            and _SHORT.search(f"{field.description} {' '.join(map(str, field.examples))}")
        ):
            into[field.name] = f"{free[0].count:g}{free[0].unit[0]}"
            sentence.take(free[0].start, free[0].end)


def _unit_of(field: Field) -> str | None:
    names = split_name(field.name)
    for at, name in enumerate(names):
        single = name.removesuffix("s")
        if single in _UNITS and not (name == single and len(names) == 1 and single in {"day", "month", "second"}):
            return single  # `day` alone is the day of a month
        if single in {"min", "sec", "hr"} and at and at == len(names) - 1:
            return single
    found = re.search(
        r"\b(?:in|of|number of|how many) (second|minute|hour|day|week|month)s\b", field.description.lower()
    )
    return found[1] if found else None
