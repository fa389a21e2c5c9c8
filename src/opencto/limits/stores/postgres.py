"""The store of several nodes on one PostgreSQL: the function `limit_take` of migration `limits`, one round trip a call.

Time is the database server's, so a node whose clock jumps changes nothing. A commit is not flushed to disk: a crash of
the database server may forget the calls of its last half second.
"""

import asyncio
from collections.abc import Callable

from sqlalchemy import text

from opencto.core.database import Database
from opencto.limits.stores.contract import LONGEST_WINDOW_SECONDS, MICROS, Tally

_TAKE = "SELECT allowed, used, wait, decided_at FROM limit_take(:key, :limit, :window, :amount, CAST(:now AS bigint))"
_SWEEP = text("DELETE FROM limit_hits WHERE at < (extract(epoch FROM clock_timestamp()) - :seconds) * 1000000")


class PostgresStore:
    """See the contract. `now`: microseconds instead of the server's own, for tests."""

    def __init__(self, database: Database, now: Callable[[], int] | None = None) -> None:
        self._database = database
        self._now = now

    async def take(self, key: str, limit: int, window_seconds: int) -> Tally:
        return await self._decide(key, limit, window_seconds, 1)

    async def look(self, key: str, limit: int, window_seconds: int) -> Tally:
        return await self._decide(key, limit, window_seconds, 0)

    async def sweep(self) -> None:
        await asyncio.to_thread(self._sweep)

    def ping(self) -> None:
        self._database.ping()

    async def aclose(self) -> None:
        """The database is closed by who opened it."""

    def _sweep(self) -> None:
        with self._database.write() as tx:
            tx.execute(_SWEEP, {"seconds": LONGEST_WINDOW_SECONDS + 1})

    async def _decide(self, key: str, limit: int, window_seconds: int, amount: int) -> Tally:
        parameters = {
            "key": key,
            "limit": limit,
            "window": window_seconds * MICROS,
            "amount": amount,
            "now": self._now() if self._now else None,
        }
        [(allowed, used, wait, decided_at)] = await self._database.fetch(_TAKE, parameters)
        return Tally(allowed, used, wait / MICROS, decided_at)
