"""What identity puts away from time to time: sign-ins and links that are over, empty throttle buckets, and the counts
of refused sign-ins.
"""

from sqlalchemy import Connection

from opencto.core.clock import Clock, millis
from opencto.core.database import Database
from opencto.core.problems import Problem
from opencto.identity import links_repository
from opencto.identity.refusals import Refusals
from opencto.identity.sessions import Sessions
from opencto.identity.throttle import Throttle
from opencto.telemetry import log

EVERY_SECONDS = 600


class Housekeeping:
    """`tick` is called every few seconds and does what is due."""

    def __init__(
        self, database: Database, clock: Clock, refusals: Refusals, throttle: Throttle, sessions: Sessions
    ) -> None:
        self._database = database
        self._clock = clock
        self._refusals = refusals
        self._throttle = throttle
        self._sessions = sessions
        self._pruned_at: float | None = None

    def tick(self) -> None:
        """Raises the database's problems; what was not done is due again."""
        self._refusals.flush()
        now = self._clock.monotonic()
        if self._pruned_at is None or now - self._pruned_at >= EVERY_SECONDS:
            with self._database.write() as tx:
                self.prune(tx)
            self._pruned_at = now

    def prune(self, tx: Connection) -> None:
        """Drop every row whose time is over."""
        links_repository.delete_over(tx, millis(self._clock.now()))
        self._sessions.forget_old(tx)
        self._throttle.forget_old(tx)

    def finish(self) -> None:
        """At the end of the process, so that nothing that was counted is lost while the database answers."""
        try:
            self._refusals.flush(everything=True)
        except Problem as problem:
            log.get("identity").warning("refusals_not_saved", code=problem.code)
