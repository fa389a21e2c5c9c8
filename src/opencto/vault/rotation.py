"""A rotation: every key of the server is wrapped with a new version, while all goes on.

What is stored says how far a rotation got, and nothing else does: keys behind the newest version are what is left of it.
So it may be stopped anywhere (the old versions still open what they wrapped) and goes on when it is run again. A key
that does not open stays as it is: its secret may come back one day. Old versions are kept, see
docs/decisions/0005-envelope.md.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from opencto.core.database import Database
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.vault import repository
from opencto.vault.envelope import Envelope, KeyWrapper, NotOpenedError, rewrap
from opencto.vault.repository import KeyRow

BATCH = 25
"""How many keys change in one transaction: other writers wait for no more than that."""
Progressed = Callable[[int, int], None]
"""Told of every step: how many keys are done, of how many."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """A key that could not be wrapped anew, and why. No secret in it."""

    key: KeyRow
    why: str


@dataclass(slots=True)
class Rotated:
    """What came of a rotation. `is_continued`: it went on with one that was stopped, and began no version of its own."""

    version: int
    is_continued: bool
    opened: int = 0
    """How many keys were behind and could be unwrapped; another process may have stored some of them first."""
    wrapped: int = 0
    stuck: list[Stuck] = field(default_factory=list[Stuck])


class Rotation:
    """One run of it."""

    def __init__(self, database: Database, wrapper: KeyWrapper, audit: AuditTrail) -> None:
        self._database = database
        self._wrapper = wrapper
        self._audit = audit

    def run(self, progressed: Progressed) -> Rotated:
        """Go on with a rotation that was stopped; where there is none, begin one and finish it."""
        newest = self._wrapper.current_version()
        result = self._wrap_all(Rotated(newest, is_continued=True), progressed)
        if not result.opened:  # nothing was behind that could be wrapped: no rotation was under way
            begun = Rotated(self._wrapper.begin_version(newest), is_continued=False)
            result = self._wrap_all(begun, progressed)
        with self._database.write() as tx:
            event = AuditEvent.local(
                "keys.rotated",
                "wrapping_key",
                str(result.version),
                version=result.version,
                wrapped=result.wrapped,
                stuck=len(result.stuck),
            )
            self._audit.record(tx, event)
        return result

    def left(self) -> int:
        """How many keys are behind the newest version."""
        newest = self._wrapper.current_version()
        with self._database.read() as tx:
            return repository.count_wrapped_before(tx, newest)

    def _wrap_all(self, result: Rotated, progressed: Progressed) -> Rotated:
        """Twice: what was saved under the old version while the new one began is there for certain the second time."""
        with self._database.read() as tx:
            total = repository.count_wrapped_before(tx, result.version)
        for is_last in (False, True):
            if is_last:
                with self._database.write() as tx:
                    repository.await_savers(tx, result.version)
            result.stuck = []
            for batch in self._batches(result.version):
                self._wrap(batch, result)
                done = result.opened + len(result.stuck)
                progressed(done, max(total, done))
        return result

    def _batches(self, version: int) -> Iterator[list[KeyRow]]:
        last = ""
        while True:
            with self._database.read() as tx:
                rows = repository.wrapped_before(tx, version, last, BATCH)
            if not rows:
                return
            yield rows
            last = rows[-1].id

    def _wrap(self, rows: list[KeyRow], result: Rotated) -> None:
        """Wrap a batch anew. Unwrapping happens before the transaction, which stays short."""
        fresh: list[tuple[KeyRow, Envelope]] = []
        for row in rows:
            try:
                fresh.append((row, rewrap(row.envelope, row.binding, self._wrapper, result.version)))
            except NotOpenedError as reason:
                result.stuck.append(Stuck(row, str(reason)))
        if not fresh:
            return
        with self._database.write() as tx:
            result.wrapped += sum(repository.exchange_wrapping(tx, row, envelope) for row, envelope in fresh)
        result.opened += len(fresh)
