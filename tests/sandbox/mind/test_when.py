"""Days and spans of days, as people name them on Wednesday, 18 November 2026."""

from datetime import date

import pytest

from opencto.sandbox.mind.when import find

TODAY = date(2026, 11, 18)


def spans(text: str, *, is_future: bool = False) -> list[str]:
    return [
        f"{period.start or ''}..{period.end or ''}" if not period.is_one_day else str(period.start)
        for period in find(text, TODAY, is_future=is_future)
    ]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("costs of today", "2026-11-18"),
        ("what did we spend yesterday", "2026-11-17"),
        ("the day before yesterday", "2026-11-16"),
        ("last week", "2026-11-09..2026-11-15"),
        ("this week", "2026-11-16..2026-11-18"),
        ("the week before last", "2026-11-02..2026-11-08"),
        ("last month's bill", "2026-10-01..2026-10-31"),
        ("this month so far", "2026-11-01..2026-11-18"),
        ("last 7 days", "2026-11-12..2026-11-18"),
        ("the past three weeks", "2026-10-29..2026-11-18"),
        ("the last couple of days", "2026-11-17..2026-11-18"),
        ("since Monday", "2026-11-16..2026-11-18"),
        ("since the beginning of the month", "2026-11-01..2026-11-18"),
        ("until Friday", "..2026-11-13"),
        ("in October", "2026-10-01..2026-10-31"),
        ("in December", "2025-12-01..2025-12-31"),
        ("May was calm, but in May 2025?", "2025-05-01..2025-05-31"),
        ("on the 3rd", "2026-11-03"),
        ("on the 20th", "2026-10-20"),
        ("november ninth", "2026-11-09"),
        ("the twenty first of October", "2026-10-21"),
        ("3 November", "2026-11-03"),
        ("October 3rd, 2025", "2025-10-03"),
        ("on 2026-10-05", "2026-10-05"),
        ("on 05.10.2026", "2026-10-05"),
        ("two weeks ago", "2026-11-04"),
        ("a month ago", "2026-10-18"),
        ("from the 3rd to the 9th of October", "2026-10-03..2026-10-09"),
        ("between October 3 and October 9", "2026-10-03..2026-10-09"),
        ("from november first to november fifth", "2026-11-01..2026-11-05"),
        ("from March to May", "2026-03-01..2026-05-31"),
        ("from last Monday to Friday", "2026-11-09..2026-11-13"),
        ("Q3", "2026-07-01..2026-09-30"),
        ("in 2025", "2025-01-01..2025-12-31"),
        ("last weekend", "2026-11-14..2026-11-15"),
    ],
)
def test_a_period_is_found(text: str, days: str) -> None:
    assert spans(text) == [days]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("on Friday", "2026-11-20"),
        ("next Monday", "2026-11-23"),
        ("December 3rd", "2026-12-03"),
        ("tomorrow", "2026-11-19"),
        ("in two weeks", "2026-12-02"),
        ("on the 3rd", "2026-12-03"),
        ("next 5 days", "2026-11-18..2026-11-22"),
    ],
)
def test_what_is_to_come_lies_ahead(text: str, days: str) -> None:
    assert spans(text, is_future=True) == [days]


@pytest.mark.parametrize(
    "text",
    ["may I ask something", "march the logs", "the first incident", "the second one", "the 31st of June 2026", ""],
)
def test_other_words_are_no_days(text: str) -> None:
    assert spans(text) == []


def test_two_periods_stay_two() -> None:
    assert spans("compare last week with this week") == ["2026-11-09..2026-11-15", "2026-11-16..2026-11-18"]
