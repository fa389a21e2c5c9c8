"""What is told and who hears it.

    tell     in the transaction of what changed
    listen   behind a place, one page after the other; the reader says how far it is, so nothing is queued for anybody
An event carries ids and nothing else. Of sessions and of people's own keys hear only their person and, of sessions,
the admins of the workspace.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection

from opencto.core.clock import Clock, from_millis, millis
from opencto.core.database import Database
from opencto.core.ids import new_id
from opencto.identity.caller import WorkspaceCaller
from opencto.live import repository
from opencto.live.repository import Place, Row
from opencto.wire.events import LiveEvent, LiveEventType
from opencto.wire.identity import Role

KEPT_SECONDS = 3_600
PAGE = 100
LOOK_SECONDS = 0.3
"""How often a process looks whether anything is new, for all its listeners together."""


@dataclass(frozen=True, slots=True)
class Change:
    """What changed. `person_id`: it concerns this person; None: everybody in the workspace."""

    workspace_id: str
    type: LiveEventType
    subject_id: str | None = None
    person_id: str | None = None


class Feed:
    """One per application. `listen` and `head` are called from its event loop."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: tuple[float, Place] | None = None
        self._looking: asyncio.Task[Place] | None = None
        self._open: Counter[str] = Counter()

    def enter(self, person_id: str, most: int) -> bool:
        """Whether this process holds one more stream open for them; then `leave` follows when it ends."""
        if self._open[person_id] >= most:
            return False
        self._open[person_id] += 1
        return True

    def leave(self, person_id: str) -> None:
        """A stream has ended."""
        self._open[person_id] -= 1
        if self._open[person_id] <= 0:
            del self._open[person_id]

    def tell(self, tx: Connection, change: Change) -> None:
        """Write it down with what it tells of; it is heard when that is committed."""
        repository.add(
            tx,
            {
                "id": new_id("evt"),
                "at": millis(self._clock.now()),
                "workspace": change.workspace_id,
                "type": change.type,
                "subject": change.subject_id,
                "person": change.person_id,
            },
        )

    async def head(self) -> Place:
        """The end of the table, at most LOOK_SECONDS old; listeners that ask at once share one look."""
        loop = asyncio.get_running_loop()
        if self._known is not None and loop.time() - self._known[0] < LOOK_SECONDS:
            return self._known[1]
        if self._looking is None or self._looking.done():
            self._looking = loop.create_task(repository.head(self._database))
        place = await asyncio.shield(self._looking)
        self._known = (loop.time(), place)
        return place

    async def end(self) -> Place:
        """The end of the table at this moment, where a new listener begins."""
        return await repository.head(self._database)

    async def place_of(self, who: WorkspaceCaller, event_id: str) -> Place | None:
        """Where a listener was, None when that is too long ago."""
        return await repository.find(self._database, who.workspace_id, event_id)

    async def after(self, who: WorkspaceCaller, place: Place) -> tuple[list[LiveEvent], Place, bool]:
        """What the caller may hear of the next page, how far that is, and whether there may be more."""
        rows = await repository.after(self._database, who.workspace_id, place, PAGE)
        heard = [_event(who, row) for row in rows if _concerns(who, row)]
        return heard, rows[-1].place if rows else place, len(rows) == PAGE

    def reset(self, who: WorkspaceCaller) -> LiveEvent:
        """For somebody who was away for too long."""
        return LiveEvent(
            id=new_id("evt"),
            type="reset",
            at=self._clock.now(),
            workspace_id=who.workspace_id,
            subject_id=None,
            person_id=None,
        )

    def forget_old(self) -> int:
        """Drop what is older than an hour; how many."""
        with self._database.write() as tx:
            return repository.forget_before(tx, millis(self._clock.now()) - KEPT_SECONDS * 1000)


def _concerns(who: WorkspaceCaller, row: Row) -> bool:
    if row.person_id in {None, who.person_id}:
        return True
    return row.type.startswith("session.") and who.role.at_least(Role.ADMIN)


def _event(who: WorkspaceCaller, row: Row) -> LiveEvent:
    return LiveEvent.model_validate(
        {
            "id": row.id,
            "type": row.type,
            "at": from_millis(row.at),
            "workspace_id": who.workspace_id,
            "subject_id": row.subject_id,
            "person_id": row.person_id,
        }
    )
