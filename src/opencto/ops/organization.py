"""Reading OpenAI's organization usage and costs: every kind, every page, only what belongs to the workspace.

Rows are checked here, for the door hands them on as they came. Asked for are always rows by project: what names another
project than those asked for, or none, is left out, whatever the other side did with the filter.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from opencto.core.clock import Clock
from opencto.core.secret import Secret
from opencto.ops.figures import Counted, Figures, Part, Span
from opencto.providers import faults
from opencto.providers.answers import OrganizationPage
from opencto.providers.errors import ProviderError, Upstream
from opencto.providers.openai import OpenAI

KINDS = (
    "completions",
    "decisions",
    "embeddings",
    "moderations",
    "audio_speeches",
    "audio_transcriptions",
    "images",
)
"""Where models work. Web and file searches, code sessions and storage are no requests of a model; `costs` has their price."""
OPTIONAL = frozenset({"decisions"})
"""Kinds that not every server has (404)."""
PAGE_DAYS, COST_DAYS = 31, 180
MOST_PAGES = 100
AT_ONCE = 3
_DAY_SECONDS = 86_400
_LENIENT = ConfigDict(hide_input_in_errors=True)


def _count(value: Any) -> Any:
    return 0 if value is None else value


def _decimal(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, float) else value


Count = Annotated[int, BeforeValidator(_count), Field(ge=0)]
Amount = Annotated[Decimal, BeforeValidator(_decimal), Field(allow_inf_nan=False)]
_DIMENSIONS = (
    "project_id",
    "model",
    "line_item",
    "user_id",
    "api_key_id",
    "batch",
    "service_tier",
    "api_source",
    "size",
    "source",
    "quantity_unit",
)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bucket:
    """One day of a page."""

    __pydantic_config__ = _LENIENT
    start_time: Annotated[int, Field(ge=0, lt=253_402_300_800)]
    results: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Used:
    """One row of usage. The audio counts of OpenAI leave the cached ones out; ours are of all audio, as in the ledger."""

    __pydantic_config__ = _LENIENT
    project_id: str | None = None
    model: str | None = None
    input_tokens: Count = 0
    input_cached_tokens: Count = 0
    output_tokens: Count = 0
    input_audio_tokens: Count = 0
    input_cached_audio_tokens: Count = 0
    output_audio_tokens: Count = 0
    num_model_requests: Count = 0


@dataclass(frozen=True, slots=True)
class Money:
    __pydantic_config__ = _LENIENT
    value: Amount
    currency: str = "usd"


@dataclass(frozen=True, slots=True)
class Cost:
    """One row of costs."""

    __pydantic_config__ = _LENIENT
    amount: Money
    project_id: str | None = None
    line_item: str | None = None


_bucket, _used, _cost = TypeAdapter(Bucket), TypeAdapter(Used), TypeAdapter(Cost)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read. `projects` None: the whole organization."""

    span: Span
    projects: tuple[str, ...] | None
    by_model: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was read, and the call as the ledger sees it: one, however many pages it took."""

    counted: Counted
    projects: frozenset[str]
    upstream: Upstream


class OrganizationReader:
    """One reading of one workspace's usage and costs."""

    def __init__(self, door: OpenAI, key: Secret | None, wanted: Wanted, clock: Clock) -> None:
        self._door = door
        self._key = key
        self._wanted = wanted
        self._clock = clock
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._pages = 0
        self._seen: set[str] = set()
        self._foreign = 0
        self._other_money: set[str] = set()
        self._absent: list[str] = []
        self._last: Upstream | None = None

    async def read(self) -> Reading:
        """Usage of every kind and the costs. Raises UpstreamProblem."""
        begun = self._clock.monotonic()
        try:
            async with asyncio.TaskGroup() as tasks:
                usage = [tasks.create_task(self._usage(kind)) for kind in KINDS]
                costs = tasks.create_task(self._costs())
        except BaseExceptionGroup as group:
            raise _first(group) from None
        parts = [part for task in usage for part in task.result()] + costs.result()
        last = self._last
        upstream = Upstream(
            "organization.usage",
            last.status if last else None,
            last.request_id if last else None,
            self._clock.monotonic() - begun,
            self._pages,
        )
        return Reading(Counted(parts, self._notes()), frozenset(self._seen), upstream)

    async def _usage(self, kind: str) -> list[Part]:
        group_by = ["project_id", "model"] if self._wanted.by_model else ["project_id"]
        params: dict[str, str | int | Sequence[str]] = {"bucket_width": "1d", "limit": PAGE_DAYS, "group_by": group_by}
        try:
            rows = await self._rows(f"organization/usage/{kind}", params)
        except ProviderError as problem:
            if kind in OPTIONAL and problem.upstream.status == 404:
                self._absent.append(kind)
                return []
            raise
        return [Part(day, row.project_id, row.model, _figures(row)) for day, row in self._mine(rows, _used)]

    async def _costs(self) -> list[Part]:
        group_by = ["project_id", "line_item"] if self._wanted.by_model else ["project_id"]
        rows = await self._rows("organization/costs", {"bucket_width": "1d", "limit": COST_DAYS, "group_by": group_by})
        parts: list[Part] = []
        for day, row in self._mine(rows, _cost):
            if row.amount.currency.lower() != "usd":
                self._other_money.add(row.amount.currency.upper()[:10])
                continue
            model = row.line_item.partition(", ")[0] if row.line_item else None
            parts.append(Part(day, row.project_id, model, Figures(cost=row.amount.value)))
        return parts

    async def _rows(
        self, path: str, params: Mapping[str, str | int | Sequence[str]]
    ) -> "list[tuple[date, Row, Upstream]]":
        """All rows of all pages. A row that two pages have is one row: the later page knows better."""
        found: dict[tuple[Any, ...], tuple[date, Row, Upstream]] = {}
        asked = {**params, **self._range()}
        cursors: set[str] = set()
        async with self._gate:
            while True:
                page = await self._door.admin_get(self._key, path, asked)
                self._pages += 1
                self._last = page.upstream
                self._collect(page, found)
                if not page.has_more or not page.next_page:
                    return list(found.values())
                if page.next_page in cursors or len(cursors) >= MOST_PAGES:
                    raise faults.garbage(page.upstream)  # pages that lead in a circle
                cursors.add(page.next_page)
                asked["page"] = page.next_page

    def _collect(self, page: OrganizationPage, found: "dict[tuple[Any, ...], tuple[date, Row, Upstream]]") -> None:
        repeated: defaultdict[tuple[Any, ...], int] = defaultdict(int)
        for day, row in _days(page):
            if self._wanted.span.start <= day <= self._wanted.span.end:
                same = (day, *(str(row.get(name)) for name in _DIMENSIONS))
                repeated[same] += 1
                found[*same, repeated[same]] = (day, row, page.upstream)

    def _range(self) -> dict[str, str | int | Sequence[str]]:
        span = self._wanted.span
        found: dict[str, str | int | Sequence[str]] = {"start_time": _midnight(span.start)}
        if span.end < self._clock.now().date():  # else until now, which is what leaving it out means
            found["end_time"] = _midnight(span.end + timedelta(days=1))
        if self._wanted.projects is not None:
            found["project_ids"] = self._wanted.projects
        return found

    def _mine(self, rows: "list[tuple[date, Row, Upstream]]", shape: TypeAdapter[Any]) -> Iterator[tuple[date, Any]]:
        for day, raw, upstream in rows:
            row = _parsed(shape, raw, upstream)
            if self._wanted.projects is not None and row.project_id not in self._wanted.projects:
                self._foreign += 1
                continue
            if row.project_id:
                self._seen.add(row.project_id)
            yield day, row

    def _notes(self) -> list[str]:
        notes: list[str] = []
        if self._foreign:
            notes.append(
                f"{self._foreign} rows that belong to no project of this workspace were left out, although only its projects were asked for."
            )
        if self._other_money:
            notes.append(f"Costs in {', '.join(sorted(self._other_money))} are not in the sums, which are in USD.")
        if self._absent:
            notes.append(f"This server of OpenAI's wire has no usage of the kind {', '.join(sorted(self._absent))}.")
        return notes


def _first(group: BaseException) -> BaseException:
    """The one that stopped the others."""
    return _first(group.exceptions[0]) if isinstance(group, BaseExceptionGroup) else group  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def _days(page: OrganizationPage) -> Iterator[tuple[date, Row]]:
    for raw in page.data:
        bucket = _parsed(_bucket, raw, page.upstream)
        day = datetime.fromtimestamp(bucket.start_time, UTC).date()
        for row in bucket.results:
            yield day, row


def _parsed(shape: TypeAdapter[Any], raw: Any, upstream: Upstream) -> Any:
    try:
        return shape.validate_python(raw)
    except ValidationError:
        pass
    raise faults.garbage(upstream)  # outside of the block, so that no text of theirs hangs on the problem


def _figures(row: Used) -> Figures:
    return Figures(
        input_tokens=row.input_tokens,
        cached_input_tokens=row.input_cached_tokens,
        output_tokens=row.output_tokens,
        input_audio_tokens=row.input_audio_tokens + row.input_cached_audio_tokens,
        output_audio_tokens=row.output_audio_tokens,
        requests=row.num_model_requests,
    )


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
