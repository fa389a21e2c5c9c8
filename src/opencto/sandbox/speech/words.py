"""Numbers, money, dates and model names the way people say them: for the synthesiser alone, the transcript stays as it is."""

import re
from collections.abc import Callable

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_CURRENCIES = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny")}
_PLURALS = {"penny": "pence"}
_SUFFIXES = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion"}
_LARGEST = 10**15

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"


def cardinal(number: int) -> str:
    """`number` in words; not negative."""
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, rest = divmod(number, 10)
        return TENS[tens] + (f" {ONES[rest]}" if rest else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return f"{ONES[hundreds]} hundred" + (f" {cardinal(rest)}" if rest else "")
    size, name = next(scale for scale in _SCALES if number >= scale[0])
    count, rest = divmod(number, size)
    return f"{cardinal(count)} {name}" + (f" {cardinal(rest)}" if rest else "")


def ordinal(number: int) -> str:
    head, _, last = cardinal(number).rpartition(" ")
    last = _ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")
    return f"{head} {last}".strip()


def spoken(text: str) -> str:
    """`text` for the synthesiser."""
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    # Pico reads marks between angle brackets as commands.
    return re.sub(r"\s+", " ", re.sub(r"[<>&*_`#|\\{}\[\]~^]+", " ", text)).strip()


def _number(digits: str) -> str:
    whole, _, fraction = digits.replace(",", "").partition(".")
    if int(whole) >= _LARGEST or (len(whole) > 1 and whole.startswith("0")):
        words = " ".join(ONES[int(digit)] for digit in whole)
    else:
        words = cardinal(int(whole))
    return words + (" point " + " ".join(ONES[int(digit)] for digit in fraction) if fraction else "")


def _counted(number: int, unit: str) -> str:
    plural = _PLURALS.get(unit, f"{unit}s")
    return f"{cardinal(number)} {unit if number == 1 else plural}"


def _money(match: re.Match[str]) -> str:
    unit, small = _CURRENCIES[match["currency"]]
    digits = match["amount"].replace(",", "")
    minus = "minus " if match["minus"] else ""
    suffix = _SUFFIXES.get((match["suffix"] or "").lower())
    if suffix:
        return f"{minus}{_number(digits)} {suffix} {unit}s"
    whole, _, fraction = digits.partition(".")
    if (len(fraction) > 2 and fraction[2:].strip("0")) or int(whole) >= _LARGEST:
        return f"{minus}{_number(digits)} {unit}s"
    cents = int(fraction[:2].ljust(2, "0")) if fraction else 0
    if not int(whole) and cents:
        return minus + _counted(cents, small)
    return minus + _counted(int(whole), unit) + (f" {cardinal(cents)}" if cents else "")


def _date(match: re.Match[str]) -> str:
    year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return f"{_MONTHS[month - 1]} {ordinal(day)}, {_year(year)}"


def _year(year: int) -> str:
    head, tail = divmod(year, 100)
    if tail == 0:
        return cardinal(year) if head % 10 == 0 else f"{cardinal(head)} hundred"
    if 2000 < year < 2010:
        return cardinal(year)
    return f"{cardinal(head)} {'oh ' if tail < 10 else ''}{cardinal(tail)}"


def _day_of_month(match: re.Match[str]) -> str:
    day = int(match["day"])
    if not 1 <= day <= 31:
        return match[0]
    year = f", {_year(int(match['year']))}" if match["year"] else ""
    return f"{match['month']} {ordinal(day)}{year}"


def _time(match: re.Match[str]) -> str:
    hour, minute = int(match["hour"]), int(match["minute"])
    if hour > 24 or minute > 59:
        return match[0]
    if not minute:
        return f"{cardinal(hour)} o'clock" if 1 <= hour <= 12 else f"{cardinal(hour)} hundred"
    return f"{cardinal(hour)} {'oh ' if minute < 10 else ''}{cardinal(minute)}"


def _model(match: re.Match[str]) -> str:
    parts = ["G P T" if part.lower() == "gpt" else part for part in match[0].split("-")]
    return " ".join(
        re.sub(rf"(?:{_NUMBER})(?=[a-z]?$)", lambda found: _number(found[0]) + " ", part).strip() for part in parts
    )


def _name(match: re.Match[str]) -> str:
    """Of a program: `cto_openai_proxy`."""
    parts = (part.upper() if part.upper() in _SPELLED else part for part in match[0].split("_"))
    return " ".join("OpenAI" if part == "openai" else part for part in parts)


_SPELLED = ("API", "URL", "SDK", "SQL", "CPU", "GPU", "HTTP", "JSON", "CEO", "CTO")
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\bgpt(?:-[a-z0-9]+(?:\.\d+)?)+", re.IGNORECASE), _model),
    (
        re.compile(
            rf"(?P<minus>[-−])?(?P<currency>[$€£])\s?(?P<amount>{_NUMBER})(?:\s?(?P<suffix>bn|[kmb])\b)?", re.IGNORECASE
        ),
        _money,
    ),
    (re.compile(r"(?<=\d) of (?=\d)"), lambda _found: " out of "),  # "four of thirty" sounds like 430
    (re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b"), _date),
    (
        re.compile(
            rf"\b(?P<month>{'|'.join(_MONTHS)})\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,?\s(?P<year>\d{{4}})\b)?"
        ),
        _day_of_month,
    ),
    (re.compile(r"\b(?P<hour>\d{1,2}):(?P<minute>\d{2})\b(?!:)"), _time),
    (re.compile(r"\b(?P<day>\d+)(?:st|nd|rd|th)\b"), lambda found: ordinal(int(found["day"]) % _LARGEST)),
    (
        re.compile(rf"(?P<minus>(?<![\w.])[-−])?(?P<amount>{_NUMBER})\s?%"),
        lambda found: f"{'minus ' if found['minus'] else ''}{_number(found['amount'])} percent",
    ),
    (
        re.compile(rf"(?P<minus>(?<![\w.])[-−])?(?<![\w.])(?<!\d-)(?P<amount>{_NUMBER})(?![\w]|-\d)"),
        lambda found: f"{'minus ' if found['minus'] else ''}{_number(found['amount'])}",
    ),
    (re.compile(r"(?<![\w-])[a-z]+(?:_[a-z]+)+(?![\w-])"), _name),
    (re.compile(r"(?<=[a-z])(?=(?:CTO|AI)\b)"), lambda _found: " "),  # OpenCTO is Open and C T O
    (re.compile(r"\bAI\b"), lambda _found: "ay eye"),  # as letters Pico runs them together
    (re.compile(rf"\b({'|'.join(_SPELLED)})(s?)\b"), lambda found: " ".join(found[1]) + found[2]),
)
