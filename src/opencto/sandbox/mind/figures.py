"""Values as people write and say them: money, counts, days, names."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

from opencto.sandbox.mind.words import split_name

_MONEY = frozenset(
    [
        "cost",
        "costs",
        "price",
        "amount",
        "spent",
        "spend",
        "budget",
        "balance",
        "fee",
        "revenue",
        "paid",
        "usd",
        "eur",
        "gbp",
        "chf",
        "salary",
        "refund",
        "invoice",
        "total",
        "subtotal",
    ]
)
_CURRENCIES: Final = {"usd": ("$", "dollar", "cent"), "eur": ("€", "euro", "cent"), "gbp": ("£", "pound", "penny"), "chf": ("CHF ", "franc", "centime")}  # fmt: skip
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Style:
    """How values are put."""

    is_spoken: bool = False
    year: int = 0
    """Days of this year go without it."""


WRITTEN: Final = Style()


def label(key: str) -> str:
    return " ".join(split_name(key)) or key


def quoted(text: str, most: int = _LONGEST) -> str:
    """Somebody else's words, on one line and not too long."""
    plain = " ".join(text.split())
    return plain if len(plain) <= most else f"{plain[:most].rstrip()}…"


def currency_of(near: dict[str, Any]) -> str:
    found = near.get("currency", near.get("currency_code", near.get("currencyCode", "")))
    return found.lower()[:3] if isinstance(found, str) else ""


def is_money(key: str, value: Any, currency: str) -> bool:
    names = set(split_name(key))
    if as_decimal(value) is None or names & {"tokens", "requests", "count", "ms", "seconds", "percent"}:
        return False
    named = names & _CURRENCIES.keys()
    return bool(named or (currency and names & _MONEY and (names - {"total", "subtotal"} or currency)))


def as_decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and not re.fullmatch(r"-?\d{1,15}(\.\d{1,12})?", value):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def shown(key: str, value: Any, currency: str = "", style: Style = WRITTEN) -> str:
    """A single value, with `key` telling what it is."""
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case int() | float() if is_money(key, value, currency):
            return money(Decimal(str(value)), _currency(key, currency), style=style)
        case int() | float():
            return number(value, style=style)
        case str():
            amount = as_decimal(value)
            if amount is not None and is_money(key, value, currency):
                return money(amount, _currency(key, currency), style=style)
            if amount is not None and "." in value and not set(split_name(key)) & {"version", "id", "ip"}:
                return number(float(amount), style=style)
            return _text(key, value, style=style)
        case list():
            found = [shown(key, one, currency=currency, style=style) for one in cast("list[Any]", value)[:5]]
            return joined(found) or "none"
        case _:
            return quoted(str(value))


def _currency(key: str, currency: str) -> str:
    return next((name for name in split_name(key) if name in _CURRENCIES), currency)


def _text(key: str, value: str, style: Style) -> str:
    if _DAY.fullmatch(value):
        try:
            return day(date.fromisoformat(value), style)
        except ValueError:
            return value
    if _MOMENT.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        zone = " UTC" if moment.utcoffset() is not None and not moment.utcoffset() else ""
        return f"{day(moment.date(), style)} at {moment:%H:%M}{zone}"
    if (
        style.is_spoken
        and re.fullmatch(r"[a-z]+(_[a-z]+)+", value)
        and not set(split_name(key)) & {"id", "name", "key"}
    ):
        return value.replace("_", " ")
    return quoted(value)


def day(value: date, style: Style = WRITTEN) -> str:
    return f"{value:%B} {value.day}" + ("" if value.year == style.year else f", {value.year}")


def number(value: float, style: Style = WRITTEN) -> str:
    if style.is_spoken and abs(value) >= 100_000:
        for size, name in ((1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand")):
            if abs(value) >= size:
                return f"about {value / size:.3g} {name}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}" if abs(value) < 1_000_000 else f"{value:,.2f}"


def money(amount: Decimal, currency: str, style: Style) -> str:
    sign, whole, part = _CURRENCIES.get(currency, (f"{currency.upper()} " if currency else "", currency.upper(), ""))
    if not style.is_spoken or currency not in _CURRENCIES:
        small = 0 < abs(amount) < Decimal("0.01")
        return (
            f"{'-' if amount < 0 else ''}{sign}{abs(amount).normalize():f}"
            if small
            else f"{'-' if amount < 0 else ''}{sign}{abs(amount):,.2f}"
        )
    if 0 < abs(amount) < Decimal("0.01"):
        return f"less than one {part}"
    cents = int((abs(amount) * 100).to_integral_value())
    units, rest = divmod(cents, 100)
    pieces: list[str] = []
    if units or not rest:
        pieces.append(f"{units:,} {whole}{'' if units == 1 else 's'}")
    if rest:
        many = "pence" if part == "penny" else f"{part}s"
        pieces.append(f"{rest} {part if rest == 1 else many}")
    return f"{'minus ' if amount < 0 else ''}{' and '.join(pieces)}"


def joined(parts: list[str], word: str = "and") -> str:
    """A, B and C."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"
