"""The store of many nodes: Redis or Valkey, one script a call. Time is the server's, so the clocks of nodes do not matter.

A server that restarts without persistence forgets the calls of its last minute.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from opencto.limits.errors import LimiterUnavailable
from opencto.limits.stores.contract import MICROS, Tally

DEADLINE_SECONDS = 2.0
MOST_CONNECTIONS = 32
PREFIX = "opencto:limit:"

# A sorted set per key, scored by time. The rules are those of limit_take in PostgreSQL.
_TAKE = """
local key, limit, window, amount = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now
if ARGV[5] ~= '' then
  now = tonumber(ARGV[5])
else
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local function text(number) return string.format('%.0f', number) end
local last = tonumber(redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2])
if last and last > now + window then
  for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
    redis.call('ZINCRBY', key, text(now - last), member)
  end
  last = now
end
if last and last > now then now = last end
redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. text(now - window))
local used = redis.call('ZCARD', key)
local allowed = used + amount <= limit
if allowed and amount == 1 then
  redis.call('ZADD', key, text(now), ARGV[4])
  redis.call('PEXPIRE', key, window / 1000 + 1000)
  used = used + 1
end
local place = math.max(0, used - limit)
local frees = tonumber(redis.call('ZRANGE', key, place, place, 'WITHSCORES')[2])
return {allowed and 1 or 0, used, frees and (frees + window + 1 - now) or 0, now}
"""


class RedisStore:
    """See the contract. `now`: microseconds instead of the server's own, for tests."""

    def __init__(self, url: str, now: Callable[[], int] | None = None) -> None:
        self._url = url
        self._now = now
        self._client: Redis | None = None
        self._script: Any = None

    async def take(self, key: str, limit: int, window_seconds: int) -> Tally:
        return await self._decide(key, limit, window_seconds, 1)

    async def look(self, key: str, limit: int, window_seconds: int) -> Tally:
        return await self._decide(key, limit, window_seconds, 0)

    async def sweep(self) -> None:
        """Nothing to do: the script trims its key, and a key that nobody uses expires."""

    def ping(self) -> None:
        asyncio.run(self._ping())

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _ping(self) -> None:
        client = _connect(self._url)  # of its own: a ping runs in a thread with a loop of its own
        try:
            await cast("Awaitable[bool]", client.ping())  # pyright: ignore[reportUnknownMemberType]
        except (RedisError, OSError) as error:
            raise LimiterUnavailable from error
        finally:
            await client.aclose()

    async def _decide(self, key: str, limit: int, window_seconds: int, amount: int) -> Tally:
        if self._client is None:
            self._client = _connect(self._url)
            self._script = self._client.register_script(_TAKE)
        now = str(self._now()) if self._now else ""
        arguments = [limit, window_seconds * MICROS, amount, os.urandom(9).hex(), now]
        try:
            async with asyncio.timeout(2 * DEADLINE_SECONDS):
                allowed, used, wait, decided_at = await self._script(keys=[PREFIX + key], args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            raise LimiterUnavailable from error
        return Tally(allowed == 1, used, wait / MICROS, decided_at)


def _connect(url: str) -> Redis:
    pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType] - its keywords are untyped
        url,
        max_connections=MOST_CONNECTIONS,
        timeout=None,  # waiting in line ends with the deadline of the whole call
        socket_timeout=DEADLINE_SECONDS,
        socket_connect_timeout=DEADLINE_SECONDS,
        retry=Retry(NoBackoff(), 1),  # a kept connection may be dead; a second count is the safe mistake
    )
    return Redis.from_pool(pool)
