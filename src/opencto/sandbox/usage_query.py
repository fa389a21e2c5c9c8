"""The query of a usage or costs call: what each endpoint takes, and the cursor that leads to the next page."""

import base64
import hashlib
import json
from dataclasses import dataclass

from starlette.requests import Request

from opencto.sandbox.errors import bad_request, invalid_value

_PEOPLE = ("project_id", "user_id", "api_key_id")
_WIDTHS = {"1m": (60, 60, 1440), "1h": (3600, 24, 168), "1d": (86_400, 7, 31)}
"""Bucket width: seconds, usual number of buckets, most buckets."""
_LATEST = 253_402_300_800  # the year 10000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind of usage."""

    name: str
    group_by: tuple[str, ...]
    filters: tuple[str, ...]
    widths: tuple[str, ...] = ("1m", "1h", "1d")
    most_days: int = 31


_COMPLETIONS = (*_PEOPLE, "model", "batch", "service_tier", "api_source")
_BY_PEOPLE = ("project_ids", "user_ids", "api_key_ids")
ENDPOINTS = {
    one.name: one
    for one in (
        Endpoint("completions", _COMPLETIONS, (*_BY_PEOPLE, "models", "batch")),
        Endpoint("decisions", _COMPLETIONS, (*_BY_PEOPLE, "models", "batch")),
        Endpoint("embeddings", (*_PEOPLE, "model"), (*_BY_PEOPLE, "models")),
        Endpoint("moderations", (*_PEOPLE, "model"), (*_BY_PEOPLE, "models")),
        Endpoint("audio_speeches", (*_PEOPLE, "model"), (*_BY_PEOPLE, "models")),
        Endpoint("audio_transcriptions", (*_PEOPLE, "model"), (*_BY_PEOPLE, "models")),
        Endpoint("images", (*_PEOPLE, "model", "size", "source"), (*_BY_PEOPLE, "models", "sizes", "sources")),
        Endpoint("vector_stores", ("project_id",), ("project_ids",)),
        Endpoint("code_interpreter_sessions", ("project_id",), ("project_ids",)),
        Endpoint("file_search_calls", (*_PEOPLE, "vector_store_id"), (*_BY_PEOPLE, "vector_store_ids")),
        Endpoint(
            "web_search_calls",
            (*_PEOPLE, "model", "context_level", "api_source"),
            (*_BY_PEOPLE, "models", "context_levels"),
        ),
        Endpoint(
            "costs",
            ("project_id", "user_id", "line_item", "api_key_id", "api_source"),
            ("project_ids", "api_key_ids", "line_items"),
            ("1d",),
            180,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """A checked query. Times are unix seconds; `first` is where this page begins, a border between buckets."""

    endpoint: Endpoint
    start: int
    end: int
    width: int
    limit: int
    first: int
    group_by: tuple[str, ...]
    filters: dict[str, tuple[str, ...]]
    fingerprint: str

    def cursor(self, first: int) -> str:
        raw = json.dumps([first, self.fingerprint]).encode()
        return f"page_{base64.urlsafe_b64encode(raw).decode()}"


def read_query(request: Request, endpoint: Endpoint, now: int) -> UsageQuery:
    """Raises ApiError for everything that OpenAI would refuse."""
    given: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        given.setdefault(name.removesuffix("[]"), []).append(value)
    known = {"start_time", "end_time", "bucket_width", "limit", "page", "group_by", *endpoint.filters}
    for name in given:
        if name not in known:
            raise bad_request(f"Unknown query parameter: '{name}'.", param=name, code="unknown_parameter")
    start = _integer(given, "start_time", 0, _LATEST)
    if start is None:
        raise bad_request(
            "Missing required parameter: 'start_time'.", param="start_time", code="missing_required_parameter"
        )
    end = _integer(given, "end_time", 0, _LATEST)
    end = now + 1 if end is None else end
    if end <= start:
        raise invalid_value("end_time", "Invalid 'end_time': must be later than 'start_time'.")
    word = _one(given, "bucket_width") or "1d"
    if word not in endpoint.widths:
        raise invalid_value(
            "bucket_width", f"Invalid value: '{word}'. Supported values are: {_listed(endpoint.widths)}."
        )
    width, usual, most = _WIDTHS[word]
    if word == "1d":
        most = endpoint.most_days
    limit = _integer(given, "limit", 1, most) or usual
    group_by = tuple(dict.fromkeys(given.get("group_by", [])))
    for name in group_by:
        if name not in endpoint.group_by:
            raise invalid_value(
                "group_by", f"Invalid value: '{name}'. Supported values are: {_listed(endpoint.group_by)}."
            )
    filters = {name: tuple(given[name]) for name in endpoint.filters if name in given}
    if any(value not in {"true", "false"} for value in filters.get("batch", ())):
        raise invalid_value("batch", "Invalid value for 'batch': expected true or false.")
    identity = repr((endpoint.name, start, given.get("end_time"), word, sorted(group_by), sorted(filters.items())))
    fingerprint = hashlib.sha256(identity.encode()).hexdigest()[:16]
    first = start - start % width
    page = _one(given, "page")
    if page is not None:
        first = _read_cursor(page, fingerprint, width)
    return UsageQuery(endpoint, start, min(end, now + 1), width, limit, first, group_by, filters, fingerprint)


def _read_cursor(page: str, fingerprint: str, width: int) -> int:
    try:
        first, theirs = json.loads(base64.urlsafe_b64decode(page.removeprefix("page_")))
    except (ValueError, TypeError):
        first, theirs = None, None
    if type(first) is not int or theirs != fingerprint or first % width:
        raise invalid_value(
            "page", "Invalid 'page': use the next_page of the previous response with the same parameters."
        )
    return first


def _one(given: dict[str, list[str]], name: str) -> str | None:
    values = given.get(name)
    if values and len(values) > 1:
        raise invalid_value(name, f"Invalid '{name}': expected one value, but got {len(values)}.")
    return values[0] if values else None


def _integer(given: dict[str, list[str]], name: str, least: int, most: int) -> int | None:
    text = _one(given, name)
    if text is None:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise bad_request(
            f"Invalid type for '{name}': expected an integer, but got a string instead.",
            param=name,
            code="invalid_type",
        )
    value = int(text)
    if value < least:
        raise bad_request(
            f"Invalid '{name}': integer below minimum value. Expected a value >= {least}, but got {value} instead.",
            param=name,
            code="integer_below_min_value",
        )
    if value > most:
        raise bad_request(
            f"Invalid '{name}': integer above maximum value. Expected a value <= {most}, but got {value} instead.",
            param=name,
            code="integer_above_max_value",
        )
    return value


def _listed(values: tuple[str, ...]) -> str:
    quoted = [f"'{value}'" for value in values]
    if len(quoted) == 1:
        return quoted[0]
    return f"{', '.join(quoted[:-1])}{',' if len(quoted) > 2 else ''} and {quoted[-1]}"
