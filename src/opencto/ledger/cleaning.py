"""What callers hand to the audit trail, made fit to be kept: no secret, no NUL, no surrogate, nothing endless.

Nothing here raises because of what it is given: an odd detail must never undo the work that the event tells of.
"""

from collections.abc import Mapping
from typing import Any, cast

from opencto.ledger.chain import canonical
from opencto.telemetry import log

MAX_TEXT = 1_000
MAX_ITEMS = 50
MAX_DETAILS = 16_000
_SCRUBBED_TEXT = 20 * MAX_TEXT  # looked through for secrets before it is cut, so that no half of one is left over
_SAFE_INTEGER = 2**53 - 1  # beyond it other languages read another number from the same JSON


def line(value: Any, limit: int) -> str:
    """One line of text: scrubbed, printable, at most `limit` characters."""
    text = log.scrub(_storable(str(value)[:_SCRUBBED_TEXT]))
    if not text.isprintable():
        text = "".join(character if character.isprintable() else "�" for character in text)
    return _cut(text, limit)


def optional_line(value: Any, limit: int) -> str | None:
    return None if value is None else line(value, limit)


def details_text(details: Any) -> str:
    """The details as canonical JSON: an object of texts, whole numbers, booleans, nulls, lists and objects of these."""
    try:
        # Long text is cut, and numbers made portable, first: then the scrubber sees only what JSON can hold.
        cleaned = _clean(log.scrub_value(_bounded(details)))
        if not isinstance(cleaned, dict):
            cleaned = {"value": cleaned}
        text = canonical(cleaned)
    except Exception as error:  # noqa: BLE001 - any object may stand here, and its own methods may raise anything
        log.get("audit").warning("audit.details_unreadable", error=type(error).__name__)
        return canonical({"unreadable": True})
    if len(text) > MAX_DETAILS:
        return canonical({"omitted": f"{len(text)} characters of details were too many to keep"})
    return text


def _bounded(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return value[:_SCRUBBED_TEXT]
    if depth < 6 and isinstance(value, Mapping):
        items = list(cast("Mapping[Any, Any]", value).items())[:MAX_ITEMS]
        return {str(key)[:MAX_TEXT]: _bounded(item, depth + 1) for key, item in items}
    if depth < 6 and isinstance(value, (list, tuple, set, frozenset)):
        items = list(cast("list[Any]", value))
        if isinstance(value, (set, frozenset)):
            items.sort(key=str)
        more = [f"… and {len(items) - MAX_ITEMS} more"] if len(items) > MAX_ITEMS else []
        return [_bounded(item, depth + 1) for item in items[:MAX_ITEMS]] + more
    if value is None or isinstance(value, (bool, int, float, bytes)):
        return value
    return str(value)[:_SCRUBBED_TEXT]


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _cut(_storable(value), MAX_TEXT)
    if isinstance(value, dict):
        return {_storable(log.scrub(key)): _clean(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_clean(item) for item in cast("list[Any]", value)]
    if isinstance(value, int) and not isinstance(value, bool):
        number = int(value)  # an IntEnum is a number too
        return number if abs(number) <= _SAFE_INTEGER else str(number)
    return value if value is None or isinstance(value, bool) else str(value)


def _storable(text: str) -> str:
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
