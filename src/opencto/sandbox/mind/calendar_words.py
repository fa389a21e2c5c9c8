"""How days, months and years are named, and what every reader of them knows."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from opencto.sandbox.mind.numbers import ORDINALS

MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MONTH = "|".join([*MONTHS, *(rf"{name[:3]}\.?" for name in MONTHS), r"sept\.?"])
WEEKDAY = "|".join(WEEKDAYS)
ORDINAL = rf"(?:\d{{1,2}}(?:st|nd|rd|th)|{'|'.join(sorted(ORDINALS, key=len, reverse=True))})"
DAY_NUMBER = rf"(?:{ORDINAL}|\d{{1,2}})"
YEAR = r"(?:,?\s+(?:of\s+)?(?P<year>(?:1[5-9]|20)\d{2}))?"
UNIT = r"(?P<unit>day|week|fortnight|month|quarter|year)s?"
JOINED = r"\s*(?:to|until|till|through|thru|up to|and|-|–|—)\s*"


@dataclass(frozen=True, slots=True)
class Clock:
    today: date
    is_future: bool


Handler = Callable[[re.Match[str], Clock], tuple[date, date] | None]
