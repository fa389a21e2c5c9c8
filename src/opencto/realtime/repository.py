"""The statements of session records, each narrowed to the workspace or to a session that was found in it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, literal, select, update

from opencto.core import plain
from opencto.identity.paging import AnyRow, Asked, page
from opencto.identity.tables import people
from opencto.realtime import search
from opencto.realtime.tables import voice_event_ids, voice_records, voice_sessions

_BEGIN = """
    INSERT INTO voice_sessions (id, workspace_id, person_id, model, voice, key_source, key_id, created_at, is_text_stored,
      events, text_length, items, tool_calls, errors, responses, input_tokens, cached_input_tokens, output_tokens,
      input_audio_tokens, output_audio_tokens, cost_picos, unpriced_responses)
    VALUES (:id, :workspace, :person, :model, :voice, :source, :key, :now, :stores, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
"""
WORKSPACE_OF = "SELECT workspace_id FROM voice_sessions WHERE id = :id"
_SHOWN = (*voice_sessions.c, people.c.name.label("person_name"))


@dataclass(frozen=True, slots=True)
class Begun:
    """A session as it was minted."""

    id: str
    workspace_id: str
    person_id: str
    model: str
    voice: str
    key_source: str
    key_id: str | None
    is_text_stored: bool


@dataclass(frozen=True, slots=True)
class Record:
    """What one event told, or the last of several about the same item or call."""

    session_id: str
    workspace_id: str
    kind: str
    name: str
    first_at: int
    at: int
    sequence: int
    event_id: str
    body: str
    text: str | None
    more_text: str | None
    cost_picos: int | None = None

    @property
    def order(self) -> tuple[int, int, str]:
        """Of two about the same thing the greater one holds."""
        return self.at, self.sequence, self.event_id


_RECORD = tuple(voice_records.c[field.name] for field in fields(Record))


def begin(tx: Connection, session: Begun, now: int) -> None:
    """With the mint, in its own transaction: plain SQL, because it is a hot path."""
    plain.run(
        tx,
        _BEGIN,
        {
            "id": session.id,
            "workspace": session.workspace_id,
            "person": session.person_id,
            "model": session.model,
            "voice": session.voice,
            "source": session.key_source,
            "key": session.key_id,
            "now": now,
            "stores": session.is_text_stored,
        },
    )


def find(tx: Connection, workspace_id: str, session_id: str, *, hold: bool = False) -> AnyRow | None:
    """One session. `hold`: nobody else changes it before the transaction ends."""
    statement = (
        select(*_SHOWN)
        .join_from(voice_sessions, people)
        .where(voice_sessions.c.id == session_id, voice_sessions.c.workspace_id == workspace_id)
    )
    return tx.execute(statement.with_for_update(of=voice_sessions) if hold else statement).first()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions are asked for. `person_id` None: everybody's. Times are milliseconds; `until` is not included."""

    workspace_id: str
    person_id: str | None
    since: int | None = None
    until: int | None = None


def list_of(tx: Connection, wanted: Wanted, asked: Asked) -> tuple[list[AnyRow], str | None]:
    """One page. `asked.q` is a phrase that stands somewhere in what was said, called or went wrong."""
    column = voice_sessions.c
    clauses: list[ColumnElement[bool]] = [column.workspace_id == wanted.workspace_id]
    if wanted.person_id is not None:
        clauses.append(column.person_id == wanted.person_id)
    if wanted.since is not None:
        clauses.append(column.created_at >= wanted.since)
    if wanted.until is not None:
        clauses.append(column.created_at < wanted.until)
    if asked.q is not None:
        clauses.append(column.id.in_(search.sessions_with(tx, wanted.workspace_id, asked.q)))
    query = select(*_SHOWN).join_from(voice_sessions, people).where(*clauses)
    sorts = {"createdAt": column.created_at, "cost": column.cost_picos}
    return page(tx, query, asked, sorts=sorts, default="-createdAt", key=column.id)


def known_events(tx: Connection, session_id: str, event_ids: Sequence[str]) -> set[str]:
    """Which of these the session has already."""
    column = voice_event_ids.c
    statement = select(column.event_id).where(column.session_id == session_id, column.event_id.in_(event_ids))
    return set(tx.execute(statement).scalars())


def add_events(tx: Connection, session_id: str, event_ids: Iterable[str]) -> None:
    tx.execute(insert(voice_event_ids), [{"session_id": session_id, "event_id": one} for one in event_ids])


def records_named(tx: Connection, session_id: str, names: Sequence[str]) -> list[Record]:
    """What the session has under these names."""
    column = voice_records.c
    statement = select(*_RECORD).where(column.session_id == session_id, column.name.in_(names))
    return [Record(*row) for row in tx.execute(statement)]


def records_of(tx: Connection, session_id: str) -> list[Record]:
    """All that the session has, in the order of time."""
    column = voice_records.c
    order = (column.first_at, column.at, column.sequence, column.event_id)
    statement = select(*_RECORD).where(column.session_id == session_id).order_by(*order)
    return [Record(*row) for row in tx.execute(statement)]


def save_records(tx: Connection, session_id: str, new: Sequence[Record], changed: Sequence[Record]) -> None:
    """Add some, put others in the place of those of the same kind and name, and keep the index of words."""
    names = [one.name for one in (*new, *changed)]
    search.forget(tx, session_id, names)
    if new:
        tx.execute(insert(voice_records), [asdict(one) for one in new])
    column = voice_records.c
    for record in changed:
        key = (column.session_id == session_id, column.kind == record.kind, column.name == record.name)
        tx.execute(update(voice_records).where(*key).values(asdict(record)))
    search.learn(tx, session_id, names)


def last_state(tx: Connection, session_id: str) -> str | None:
    """The body of the state that holds."""
    column = voice_records.c
    statement = select(column.body).where(column.session_id == session_id, column.kind == "state")
    return tx.execute(statement.order_by(column.at.desc(), column.sequence.desc(), column.event_id.desc())).scalar()


def change(tx: Connection, session_id: str, values: dict[str, Any]) -> None:
    tx.execute(update(voice_sessions).where(voice_sessions.c.id == session_id).values(values))


def remove(tx: Connection, workspace_id: str, session_id: str) -> bool:
    """With all that it has; whether it was there."""
    column = voice_sessions.c
    search.forget(tx, session_id)
    statement = delete(voice_sessions).where(column.id == session_id, column.workspace_id == workspace_id)
    return tx.execute(statement).rowcount == 1


def workspaces_with_sessions(tx: Connection) -> list[str]:
    return list(tx.execute(select(voice_sessions.c.workspace_id).distinct()).scalars())


def remove_all(tx: Connection, *, workspace_id: str | None = None, person_id: str | None = None) -> None:
    """Every session of a workspace, or of a person in all of them."""
    column = voice_sessions.c
    which = column.workspace_id == workspace_id if workspace_id is not None else column.person_id == person_id
    for session_id in tx.execute(select(column.id).where(which)).scalars().all():
        search.forget(tx, session_id)
    tx.execute(delete(voice_sessions).where(which))


def older_than(tx: Connection, workspace_id: str, moment: int, limit: int) -> list[str]:
    """Sessions that nobody told anything of since then."""
    column = voice_sessions.c
    last = (column.last_event_at.is_(None)) | (column.last_event_at < moment)
    statement = select(column.id).where(column.workspace_id == workspace_id, column.created_at < moment, last)
    return list(tx.execute(statement.limit(limit)).scalars())


def silent_since(tx: Connection, moment: int, limit: int) -> list[Row[str, str, str]]:
    """(id, workspace, person) of sessions that have no end and that nobody told anything of since then."""
    column = voice_sessions.c
    last = (column.last_event_at.is_(None)) | (column.last_event_at < moment)
    return list(
        tx.execute(
            select(column.id, column.workspace_id, column.person_id)
            .where(column.ended_at.is_(None), column.created_at < moment, last)
            .limit(limit)
        )
    )


def end_silent(tx: Connection, session_id: str, moment: int, now: int, reason: str) -> bool:
    """False when something came meanwhile."""
    column = voice_sessions.c
    last = (column.last_event_at.is_(None)) | (column.last_event_at < moment)
    statement = update(voice_sessions).where(column.id == session_id, column.ended_at.is_(None), last)
    return tx.execute(statement.values(ended_at=now, end_reason=reason)).rowcount == 1


def with_text(tx: Connection, workspace_id: str, limit: int) -> list[str]:
    """Sessions of a workspace that have some text."""
    records, sessions = voice_records.c, voice_sessions.c
    has_text = (
        select(literal(1))
        .where(records.session_id == sessions.id, records.text.is_not(None) | records.more_text.is_not(None))
        .exists()
    )
    statement = select(sessions.id).where(sessions.workspace_id == workspace_id, has_text)
    return list(tx.execute(statement.limit(limit)).scalars())


def erase_text(tx: Connection, session_id: str) -> None:
    """The rows stay, what was said in them goes."""
    search.forget(tx, session_id)
    has_text = voice_records.c.text.is_not(None) | voice_records.c.more_text.is_not(None)
    ours = voice_records.c.session_id == session_id
    tx.execute(update(voice_records).where(ours, has_text).values(text=None, more_text=None))
    change(tx, session_id, {"is_text_stored": False})


def forget_event_ids(tx: Connection, ended_before: int, limit: int) -> int:
    """Of sessions that take no more events; how many sessions."""
    sessions, ids = voice_sessions.c, voice_event_ids.c
    has_ids = select(literal(1)).where(ids.session_id == sessions.id).exists()
    found = list(
        tx.execute(select(sessions.id).where(sessions.ended_at < ended_before, has_ids).limit(limit)).scalars()
    )
    if found:
        tx.execute(delete(voice_event_ids).where(ids.session_id.in_(found)))
    return len(found)
