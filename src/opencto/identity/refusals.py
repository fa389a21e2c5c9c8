"""Refused sign-ins in the audit trail, without a row for each guess of a flood.

The first refusal for an account is written at once. Those that follow within `WINDOW_SECONDS` are counted and become
one row when the window is over, with how many there were and from how many addresses. All tries for accounts that do
not exist share one entry, so that inventing addresses makes neither rows nor memory. A process that is killed loses
the counts of its last window and no first refusal; the log has them all.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from opencto.core.clock import Clock
from opencto.core.database import Database
from opencto.core.problems import Problem
from opencto.identity.caller import Origin
from opencto.identity.ports import AuditEvent, AuditTrail, Detail
from opencto.telemetry import log

WINDOW_SECONDS = 300
ADDRESSES_REMEMBERED = 100

Reason = Literal["password", "code", "slowed", "disabled", "link", "oidc"]


@dataclass
class _Window:
    """What was refused since the last row for one account."""

    since: float
    origin: Origin
    count: int = 0
    reasons: dict[str, int] = field(default_factory=dict[str, int])
    addresses: set[str] = field(default_factory=set[str])

    def add(self, reason: Reason, origin: Origin) -> None:
        self.count += 1
        self.origin = origin
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if len(self.addresses) < ADDRESSES_REMEMBERED:
            self.addresses.add(origin.address)


class Refusals:
    """Counts and writes. Thread-safe; its memory is bounded by the number of accounts."""

    def __init__(self, database: Database, clock: Clock, audit: AuditTrail) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._windows: dict[str | None, _Window] = {}
        self._lock = threading.Lock()

    def note(self, person_id: str | None, reason: Reason, origin: Origin) -> None:
        """A refusal; `person_id` None when there is no such account."""
        log.get("identity").warning("sign_in_refused", person=person_id, reason=reason, address=origin.address)
        with self._lock:
            window = self._windows.get(person_id)
            if window is not None:
                window.add(reason, origin)
                return
            self._windows[person_id] = _Window(self._clock.monotonic(), origin)
        self._write(person_id, origin, {"reason": reason, "attempts": 1})

    def flush(self, *, everything: bool = False) -> None:
        """Write the rows of windows that are over; of all with `everything`, at the end of the process."""
        now = self._clock.monotonic()
        with self._lock:
            over = {
                who: window
                for who, window in self._windows.items()
                if everything or now - window.since >= WINDOW_SECONDS
            }
            for who in over:
                del self._windows[who]
        while over:
            who = next(iter(over))  # oldest first
            window = over.pop(who)
            if not window.count:
                continue
            reasons = [f"{reason}: {count}" for reason, count in sorted(window.reasons.items())]
            details = {"reasons": reasons, "attempts": window.count, "addresses": len(window.addresses)}
            try:
                self._write(who, window.origin, details)
            except Problem:
                over[who] = window
                with self._lock:  # due again; what was refused meanwhile has a window of its own and comes after it
                    self._windows = {**over, **self._windows}
                raise

    def _write(self, person_id: str | None, origin: Origin, details: Mapping[str, Detail]) -> None:
        with self._database.write() as tx:
            self._audit.record(tx, AuditEvent.anonymous(origin, "sign_in.refused", "person", person_id, **details))
