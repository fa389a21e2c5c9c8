"""Usage and costs of a workspace: OpenAI's own figures with an admin key, else our ledger's, and the answer says which.

With both, what we metered stands beside what OpenAI billed. What was read from OpenAI is kept for a minute, by a keyed
hash of the key and everything that was asked; while OpenAI does not answer, for an hour.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from opencto.calls.path import CallPath, Plan, Result
from opencto.calls.ports import Limiter
from opencto.core.clock import Clock
from opencto.core.database import Database
from opencto.core.problems import Invalid
from opencto.core.settings import Settings
from opencto.identity.caller import WorkspaceCaller
from opencto.ledger.order import Order
from opencto.ledger.usage_sums import UsageSum, sums
from opencto.ops.errors import ProjectsNotConfigured
from opencto.ops.figures import Counted, Figures, Part, Span, buckets, figures_of, groups, money, total
from opencto.ops.kept import Kept
from opencto.ops.models import BUCKET, fingerprint
from opencto.ops.organization import OrganizationReader, Reading, Wanted
from opencto.ops.ports import SettingsOfWorkspace
from opencto.providers.errors import ProviderKeyRejected, UpstreamProblem
from opencto.telemetry import log, timing
from opencto.vault.resolve import Destination, Resolver
from opencto.wire.usage import GroupBy, UsageMetered, UsageReport, UsageSource

MOST_DAYS = 180
USUAL_DAYS = 30
EARLIEST = date(2020, 1, 1)
LATE_DAYS = 2
"""For how many days before today OpenAI's figures may still grow."""
FRESH_SECONDS, KEPT_SECONDS = 60.0, 3_600.0
DEMO_PROJECT = "proj_demo"
"""How the sandbox marks its demo month."""
PLAN = Plan(BUCKET, BUCKET, None)


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked question."""

    span: Span
    group_by: GroupBy
    order: Order

    @classmethod
    def of(cls, start: date | None, end: date | None, group_by: GroupBy, sort: str | None, today: date) -> "Asked":
        """Absent days mean until today, and the 30 days that end then. Raises Invalid."""
        last = end or today
        first = start or max(EARLIEST, last - timedelta(days=USUAL_DAYS - 1))
        if last > today:
            raise Invalid.field("end", f"must not be in the future; today is {today} (UTC)")
        if first < EARLIEST:
            raise Invalid.field("start", f"must be {EARLIEST} or later; OpenAI has nothing before")
        if first > last:
            raise Invalid.field("start", f"must not be after the end, which is {last}")
        if (last - first).days >= MOST_DAYS:
            raise Invalid.field(
                "start",
                f"must be at most {MOST_DAYS} days before the end, which is included: {_earliest(last)} or later",
            )
        return cls(Span(first, last), group_by, Order.of(sort))


@dataclass(frozen=True, slots=True)
class Known:
    """A reading of OpenAI's books. `read_at` is in monotonic seconds."""

    reading: Reading
    as_of: datetime
    read_at: float


class UsageService:
    """What was used and what it cost."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        path: CallPath,
        resolver: Resolver,
        limiter: Limiter,
        workspaces: SettingsOfWorkspace,
    ) -> None:
        self._retention_days = settings.ledger_retention_days
        self._database = database
        self._clock = clock
        self._path = path
        self._resolver = resolver
        self._limiter = limiter
        self._workspaces = workspaces
        self._kept = Kept[Known]()
        self._pepper = secrets.token_bytes(32)

    async def report(
        self,
        who: WorkspaceCaller,
        start: date | None,
        end: date | None,
        group_by: GroupBy,
        sort: str | None = None,
    ) -> tuple[UsageReport, Mapping[str, str]]:
        """The report, and the headers that say how many reads are left. Raises Invalid, ProjectsNotConfigured and what the path raises."""
        asked = Asked.of(start, end, group_by, sort, self._clock.now().date())
        destination = await self._resolver.administration(who.workspace_id, who.person_id)
        if destination is None:
            counted = await self._limiter.take(who, BUCKET)
            return await self._from_ledger(who, asked), counted
        wanted = await self._wanted(who, destination, asked)
        counted = await self._limiter.take(who, BUCKET)
        known, notes = await self._known(who, destination, wanted, counted)
        return await self._from_openai(who, destination, asked, known, notes), counted

    async def aclose(self) -> None:
        """End what is being read."""
        await self._kept.aclose()

    async def _wanted(self, who: WorkspaceCaller, destination: Destination, asked: Asked) -> Wanted:
        by_model = asked.group_by == "model"
        if destination.source == "sandbox":
            return Wanted(asked.span, None, by_model)  # it has no organization, and nobody's bill
        workspace = await self._workspaces.of(who.workspace_id)
        if workspace.owns_openai_organization:
            return Wanted(asked.span, None, by_model)
        if not workspace.openai_project_ids:
            raise ProjectsNotConfigured
        return Wanted(asked.span, tuple(sorted(workspace.openai_project_ids)), by_model)

    async def _known(
        self, who: WorkspaceCaller, destination: Destination, wanted: Wanted, counted: Mapping[str, str]
    ) -> tuple[Known, list[str]]:
        key = (who.workspace_id, fingerprint(self._pepper, destination), wanted)
        known = self._kept.get(key)
        age = self._clock.monotonic() - known.read_at if known is not None else 0.0
        if known is not None and age < FRESH_SECONDS:
            return known, []
        try:
            found = await self._kept.read(key, lambda: self._read(key, who, destination, wanted, counted))
        except UpstreamProblem as problem:
            timing.add_upstream(problem.upstream.seconds)
            if isinstance(problem, ProviderKeyRejected):
                self._kept.forget(key)
            elif known is not None and age < KEPT_SECONDS:
                log.get("ops").warning("usage.read_failed", code=problem.code)
                return known, [f"OpenAI does not answer now ({problem.code}); these are its figures as of then."]
            raise
        timing.add_upstream(found.reading.upstream.seconds)
        return found, []

    async def _read(
        self, key: object, who: WorkspaceCaller, destination: Destination, wanted: Wanted, counted: Mapping[str, str]
    ) -> Known:
        reading, _ = await self._path.call(
            who,
            PLAN,
            lambda door, to: OrganizationReader(door, to.key, wanted, self._clock).read(),
            lambda read: Result(read.upstream, is_free=True),
            destination=destination,
            counted=counted,
        )
        known = Known(reading, self._clock.now(), self._clock.monotonic())
        self._kept.put(key, known)
        return known

    async def _from_openai(
        self, who: WorkspaceCaller, destination: Destination, asked: Asked, known: Known, notes: list[str]
    ) -> UsageReport:
        reading = known.reading
        late_from = known.as_of.date() - timedelta(days=LATE_DAYS)
        if destination.source == "sandbox":
            return self._report(asked, "sandbox", known.as_of, reading.counted, [*notes, *_sandbox_notes(reading)])
        if asked.span.end >= late_from:
            notes = [*notes, f"OpenAI reports with a delay: the figures from {late_from} on may still grow."]
        found = await self._metered(who, asked)
        report = self._report(asked, "openai", known.as_of, reading.counted, [*notes, *found.notes])
        report.metered = compare(reading.counted, found, late_from)
        return report

    async def _from_ledger(self, who: WorkspaceCaller, asked: Asked) -> UsageReport:
        notes = [
            "These are the figures of OpenCTO's own ledger: there is no OpenAI admin key here. "
            "Save one as openai-admin to see what OpenAI billed.",
        ]
        if asked.group_by == "project":
            notes.append("The ledger does not know OpenAI's projects; everything is in one group.")
        found = await self._metered(who, asked)
        return self._report(asked, "ledger", self._clock.now(), found, notes)

    async def _metered(self, who: WorkspaceCaller, asked: Asked) -> Counted:
        now, span = self._clock.now(), asked.span
        rows = await asyncio.to_thread(sums, self._database, who.workspace_id, span.start, span.end, now)
        kept_from = now.date() - timedelta(days=self._retention_days)
        notes = _ledger_notes(rows)
        if self._retention_days and span.start < kept_from:
            notes.append(f"The ledger keeps {self._retention_days} days; what is older is not in it.")
        return Counted([_metered_part(row) for row in rows], notes)

    def _report(
        self, asked: Asked, source: UsageSource, as_of: datetime, counted: Counted, notes: list[str]
    ) -> UsageReport:
        return UsageReport(
            start=asked.span.start,
            end=asked.span.end,
            source=source,
            as_of=as_of,
            totals=figures_of(counted.parts),
            buckets=buckets(asked.span, counted.parts, asked.group_by, asked.order),
            groups=groups(counted.parts, asked.group_by, asked.order),
            notes=[*notes, *counted.notes] if source != "openai" else [*counted.notes, *notes],
        )


def compare(billed: Counted, metered: Counted, late_from: date) -> UsageMetered:
    """What we metered beside what OpenAI billed, day by day: money that moves from one day to the next explains nothing."""
    theirs, ours = billed.by_day(), metered.by_day()
    explained = unexplained = late = unbilled = Decimal(0)
    for day in theirs.keys() | ours.keys():
        bill = theirs[day].cost or Decimal(0) if day in theirs else Decimal(0)
        own = ours[day].cost or Decimal(0) if day in ours else Decimal(0)
        explained += min(bill, own)
        unexplained += max(Decimal(0), bill - own)
        missing = max(Decimal(0), own - bill)
        if day >= late_from:
            late += missing
        else:
            unbilled += missing
    whole = total(metered.parts)
    return UsageMetered(
        **whole.shown(),
        unpriced_calls=whole.unpriced,
        explained=money(explained),
        unexplained=money(unexplained),
        late=money(late),
        unbilled=money(unbilled),
    )


def _metered_part(row: UsageSum) -> Part:
    figures = Figures(
        row.input_tokens,
        row.cached_input_tokens,
        row.output_tokens,
        row.input_audio_tokens,
        row.output_audio_tokens,
        row.requests,
        row.cost,
        row.unpriced,
    )
    return Part(row.day, None, row.model, figures)


def _ledger_notes(rows: list[UsageSum]) -> list[str]:
    notes: list[str] = []
    unpriced, estimated, lost = (sum(getattr(row, name) for row in rows) for name in ("unpriced", "estimated", "lost"))
    if unpriced:
        notes.append(f"{_calls(unpriced)} in the ledger without a known price: not in its costs.")
    if estimated:
        notes.append(f"{_calls(estimated)} in the ledger broke off, and the tokens were estimated.")
    if lost:
        notes.append(f"{_calls(lost)} in the ledger never came to an end that is known: not in its figures.")
    return notes


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def _sandbox_notes(reading: Reading) -> list[str]:
    notes = ["These are figures of the local sandbox: nobody is billed. It counts for the whole server."]
    if DEMO_PROJECT in reading.projects:
        notes.append(
            f"They contain 30 days of demo data (project {DEMO_PROJECT}). OPENCTO_SANDBOX_DEMO=off leaves it out."
        )
    return notes


def _earliest(last: date) -> date:
    return last - timedelta(days=MOST_DAYS - 1)
