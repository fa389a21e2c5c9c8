"""The verbs of the vault. Nothing here opens a key but `open_key`, late and for one call."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from sqlalchemy import Connection

from opencto.core.clock import Clock, from_millis, millis
from opencto.core.database import Database
from opencto.core.errors import DatabaseBusy
from opencto.core.ids import new_id
from opencto.core.problems import Forbidden, NotFound
from opencto.core.secret import Secret
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.paging import order_of
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.vault import repository
from opencto.vault.envelope import Envelope, KeyWrapper, NotOpenedError, hint, seal, unseal
from opencto.vault.errors import KeyUnreadable, NoSuchKey, WrongKindOfKey
from opencto.vault.ports import KeyChecker, OnBehalf
from opencto.vault.repository import KeyRow
from opencto.vault.rotation import Progressed, Rotated, Rotation
from opencto.wire.identity import Role
from opencto.wire.keys import (
    KeyDeleted,
    KeyList,
    KeyProvider,
    KeyReport,
    KeySave,
    KeySaved,
    KeyScope,
    KeyState,
    StoredKey,
)

CHECK_HOURS = 24
CHECK_LEASE_MINUTES = 60
"""How long a process has for the checks it took; a batch of slow ones fits."""
DAILY_ROUND = "daily_key_check"
"""What stands in the ledger in the place of a request id."""
_BATCH = 100
_STATES: tuple[KeyState, ...] = get_args(KeyState)
_SORTS: Mapping[str, Callable[[StoredKey], Any]] = {
    "createdAt": lambda key: key.created_at,
    "lastUsedAt": lambda key: key.last_used_at.timestamp() if key.last_used_at else 0.0,
    "provider": lambda key: key.provider,
    "scope": lambda key: key.scope,
    "state": lambda key: _STATES.index(key.state),
    "updatedAt": lambda key: key.updated_at,
}


@dataclass(frozen=True, slots=True)
class Verified:
    """One stored key as `opencto keys verify` reports it; no secret in it. `why` is None when it opens."""

    key: KeyRow
    why: str | None

    @property
    def opens(self) -> bool:
        return self.why is None


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of trying a stored key. `report` is None when it does not open."""

    key: KeyRow
    state: KeyState
    report: KeyReport | None


class VaultService:
    """Keys that people bring."""

    def __init__(
        self, database: Database, clock: Clock, wrapper: KeyWrapper, audit: AuditTrail, checker: KeyChecker
    ) -> None:
        self._database = database
        self._clock = clock
        self._wrapper = wrapper
        self._rotation = Rotation(database, wrapper, audit)
        self._audit = audit
        self._checker = checker

    def list_keys(self, who: WorkspaceCaller, sort: str | None = None) -> KeyList:
        """The caller's own keys and the shared ones. Each is opened to see that it opens, and closed again.

        Raises Invalid for a `sort` that is not offered.
        """
        name, is_falling = order_of(sort or "provider", _SORTS)
        self._wrapper.current_version()
        with self._database.read() as tx:
            rows = repository.visible(tx, who.workspace_id, who.person_id)
        keys = sorted((self._shown(row) for row in rows), key=_SORTS[name], reverse=is_falling)
        return KeyList(workspace_id=who.workspace_id, keys=keys)

    async def examine(self, who: WorkspaceCaller, provider: KeyProvider, body: KeySave) -> KeyReport:
        """Try a key before it is saved. Raises WrongKindOfKey for the other slot's kind, Forbidden when it may not be shared."""
        _may_touch(who, body.scope)
        if provider is KeyProvider.OPENAI and body.api_key.startswith("sk-admin-"):
            raise WrongKindOfKey.admin_for_inference()
        owner = OnBehalf(who.workspace_id, who.person_id if body.scope == "user" else None, who.origin.request_id)
        report = await self._checker.check(provider, Secret(body.api_key), owner)
        _refuse_other_kind(provider, report)
        return report

    def save(
        self, tx: Connection, who: WorkspaceCaller, provider: KeyProvider, body: KeySave, report: KeyReport
    ) -> KeySaved:
        """Store a key that was examined, or replace the one in its place. Call `prepare()` before the transaction."""
        person_id = who.person_id if body.scope == "user" else None
        now = millis(self._clock.now())
        secret = Secret(body.api_key)
        if not repository.hold_slots(tx, who.workspace_id):
            raise NotFound
        old = repository.find(tx, who.workspace_id, person_id, provider)
        version = repository.hold_wrapping_version(tx)
        if version is None or not self._wrapper.is_prepared(version):
            raise DatabaseBusy  # a rotation began after prepare(): the next try finds the new version ready
        row = KeyRow(
            id=old.id if old else new_id("key"),
            workspace_id=who.workspace_id,
            person_id=person_id,
            provider=provider.value,
            version=old.version + 1 if old else 1,
            envelope=Envelope(version, b"", b""),
            hint=hint(secret),
            state=_state(report),
            report=report.model_dump_json(),
            created_at=old.created_at if old else now,
            updated_at=now,
            last_used_at=None,
            last_used_by=None,
        )
        row = replace(row, envelope=seal(secret, row.binding, self._wrapper, version))
        repository.put(tx, row)
        action = "key.replaced" if old else "key.saved"
        details = {"provider": provider.value, "scope": body.scope, "state": row.state}
        self._audit.record(
            tx, AuditEvent.by(who.caller, action, "key", row.id, workspace_id=who.workspace_id, **details)
        )
        return KeySaved(
            provider=provider,
            workspace_id=who.workspace_id,
            scope=body.scope,
            key_hint=row.hint,
            state=_state(report),
            report=report,
            updated_at=from_millis(now),
        )

    def prepare(self) -> None:
        """Have the wrapping key at hand: reading it writes, so it cannot happen inside a transaction."""
        self._wrapper.prepare()

    def delete(self, tx: Connection, who: WorkspaceCaller, provider: KeyProvider, scope: KeyScope) -> KeyDeleted:
        """Delete a key for good."""
        _may_touch(who, scope)
        key_id = repository.remove(tx, who.workspace_id, who.person_id if scope == "user" else None, provider)
        if key_id is not None:
            details = {"provider": provider.value, "scope": scope}
            self._audit.record(
                tx, AuditEvent.by(who.caller, "key.deleted", "key", key_id, workspace_id=who.workspace_id, **details)
            )
        return KeyDeleted(deleted=key_id is not None, provider=provider, workspace_id=who.workspace_id)

    def open_key(self, row: KeyRow) -> Secret:
        """The key itself, for one call. Raises KeyUnreadable."""
        try:
            return unseal(row.envelope, row.binding, self._wrapper)
        except NotOpenedError:
            raise KeyUnreadable from None

    async def check_due(self) -> int:
        """Renew the report cards that are older than a day; how many. Each process asks, and each key is tried by one."""
        with self._database.read() as tx:
            rows = self.due(tx)
        claimed = [row for row in rows if self._claims(row)]
        for row in claimed:
            await self.check_row(row)
        return len(claimed)

    def due(self, tx: Connection) -> list[KeyRow]:
        """Keys to check now: never checked, or more than a day ago."""
        return repository.due_for_check(tx, self._a_day_ago(), _BATCH)

    def _claims(self, row: KeyRow) -> bool:
        with self._database.write() as tx:
            return repository.claim_check(tx, row.id, self._a_day_ago(), CHECK_LEASE_MINUTES * 60_000)

    def _a_day_ago(self) -> int:
        return millis(self._clock.now()) - CHECK_HOURS * 3_600_000

    async def check(self, who: WorkspaceCaller, provider: KeyProvider, scope: KeyScope) -> StoredKey:
        """Try the caller's own key, or the shared one, again. Raises NotFound where there is none."""
        row = await asyncio.to_thread(self.stored, who, provider, scope)
        if row is not None:
            await self.check_row(row, who.origin.request_id)
            row = await asyncio.to_thread(self.stored, who, provider, scope)  # with what came of it; it may be gone
        if row is None:
            raise NoSuchKey(provider, scope, who.slug)
        return await asyncio.to_thread(self._shown, row)

    async def check_row(self, row: KeyRow, request_id: str = DAILY_ROUND) -> Checked:
        """Try a stored key and keep what came of it."""
        try:
            key = self.open_key(row)
        except KeyUnreadable:
            await asyncio.to_thread(
                self._note_check, row, row.state, row.report
            )  # looked at: those behind it have their turn
            return Checked(row, "unreadable", None)
        owner = OnBehalf(row.workspace_id, row.person_id, request_id, row.id)
        report = await self._checker.check(KeyProvider(row.provider), key, owner)
        await asyncio.to_thread(self._note_check, row, _state(report), report.model_dump_json())
        return Checked(row, _state(report), report)

    def _note_check(self, row: KeyRow, state: str, report: str | None) -> None:
        """Keep it; a key that fares otherwise than before is on the record, and the pages hear of it."""
        with self._database.write() as tx:
            kept = repository.note_check(tx, row.id, row.version, state, report, millis(self._clock.now()))
            if not kept or state == row.state:
                return
            details = {
                "provider": row.provider,
                "scope": "user" if row.person_id else "workspace",
                "owner": row.person_id,
            }
            states = {"from": row.state, "to": state}
            event = AuditEvent(
                "key.state_changed",
                "system",
                None,
                "key check",
                "system",
                None,
                "key",
                row.id,
                row.workspace_id,
                {**details, **states},
            )
            self._audit.record(tx, event)

    def stored(self, who: WorkspaceCaller, provider: KeyProvider, scope: KeyScope) -> KeyRow | None:
        """The caller's own key, or the one that the workspace shares; still closed."""
        with self._database.read() as tx:
            return repository.find(tx, who.workspace_id, who.person_id if scope == "user" else None, provider)

    def everything(self) -> Iterator[KeyRow]:
        """Every key of the server, still closed, in the order of their ids: for who owns the machine."""
        last = ""
        while True:
            with self._database.read() as tx:
                rows = repository.after(tx, last, _BATCH)
            if not rows:
                return
            yield from rows
            last = rows[-1].id

    def verify(self) -> Iterator[Verified]:
        """Open every key of the server and say so, one by one."""
        self._wrapper.current_version()
        for row in self.everything():
            try:
                unseal(row.envelope, row.binding, self._wrapper)
            except NotOpenedError as reason:
                yield Verified(row, str(reason))
            else:
                yield Verified(row, None)

    def rotate(self, progressed: Progressed) -> Rotated:
        """Wrap every key of the server with a new version, or finish a rotation that was stopped."""
        return self._rotation.run(progressed)

    def protected_by_version(self) -> dict[int, int]:
        """How many keys each version protects, the oldest first."""
        with self._database.read() as tx:
            return repository.counts_by_wrapping(tx)

    def left_to_rotate(self) -> int:
        """How many keys are behind the newest version."""
        return self._rotation.left()

    def _opens(self, row: KeyRow) -> bool:
        try:
            unseal(row.envelope, row.binding, self._wrapper)
        except NotOpenedError:
            return False
        return True

    def _shown(self, row: KeyRow) -> StoredKey:
        state: KeyState = row.state if self._opens(row) else "unreadable"  # pyright: ignore[reportAssignmentType]
        return StoredKey(
            provider=KeyProvider(row.provider),
            workspace_id=row.workspace_id,
            scope=row.scope,
            key_hint=row.hint if state != "unreadable" else "…",
            state=state,
            report=KeyReport.model_validate(json.loads(row.report)) if row.report else None,
            created_at=from_millis(row.created_at),
            updated_at=from_millis(row.updated_at),
            last_used_at=from_millis(row.last_used_at) if row.last_used_at else None,
            last_used_by=row.last_used_by,
        )


def _may_touch(who: WorkspaceCaller, scope: KeyScope) -> None:
    if scope == "workspace" and not who.role.at_least(Role.ADMIN):
        raise Forbidden(
            "Only admins and owners may change the key that the workspace shares. Save one for yourself, or ask them."
        )


def _refuse_other_kind(provider: KeyProvider, report: KeyReport) -> None:
    if provider is KeyProvider.OPENAI and report.kind == "admin":
        raise WrongKindOfKey.admin_for_inference()
    if provider is KeyProvider.OPENAI_ADMIN and report.kind == "inference":
        raise WrongKindOfKey.inference_for_admin()


def _state(report: KeyReport) -> KeyState:
    if report.valid is None:
        return "unchecked"
    return "ok" if report.valid else "rejected"
