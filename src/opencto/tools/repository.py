"""The statements of calls, each narrowed to the workspace and the person who asks."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, text, update

from opencto.tools.tables import tool_calls

_BEGIN = text(
    """
    INSERT INTO tool_calls (id, workspace_id, person_id, call_id, session_id, tool, request_hash, status, begun_at, deadline_at)
    VALUES (:id, :workspace_id, :person_id, :call_id, :session_id, :tool, :request_hash, 'running', :begun_at, :deadline_at)
    ON CONFLICT (workspace_id, person_id, call_id) DO NOTHING
    """
)


@dataclass(frozen=True, slots=True)
class Begun:
    """One call as it was begun. `deadline_at` also tells one attempt at it from the next."""

    id: str
    workspace_id: str
    person_id: str
    call_id: str
    session_id: str | None
    tool: str
    request_hash: bytes
    begun_at: int
    deadline_at: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored under a callId."""

    id: str
    request_hash: bytes
    status: str
    answer: str | None
    deadline_at: int


def begin(tx: Connection, call: Begun) -> bool:
    """Whether the callId was free. On PostgreSQL a second one waits here for how the first ends."""
    values: dict[str, Any] = {name: getattr(call, name) for name in Begun.__slots__}
    return tx.execute(_BEGIN, values).rowcount == 1


def known(tx: Connection, workspace_id: str, person_id: str, call_id: str) -> Known:
    """What is stored under a callId that is taken. On PostgreSQL the row is held, so that one alone takes it over."""
    table = tool_calls.c
    row = tx.execute(
        select(table.id, table.request_hash, table.status, table.answer, table.deadline_at)
        .where(table.workspace_id == workspace_id, table.person_id == person_id, table.call_id == call_id)
        .with_for_update()
    ).one()
    return Known(row.id, bytes(row.request_hash), row.status, row.answer, row.deadline_at)


def begin_again(tx: Connection, known: Known, deadline_at: int) -> None:
    """Take over what a process left behind; `known` of the same transaction."""
    tx.execute(update(tool_calls).where(*_attempt(known.id, known.deadline_at)).values(deadline_at=deadline_at))


def end(tx: Connection, id: str, deadline_at: int, status: str, answer: str, now: int) -> bool:  # noqa: A002 - the column's name
    """Store how an attempt ended; False when it has been given up meanwhile."""
    changed = update(tool_calls).where(*_attempt(id, deadline_at))
    return tx.execute(changed.values(status=status, answer=answer, ended_at=now)).rowcount == 1


def forget_before(tx: Connection, begun_at: int) -> int:
    """Drop old calls; how many."""
    return tx.execute(delete(tool_calls).where(tool_calls.c.begun_at < begun_at)).rowcount


def _attempt(id: str, deadline_at: int) -> tuple[Any, ...]:  # noqa: A002 - the column's name
    table = tool_calls.c
    return table.id == id, table.status == "running", table.deadline_at == deadline_at
