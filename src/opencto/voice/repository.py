"""The statements of the voice backend, each narrowed to the workspace and the person who asks."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, update

from opencto.core.ids import new_id
from opencto.voice.tables import conversations, turns


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that was said."""

    role: Literal["user", "assistant"]
    text: str


def is_theirs(tx: Connection, conversation_id: str, workspace_id: str, person_id: str) -> bool:
    """Whether this conversation was begun by this person in this workspace."""
    mine = (conversations.c.workspace_id == workspace_id, conversations.c.person_id == person_id)
    return (
        tx.execute(select(conversations.c.id).where(conversations.c.id == conversation_id, *mine)).first() is not None
    )


def latest(tx: Connection, conversation_id: str, limit: int) -> list[Turn]:
    """The last turns, oldest first."""
    statement = (
        select(turns.c.role, turns.c.text)
        .where(turns.c.conversation_id == conversation_id)
        .order_by(turns.c.id.desc())
        .limit(limit)
    )
    return [Turn(row.role, row.text) for row in reversed(tx.execute(statement).all())]


def append(tx: Connection, conversation_id: str, workspace_id: str, person_id: str, said: list[Turn], now: int) -> None:
    """Add what was said; a conversation begins with its first turn."""
    if not tx.execute(update(conversations).where(conversations.c.id == conversation_id).values(last_at=now)).rowcount:
        tx.execute(
            insert(conversations).values(
                id=conversation_id, workspace_id=workspace_id, person_id=person_id, created_at=now, last_at=now
            )
        )
    tx.execute(
        insert(turns),
        [
            {"id": new_id("turn"), "conversation_id": conversation_id, "role": one.role, "text": one.text, "at": now}
            for one in said
        ],
    )


def workspaces_with_conversations(tx: Connection) -> list[str]:
    """The workspaces that keep any."""
    return list(tx.execute(select(conversations.c.workspace_id).distinct()).scalars())


def forget_before(tx: Connection, workspace_id: str, moment: int) -> int:
    """Retention: drop the conversations of a workspace that ended before; how many."""
    return tx.execute(
        delete(conversations).where(conversations.c.workspace_id == workspace_id, conversations.c.last_at < moment)
    ).rowcount
