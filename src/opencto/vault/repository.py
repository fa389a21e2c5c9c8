"""Every statement of the vault, each narrowed to the workspace that asks."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, or_, select, update

from opencto.core import plain
from opencto.identity.tables import workspaces
from opencto.vault.envelope import Binding, Envelope
from opencto.vault.tables import provider_keys, wrapping_keys
from opencto.wire.keys import KeyProvider, KeyScope

_COLUMNS = provider_keys.c
_NOTE_USE = "UPDATE provider_keys SET last_used_at = :now, last_used_by = :person WHERE id = :id"

FIND_FOR_USE = """
SELECT id, workspace_id, person_id, provider, version, wrapping_version, wrapped_key, sealed, state FROM provider_keys
WHERE slot = :own OR slot = :shared
"""
"""The caller's own key and the shared one, in one read on the unique index. For the hot path."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A stored key, still closed."""

    id: str
    workspace_id: str
    person_id: str | None
    provider: str
    version: int
    envelope: Envelope
    hint: str
    state: str
    report: str | None
    created_at: int
    updated_at: int
    last_used_at: int | None
    last_used_by: str | None

    @property
    def binding(self) -> Binding:
        return Binding(self.person_id or "", self.workspace_id, self.provider, self.id, self.version)

    @property
    def scope(self) -> KeyScope:
        return "workspace" if self.person_id is None else "user"


def slot(workspace_id: str, person_id: str | None, provider: str) -> str:
    """The one place for a key: workspace, owner and provider. `person_id` None is the workspace itself."""
    return f"{workspace_id}/{person_id or '*'}/{provider}"


def shared_slot(own: str) -> str:
    """The place of the key that the workspace shares, beside one of a person in it."""
    workspace_id, _, rest = own.partition("/")
    return slot(workspace_id, None, rest.partition("/")[2])


def visible(tx: Connection, workspace_id: str, person_id: str) -> list[KeyRow]:
    """The shared keys of a workspace, and this person's own in it."""
    mine = or_(_COLUMNS.person_id.is_(None), _COLUMNS.person_id == person_id)
    statement = (
        select(provider_keys)
        .where(_COLUMNS.workspace_id == workspace_id, mine)
        .order_by(_COLUMNS.provider, _COLUMNS.slot)
    )
    return [_row(row) for row in tx.execute(statement)]


def hold_slots(tx: Connection, workspace_id: str) -> bool:
    """Until the end of the transaction nobody else saves a key in this workspace: two first ones would collide.

    False when the workspace is gone.
    """
    statement = select(workspaces.c.id).where(workspaces.c.id == workspace_id)
    return tx.execute(statement.with_for_update(key_share=True)).first() is not None


def find(tx: Connection, workspace_id: str, person_id: str | None, provider: KeyProvider) -> KeyRow | None:
    row = tx.execute(
        select(provider_keys).where(_COLUMNS.slot == slot(workspace_id, person_id, provider.value))
    ).first()
    return _row(row) if row else None


def put(tx: Connection, key: KeyRow) -> None:
    """Store a new key, or replace the one in its slot (same id, next version)."""
    values = {
        "version": key.version,
        "wrapping_version": key.envelope.wrapping_version,
        "wrapped_key": key.envelope.wrapped_key,
        "sealed": key.envelope.sealed,
        "hint": key.hint,
        "state": key.state,
        "report": key.report,
        "checked_at": key.updated_at if key.report else None,
        "updated_at": key.updated_at,
        "last_used_at": key.last_used_at,
        "last_used_by": key.last_used_by,
    }
    if tx.execute(update(provider_keys).where(_COLUMNS.id == key.id).values(**values)).rowcount:
        return
    place = slot(key.workspace_id, key.person_id, key.provider)
    owner = {
        "id": key.id,
        "workspace_id": key.workspace_id,
        "person_id": key.person_id,
        "provider": key.provider,
        "slot": place,
    }
    tx.execute(insert(provider_keys).values(**owner, created_at=key.created_at, **values))


def remove(tx: Connection, workspace_id: str, person_id: str | None, provider: KeyProvider) -> str | None:
    """Delete a key; its id, None when there was none."""
    found = find(tx, workspace_id, person_id, provider)
    if found is not None:
        tx.execute(delete(provider_keys).where(_COLUMNS.id == found.id))
    return found.id if found else None


def note_check(tx: Connection, key_id: str, version: int, state: str, report: str | None, now: int) -> bool:
    """Keep a report card, unless the key was replaced while it was checked."""
    statement = update(provider_keys).where(_COLUMNS.id == key_id, _COLUMNS.version == version)
    return bool(tx.execute(statement.values(state=state, report=report, checked_at=now)).rowcount)


def note_use(tx: Connection, key_id: str, person_id: str, now: int) -> None:
    """With every call."""
    plain.run(tx, _NOTE_USE, {"id": key_id, "person": person_id, "now": now})


def due_for_check(tx: Connection, before: int, limit: int) -> list[KeyRow]:
    """Keys whose report card is older than `before`."""
    due = select(provider_keys).where(_stale(before)).order_by(_COLUMNS.id).limit(limit)
    return [_row(row) for row in tx.execute(due)]


def claim_check(tx: Connection, key_id: str, before: int, lease: int) -> bool:
    """Whether the key is still due, and now this caller's to check; due again `lease` ms later should it never finish."""
    claim = update(provider_keys).where(_COLUMNS.id == key_id, _stale(before)).values(checked_at=before + lease)
    return tx.execute(claim).rowcount == 1


def _stale(before: int) -> ColumnElement[bool]:
    return or_(_COLUMNS.checked_at.is_(None), _COLUMNS.checked_at < before)


def after(tx: Connection, last_id: str, limit: int) -> list[KeyRow]:
    """A batch of all keys in the order of their ids."""
    return [
        _row(row)
        for row in tx.execute(select(provider_keys).where(_COLUMNS.id > last_id).order_by(_COLUMNS.id).limit(limit))
    ]


def wrapped_before(tx: Connection, version: int, last_id: str, limit: int) -> list[KeyRow]:
    """A batch of keys under an older wrapping key, in the order of their ids."""
    older = and_(_COLUMNS.wrapping_version < version, _COLUMNS.id > last_id)
    return [_row(row) for row in tx.execute(select(provider_keys).where(older).order_by(_COLUMNS.id).limit(limit))]


def count_wrapped_before(tx: Connection, version: int) -> int:
    """How many keys are under an older wrapping key."""
    statement = select(func.count()).select_from(provider_keys).where(_COLUMNS.wrapping_version < version)
    return tx.execute(statement).scalar_one()


def exchange_wrapping(tx: Connection, key: KeyRow, envelope: Envelope) -> bool:
    """Put the rewrapped data key in place, unless the key was replaced or rewrapped meanwhile."""
    same = and_(
        _COLUMNS.id == key.id,
        _COLUMNS.version == key.version,
        _COLUMNS.wrapping_version == key.envelope.wrapping_version,
    )
    values = {"wrapping_version": envelope.wrapping_version, "wrapped_key": envelope.wrapped_key}
    return bool(tx.execute(update(provider_keys).where(same).values(**values)).rowcount)


def hold_wrapping_version(tx: Connection) -> int | None:
    """The newest wrapping version, held until the end of the transaction: a rotation waits for what is saved under it."""
    newest = select(func.max(wrapping_keys.c.version))
    found = tx.execute(newest).scalar()
    while found is not None:
        tx.execute(select(wrapping_keys.c.version).where(wrapping_keys.c.version == found).with_for_update(read=True))
        held, found = found, tx.execute(newest).scalar()
        if held == found:  # a version that was begun between the two statements would not wait for us
            break
    return found


def await_savers(tx: Connection, version: int) -> None:
    """Wait for every transaction that holds an older version. On SQLite a writer is alone anyhow."""
    older = select(wrapping_keys.c.version).where(wrapping_keys.c.version < version)
    tx.execute(older.order_by(wrapping_keys.c.version).with_for_update())


def counts_by_wrapping(tx: Connection) -> dict[int, int]:
    """How many keys each wrapping version protects, the oldest first; 0 for one that protects none any more."""
    version = wrapping_keys.c.version
    both = wrapping_keys.outerjoin(provider_keys, _COLUMNS.wrapping_version == version)
    rows = tx.execute(select(version, func.count(_COLUMNS.id)).select_from(both).group_by(version).order_by(version))
    return {row[0]: row[1] for row in rows}


def for_use(row: tuple[Any, ...]) -> KeyRow:
    """A row of FIND_FOR_USE."""
    envelope = Envelope(row[5], bytes(row[6]), bytes(row[7]))
    return KeyRow(row[0], row[1], row[2], row[3], row[4], envelope, "", row[8], None, 0, 0, None, None)


def _row(row: Row[Any]) -> KeyRow:
    return KeyRow(
        id=row.id,
        workspace_id=row.workspace_id,
        person_id=row.person_id,
        provider=row.provider,
        version=row.version,
        envelope=Envelope(row.wrapping_version, row.wrapped_key, row.sealed),
        hint=row.hint,
        state=row.state,
        report=row.report,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_used_at=row.last_used_at,
        last_used_by=row.last_used_by,
    )
