"""Processes that share a trail: `append` writes 200 rows and ends, `live` writes, seals and drops until it is killed."""

import sys
from pathlib import Path

from opencto.core.clock import SystemClock
from opencto.core.database import Database
from opencto.identity.ports import AuditEvent
from opencto.ledger import segments
from opencto.ledger.audit import AuditLog
from opencto.telemetry import log
from opencto.testing import ManualClock

SIGNING_KEY = bytes(range(32))  # as in conftest.py


def append(database: Database, folder: Path) -> None:
    trail = AuditLog(database, SystemClock(), SIGNING_KEY, folder)
    for number in range(200):
        with database.write() as tx:
            trail.record(tx, AuditEvent.local("token.created", "token", f"tok_{number}"))


def live(database: Database, folder: Path) -> None:
    segments.SEGMENT_ROWS = 3
    clock = ManualClock()
    trail = AuditLog(database, clock, SIGNING_KEY, folder, retention_days=2)
    while True:
        for number in range(2):
            with database.write() as tx:
                trail.record(tx, AuditEvent.local("token.created", "token", f"tok_{number}"))
        clock.advance(86_400)
        trail.maintain()


if __name__ == "__main__":
    log.configure("json", "error")
    _, what, url, folder = sys.argv
    database = Database(url)
    print("ready", flush=True)
    sys.stdin.readline()
    {"append": append, "live": live}[what](database, Path(folder))
    database.close()
