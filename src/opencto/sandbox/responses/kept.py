"""Responses that were stored, the chain that leads to one, and the time that a background response takes.

The answer of a background response is there from the beginning and is shown when its time has come: no task has to live
for it, and every process that shares the file says the same.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update

from opencto.core.clock import Clock, millis
from opencto.sandbox.store import Store
from opencto.sandbox.tables import background_responses, responses

_KEPT_MS = 30 * 24 * 3600 * 1000
NOT_YET: dict[str, Any] = {
    "output": [],
    "completed_at": None,
    "error": None,
    "incomplete_details": None,
    "usage": None,
}


@dataclass(frozen=True, slots=True)
class Kept:
    """`body` as it is to be shown now; `whole` as it will be, or would have been."""

    previous_id: str | None
    input: list[dict[str, Any]]
    body: dict[str, Any]
    whole: dict[str, Any]
    streams: bool = False
    """Whether it may be streamed again."""

    @property
    def is_over(self) -> bool:
        return self.body["status"] not in {"queued", "in_progress"}


class KeptResponses:
    """Every method blocks: call it in a thread. A project sees its own alone."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def keep(self, project_id: str, given: list[dict[str, Any]], body: dict[str, Any]) -> None:
        """Remember a response for 30 days, and forget those whose time is over."""
        now = millis(self._clock.now())
        with self._store.open().write() as tx:
            old = select(responses.c.id).where(responses.c.expires_ms <= now)
            tx.execute(delete(background_responses).where(background_responses.c.id.in_(old)))
            tx.execute(delete(responses).where(responses.c.expires_ms <= now))
            tx.execute(
                insert(responses).values(
                    id=body["id"],
                    project_id=project_id,
                    expires_ms=now + _KEPT_MS,
                    previous_id=body["previous_response_id"],
                    input=json.dumps(given),
                    body=json.dumps(body),
                )
            )

    def delay(self, response_id: str, seconds: float, *, streams: bool) -> None:
        """Show what was kept after this time, as a background response."""
        now = millis(self._clock.now())
        row = {"begins_ms": now + int(seconds * 500), "ready_ms": now + int(seconds * 1000), "streams": streams}
        with self._store.open().write() as tx:
            tx.execute(insert(background_responses).values(id=response_id, **row))

    def cancel(self, response_id: str) -> None:
        """Does nothing to one that is over."""
        table = background_responses
        now = millis(self._clock.now())
        waiting = (table.c.id == response_id, table.c.cancelled_ms.is_(None), table.c.ready_ms > now)
        with self._store.open().write() as tx:
            tx.execute(update(table).where(*waiting).values(cancelled_ms=now))

    def find(self, project_id: str, response_id: str) -> Kept | None:
        now = millis(self._clock.now())
        statement = (
            select(responses, background_responses)
            .outerjoin(background_responses, background_responses.c.id == responses.c.id)
            .where(responses.c.id == response_id, responses.c.project_id == project_id, responses.c.expires_ms > now)
        )
        with self._store.open().read() as tx:
            row = tx.execute(statement).mappings().first()
        return None if row is None else _kept(row, now)

    def remove(self, project_id: str, response_id: str) -> bool:
        """False when there was none."""
        with self._store.open().write() as tx:
            found = tx.execute(delete(responses).filter_by(id=response_id, project_id=project_id))
            if found.rowcount > 0:
                tx.execute(delete(background_responses).filter_by(id=response_id))
        return found.rowcount > 0

    def history(self, project_id: str, response_id: str) -> list[dict[str, Any]] | None:
        """All items up to and with this response, oldest first; None when it is not kept. A gap further back ends the chain."""
        links: list[list[dict[str, Any]]] = []
        wanted: str | None = response_id
        while wanted is not None:
            kept = self.find(project_id, wanted)
            if kept is None:
                break
            links.append([*kept.input, *kept.body["output"]])
            wanted = kept.previous_id
        return [item for link in reversed(links) for item in link] if links else None


def _kept(row: RowMapping, now: int) -> Kept:
    whole: dict[str, Any] = json.loads(row[responses.c.body])
    body = whole
    if row[background_responses.c.cancelled_ms] is not None:
        body = {**whole, **NOT_YET, "status": "cancelled"}
    elif row[background_responses.c.ready_ms] is not None and now < row[background_responses.c.ready_ms]:
        is_queued = now < row[background_responses.c.begins_ms]
        body = {**whole, **NOT_YET, "status": "queued" if is_queued else "in_progress"}
    given: list[dict[str, Any]] = json.loads(row[responses.c.input])
    return Kept(row[responses.c.previous_id], given, body, whole, bool(row[background_responses.c.streams]))
