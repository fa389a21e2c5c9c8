"""Reading the usage table: sums for each bucket, model and whoever used it."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, func, select

from opencto.sandbox import tables
from opencto.sandbox.store import Store
from opencto.sandbox.usage_query import UsageQuery

_FILTER_COLUMNS = {"project_ids": "project_id", "user_ids": "user_id", "api_key_ids": "api_key_id", "models": "model"}
_SUMMED = (
    "requests",
    "input_tokens",
    "input_cached_tokens",
    "input_audio_tokens",
    "output_tokens",
    "output_audio_tokens",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One sum. `bucket` is its start in unix seconds."""

    bucket: int
    model: str
    project_id: str
    user_id: str
    api_key_id: str
    service_tier: str
    has_demo: bool
    requests: int
    input_tokens: int
    input_cached_tokens: int
    input_audio_tokens: int
    output_tokens: int
    output_audio_tokens: int

    def plus(self, other: "Line") -> "Line":
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in _SUMMED})

    def dimension(self, name: str) -> Any:
        """The value by which a result is grouped."""
        match name:
            case "batch":
                return False
            case "api_source":
                return "unlabeled"
            case _:
                return getattr(self, name)


class Books:
    def __init__(self, store: Store, *, demo: bool) -> None:
        self._store = store
        self._demo = demo

    def lines(self, query: UsageQuery, buckets: range) -> list[Line]:
        """The sums within `buckets`, clipped to the asked time. Blocks."""
        table = tables.usage
        begin = max(buckets[0], query.start) * 1000
        end = min(buckets[-1] + query.width, query.end) * 1000
        bucket = (table.c.at_ms // (query.width * 1000)) * query.width
        keys = ("model", "project_id", "user_id", "api_key_id", "service_tier")
        conditions: list[ColumnElement[bool]] = [table.c.at_ms >= begin, table.c.at_ms < end]
        if query.endpoint.name != "costs":
            conditions.append(table.c.capability == query.endpoint.name)
        if not self._demo:
            conditions.append(table.c.is_demo.is_(False))
        for name, column in _FILTER_COLUMNS.items():
            if name in query.filters:
                conditions.append(table.c[column].in_(query.filters[name]))
        if query.filters.get("batch") == ("true",):
            return []  # there are no batches here
        statement = (
            select(
                bucket.label("bucket"),
                *(table.c[name] for name in keys),
                func.max(table.c.is_demo).label("has_demo"),
                *(func.sum(table.c[name]).label(name) for name in _SUMMED),
            )
            .where(*conditions)
            .group_by(bucket, *(table.c[name] for name in keys))
        )
        with self._store.open().read() as tx:
            return [Line(**row) for row in tx.execute(statement).mappings()]
