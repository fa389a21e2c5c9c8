"""The verbs of limits. `admit` is the last check before a call leaves: what another check refuses must not count."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Connection

from opencto.core.clock import Clock, millis
from opencto.core.problems import Unavailable
from opencto.core.settings import Settings
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.limits import repository
from opencto.limits.buckets import Allowance, Bucket, buckets_of
from opencto.limits.errors import LimiterUnavailable, LimitReached
from opencto.limits.policy import Policies, Policy
from opencto.limits.spend import SpendCaps
from opencto.limits.stores.contract import Store, Tally
from opencto.wire.limits import BucketName, BucketState, SpendState, WorkspaceLimits, WorkspaceLimitsUpdate

Observer = Callable[[BucketName, str], None]
"""Told of every decision: the bucket, and `allowed`, `refused`, `unchecked` or `unavailable`."""


class Limits:
    """Rate limits and spend caps of the whole server."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        store: Store,
        policies: Policies,
        spend: SpendCaps,
        audit: AuditTrail,
        observe: Observer | None = None,
    ) -> None:
        self.store = store
        self._buckets = buckets_of(settings)
        self._opens = settings.limits_when_down == "allow"
        self._clock = clock
        self._policies = policies
        self._spend = spend
        self._audit = audit
        self._observe = observe

    async def admit(self, caller: WorkspaceCaller, name: BucketName) -> Allowance | None:
        """Count one call of the caller. Do it after every other check, right before the call leaves.

        Gives how the bucket stands now, for the answer's headers; None when the store is down and the operator lets reads
        pass. Raises LimitReached, SpendCapReached or Unavailable; then nothing was counted.
        """
        bucket = self._buckets[name]
        try:
            if bucket.spends:
                await self._spend.check(caller.workspace_id)
            limit = (await self._policies.of(caller.workspace_id)).limits.get(name, bucket.default_limit)
            tally = await self.store.take(_key(caller, name), limit, bucket.window_seconds)
        except Unavailable as down:
            if bucket.may_open and self._opens:
                self._told(name, "unchecked")
                return None
            self._told(name, "unavailable")
            raise LimiterUnavailable from down
        allowance = self._allowance(bucket, limit, tally)
        self._told(name, "allowed" if tally.allowed else "refused")
        if not tally.allowed:
            raise LimitReached(allowance)
        return allowance

    async def show(self, caller: WorkspaceCaller) -> WorkspaceLimits:
        """Every limit of the caller's workspace, and how much of it the caller used."""
        policy = await self._policies.of(caller.workspace_id)
        return self._shown(caller, policy, *await self.usage(caller, policy))

    async def usage(self, caller: WorkspaceCaller, policy: Policy) -> tuple[dict[BucketName, Tally | None], SpendState]:
        """How the buckets and the month stand, measured by a policy."""
        tallies: dict[BucketName, Tally | None] = {}
        for name, bucket in self._buckets.items():
            limit = policy.limits.get(name, bucket.default_limit)
            try:
                tallies[name] = await self.store.look(_key(caller, name), limit, bucket.window_seconds)
            except Unavailable:
                tallies[name] = None  # the page that changes limits must work while the store is down
        return tallies, await self._spend.state(caller.workspace_id, policy.monthly_usd)

    async def policy_after(self, caller: WorkspaceCaller, change: WorkspaceLimitsUpdate) -> Policy:
        """What the workspace will have set after a change."""
        now = await self._policies.of(caller.workspace_id)
        limits: dict[BucketName, int] = {name: n for name, n in now.limits.items() if name not in change.buckets}
        limits |= {name: one.limit for name, one in change.buckets.items() if one.limit is not None}
        return Policy(limits, change.monthly_usd if "monthly_usd" in change.model_fields_set else now.monthly_usd)

    def change(
        self,
        tx: Connection,
        caller: WorkspaceCaller,
        change: WorkspaceLimitsUpdate,
        tallies: dict[BucketName, Tally | None],
        spend: SpendState,
    ) -> WorkspaceLimits:
        """Write what was sent, and answer with everything."""
        workspace_id, now = caller.workspace_id, millis(self._clock.now())
        details: dict[str, str | int | None] = {}
        for name, one in change.buckets.items():
            repository.set_override(tx, workspace_id, name, one.limit, now)
            details[name] = one.limit
        if "monthly_usd" in change.model_fields_set:
            repository.set_cap(tx, workspace_id, change.monthly_usd, now)
            details["monthly_usd"] = None if change.monthly_usd is None else f"{change.monthly_usd:.2f}"
        if details:
            self._audit.record(
                tx,
                AuditEvent.by(
                    caller.caller, "limits.changed", "workspace", workspace_id, workspace_id=workspace_id, **details
                ),
            )
        return self._shown(caller, repository.policy_within(tx, workspace_id), tallies, spend)

    def forget(self, workspace_id: str) -> None:
        """After a committed change: the next call reads anew."""
        self._policies.forget(workspace_id)

    def _shown(
        self, caller: WorkspaceCaller, policy: Policy, tallies: dict[BucketName, Tally | None], spend: SpendState
    ) -> WorkspaceLimits:
        buckets: dict[BucketName, BucketState] = {}
        for name, bucket in self._buckets.items():
            tally = tallies[name]
            limit = policy.limits.get(name, bucket.default_limit)
            buckets[name] = BucketState(
                limit=limit,
                window_seconds=bucket.window_seconds,
                source="workspace" if name in policy.limits else "default",
                used=tally.used if tally else None,
                resets_at=self._allowance(bucket, limit, tally).resets_at if tally else None,
            )
        return WorkspaceLimits(workspace_id=caller.workspace_id, buckets=buckets, spend=spend)

    def _allowance(self, bucket: Bucket, limit: int, tally: Tally) -> Allowance:
        resets_at = self._clock.now() + timedelta(seconds=tally.wait_seconds) if tally.wait_seconds else None
        return Allowance(bucket, limit, tally.used, tally.wait_seconds, resets_at)

    def _told(self, name: BucketName, decision: str) -> None:
        if self._observe is not None:
            self._observe(name, decision)


def _key(caller: WorkspaceCaller, name: BucketName) -> str:
    """Checked values only: nothing that a request may choose."""
    return f"{name}:{caller.workspace_id}:{caller.person_id}"
