"""The models that a key reaches: asked of OpenAI now and then, answered from memory, with what our own settings use.

The memory is by a keyed hash of address and key, made anew with each process: two people with the same key share it, and
nothing in it leads back to the key. A key that OpenAI refuses is forgotten at once, for a refusal is told and never hidden
behind an old answer; any other trouble of OpenAI's is answered with what is there, marked stale.
"""

import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import get_args

from opencto.calls.path import CallPath, Plan, Result
from opencto.calls.ports import Limiter
from opencto.core.clock import Clock
from opencto.core.problems import Invalid
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.paging import order_of
from opencto.ops.families import families
from opencto.ops.kept import Kept
from opencto.ops.ports import SettingsOfWorkspace
from opencto.ops.watch import ModelWatch, Use
from opencto.providers import answers
from opencto.providers.errors import ProviderKeyRejected, UpstreamProblem
from opencto.telemetry import log, timing
from opencto.vault.resolve import Destination, Resolver
from opencto.wire.limits import BucketName
from opencto.wire.models import Capability, ListedModel, ModelCatalogue, ModelInUse

BUCKET: BucketName = "cto_openai_proxy"
FRESH_SECONDS = 300.0
KEPT_SECONDS = 86_400.0
AGAIN_SECONDS = 15.0
"""How long a failed refresh is not tried again."""
PLAN = Plan(BUCKET, BUCKET, None)
SORTS = ("id", "inUse", "shutdownDate")
MOST_TEXT = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is narrowed to and sorted by. `text` is lower-case; `by` None: as OpenAI has it."""

    capability: Capability | None = None
    text: str = ""
    by: str | None = None
    is_falling: bool = False

    @classmethod
    def of(cls, capability: str | None, q: str | None, sort: str | None) -> "Asked":
        """A checked question. Raises Invalid."""
        if q is not None and len(q) > MOST_TEXT:
            raise Invalid.field("q", f"must be at most {MOST_TEXT} characters")
        by, is_falling = order_of(sort, SORTS) if sort else (None, False)
        return cls(_capability(capability), (q or "").lower(), by, is_falling)

    def fits(self, model: ListedModel) -> bool:
        can = self.capability is None or self.capability in model.capabilities
        return can and self.text in model.id.lower()


@dataclass(frozen=True, slots=True)
class Listing:
    """One answer of OpenAI's. `read_at` and `tried_at` are monotonic seconds."""

    models: tuple[ListedModel, ...]
    fetched_at: datetime
    read_at: float
    tried_at: float
    upstream_seconds: float


class ModelsService:
    """The list of models for every caller."""

    def __init__(
        self,
        path: CallPath,
        resolver: Resolver,
        limiter: Limiter,
        workspaces: SettingsOfWorkspace,
        watch: ModelWatch,
        clock: Clock,
    ) -> None:
        self._path = path
        self._resolver = resolver
        self._limiter = limiter
        self._workspaces = workspaces
        self._watch = watch
        self._clock = clock
        self._kept = Kept[Listing]()
        self._pepper = secrets.token_bytes(32)

    async def list_models(self, who: WorkspaceCaller, asked: Asked) -> tuple[ModelCatalogue, Mapping[str, str]]:
        """The list, and the headers that say how many reads are left. Raises what the path raises."""
        destination = await self._resolver.inference(who.workspace_id, who.person_id)
        workspace = await self._workspaces.of(who.workspace_id)
        counted = await self._limiter.take(who, BUCKET)
        listing = await self._listing(who, destination, counted)
        uses = self._watch.uses(workspace)
        return self._shown(listing, destination, uses, asked), counted

    async def aclose(self) -> None:
        """End what is read in the background."""
        await self._kept.aclose()

    async def settle(self) -> None:
        """Until no refresh is under way."""
        await self._kept.settle()

    async def _listing(self, who: WorkspaceCaller, destination: Destination, counted: Mapping[str, str]) -> Listing:
        key = fingerprint(self._pepper, destination)
        known = self._kept.get(key)
        now = self._clock.monotonic()
        if known is not None and now < known.read_at + KEPT_SECONDS:
            if not self._is_fresh(known) and now >= known.tried_at + AGAIN_SECONDS:
                self._kept.refresh(key, lambda: self._refreshed(key, known, who, destination, counted))
            return known
        try:
            found = await self._kept.read(key, lambda: self._read(key, who, destination, counted))
        except UpstreamProblem as problem:
            timing.add_upstream(problem.upstream.seconds)
            raise
        timing.add_upstream(found.upstream_seconds)
        return found

    async def _read(
        self, key: bytes, who: WorkspaceCaller, destination: Destination, counted: Mapping[str, str]
    ) -> Listing:
        found, _ = await self._path.call(
            who,
            PLAN,
            lambda door, to: door.list_models(to.key),
            lambda listed: Result(listed.upstream, is_free=True),
            destination=destination,
            counted=counted,
        )
        now = self._clock.monotonic()
        models = tuple(_listed(one) for one in found.models)
        listing = Listing(models, self._clock.now(), now, now, found.upstream.seconds)
        self._kept.put(key, listing)
        self._watch.learn(models)
        return listing

    async def _refreshed(
        self, key: bytes, known: Listing, who: WorkspaceCaller, destination: Destination, counted: Mapping[str, str]
    ) -> Listing:
        try:
            return await self._read(key, who, destination, counted)
        except ProviderKeyRejected:
            self._kept.forget(key)
            return known
        except Exception as error:  # noqa: BLE001 - the edge of a background task; the old answer stands
            code = error.code if isinstance(error, UpstreamProblem) else type(error).__name__
            log.get("ops").warning("models.refresh_failed", code=code)
            now = self._clock.monotonic()
            failed = Listing(known.models, known.fetched_at, known.read_at, now, known.upstream_seconds)
            self._kept.put(key, failed)
            return failed

    def _is_fresh(self, listing: Listing) -> bool:
        return self._clock.monotonic() < listing.read_at + FRESH_SECONDS

    def _shown(self, listing: Listing, destination: Destination, uses: list[Use], asked: Asked) -> ModelCatalogue:
        dates = {one.id: one.shutdown_date for one in listing.models}
        in_use = [
            ModelInUse(
                setting=use.setting,
                model=use.model,
                listed=use.model in dates,
                shutdown_date=dates.get(use.model) or self._watch.ends(use.model),
            )
            for use in uses
        ]
        return ModelCatalogue(
            data=_in_order([one for one in listing.models if asked.fits(one)], in_use, asked),
            fetched_at=listing.fetched_at,
            stale=not self._is_fresh(listing),
            key_source=destination.source,
            in_use=in_use,
            warnings=self._watch.warnings(in_use),
        )


def fingerprint(pepper: bytes, destination: Destination) -> bytes:
    """What stands for an address and a key in memory."""
    key = destination.key.reveal() if destination.key is not None else ""
    return hmac.digest(pepper, f"{destination.base_url}\x00{key}".encode(), hashlib.sha256)


def _in_order(models: list[ListedModel], in_use: Iterable[ModelInUse], asked: Asked) -> list[ListedModel]:
    """Sorted, those that are alike by their id. What has no announced end is last, whichever way round."""
    if asked.by is None:
        return models
    rows = sorted(models, key=lambda one: one.id)
    match asked.by:
        case "inUse":
            named = Counter(use.model for use in in_use)
            return sorted(rows, key=lambda one: named[one.id], reverse=asked.is_falling)
        case "shutdownDate":
            endless = [one for one in rows if one.shutdown_date is None]
            ending = [one for one in rows if one.shutdown_date is not None]
            return sorted(ending, key=lambda one: one.shutdown_date or date.max, reverse=asked.is_falling) + endless
        case _:
            return rows[::-1] if asked.is_falling else rows


def _capability(asked: str | None) -> Capability | None:
    if asked is None:
        return None
    for known in get_args(Capability):
        if asked == known:
            return known
    raise Invalid.field("capability", f"must be one of {', '.join(get_args(Capability))}")


def _listed(model: answers.Model) -> ListedModel:
    return ListedModel(
        id=model.id,
        created=model.created,
        owned_by=model.owned_by,
        shutdown_date=_date(model.shutdown_date) or families().shutdown_of(model.id),
        capabilities=list(families().capabilities_of(model.id)),
    )


def _date(text: str | None) -> date | None:
    """None for what looks like a day and is none, such as 2026-02-30."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
