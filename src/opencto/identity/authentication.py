"""From a credential to a Caller, with one read of the database and no cache: what is revoked is refused at once, in
every process. Plain SQL, because every request pays for it (facts/speed.md 5).
"""

import functools
import hashlib
import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import bindparam, update

from opencto.core.clock import Clock, millis
from opencto.core.database import Database
from opencto.core.secret import digest
from opencto.identity.caller import Belongs, Caller, Origin
from opencto.identity.tables import api_tokens, sessions
from opencto.identity.tokens import is_well_formed
from opencto.wire.identity import Role, Scope

SESSION_COOKIE = "opencto_session"
TOUCH_SECONDS = 60
"""How exact `last used` is: at most one write a minute for a credential, however busy it is."""

_FIND_BEARER = """
SELECT t.id, t.expires_at, t.last_used_at, p.id, p.name, p.is_operator, m.workspace_id, w.slug, m.role, t.scopes, t.workspace_id, t.kind
FROM api_tokens t JOIN people p ON p.id = t.person_id
LEFT JOIN memberships m ON m.person_id = p.id LEFT JOIN workspaces w ON w.id = m.workspace_id
WHERE t.secret_hash = :hash AND t.revoked_at IS NULL AND p.disabled_at IS NULL
"""
_FIND_BY_SESSION = """
SELECT s.id, s.expires_at, s.last_seen_at, p.id, p.name, p.is_operator, m.workspace_id, w.slug, m.role
FROM sessions s JOIN people p ON p.id = s.person_id
LEFT JOIN memberships m ON m.person_id = p.id LEFT JOIN workspaces w ON w.id = m.workspace_id
WHERE s.secret_hash = :hash AND p.disabled_at IS NULL
"""
_ALL = frozenset({Scope.ALL})
_SCOPES: Mapping[str, Scope] = {scope.value: scope for scope in Scope}
_ROLES: Mapping[str, Role] = {role.value: role for role in Role}


@dataclass(frozen=True, slots=True)
class _Touch:
    table: Literal["tokens", "sessions"]
    at: int
    address: str


class Authenticator:
    """Checks credentials. Thread-safe."""

    def __init__(self, database: Database, clock: Clock, *, session_idle_hours: int, csrf_key: bytes) -> None:
        self._database = database
        self._clock = clock
        self._idle_millis = session_idle_hours * 3_600_000
        self._csrf_key = csrf_key
        self._touches: dict[str, _Touch] = {}
        self._lock = threading.Lock()

    async def token(self, presented: str, origin: Origin) -> Caller | None:
        """The caller behind an API token, None for anything that is not valid now."""
        if not is_well_formed("octo", presented):
            return None
        rows = await self._database.fetch(_FIND_BEARER, {"hash": digest(presented)})
        now = millis(self._clock.now())
        if not rows or (rows[0][1] is not None and rows[0][1] <= now):
            return None
        first = rows[0]
        self._touch("tokens", first[0], first[2], now, origin)
        return _caller(rows, "token", _scopes(first[9]), first[10], origin, is_local=first[11] == "local")

    async def session(self, presented: str, origin: Origin) -> Caller | None:
        """The caller behind a browser's cookie, None for anything that is not valid now."""
        if not is_well_formed("octo_session", presented):
            return None
        rows = await self._database.fetch(_FIND_BY_SESSION, {"hash": digest(presented)})
        now = millis(self._clock.now())
        if not rows or rows[0][1] <= now or rows[0][2] + self._idle_millis <= now:
            return None
        self._touch("sessions", rows[0][0], rows[0][2], now, origin)
        return _caller(rows, "session", _ALL, None, origin, is_local=False)

    def csrf_token(self, session_id: str) -> str:
        """The value that a browser session sends in X-CSRF-Token with every write."""
        return hmac.new(self._csrf_key, b"csrf\x00" + session_id.encode(), hashlib.sha256).hexdigest()

    def csrf_holds(self, session_id: str, presented: str | None) -> bool:
        return presented is not None and hmac.compare_digest(
            self.csrf_token(session_id).encode(), presented.encode("utf-8", "replace")
        )

    def _touch(
        self, table: Literal["tokens", "sessions"], credential_id: str, last: int | None, now: int, origin: Origin
    ) -> None:
        if last is None or abs(now - last) >= TOUCH_SECONDS * 1000:
            with self._lock:
                self._touches[credential_id] = _Touch(table, now, origin.address)

    def flush(self) -> None:
        """Write down what was used. Called every few seconds and at the end; a failure keeps it for the next time."""
        with self._lock:
            pending, self._touches = self._touches, {}
        if not pending:
            return
        try:
            with self._database.write() as tx:
                tokens = [
                    {"c": key, "at": one.at, "by": one.address} for key, one in pending.items() if one.table == "tokens"
                ]
                seen = [{"c": key, "at": one.at} for key, one in pending.items() if one.table == "sessions"]
                if tokens:
                    tx.execute(
                        update(api_tokens)
                        .where(api_tokens.c.id == bindparam("c"))
                        .values(last_used_at=bindparam("at"), last_used_from=bindparam("by")),
                        tokens,
                    )
                if seen:
                    tx.execute(
                        update(sessions).where(sessions.c.id == bindparam("c")).values(last_seen_at=bindparam("at")),
                        seen,
                    )
        except BaseException:
            with self._lock:
                self._touches = {**pending, **self._touches}
            raise


@functools.lru_cache(maxsize=1024)
def _scopes(words: str) -> frozenset[Scope]:
    """The scopes of a row, as they stand there: the text was read for this request, only taking it apart is remembered."""
    return frozenset(_SCOPES[word] for word in words.split() if word in _SCOPES)


def _caller(
    rows: list[tuple[Any, ...]],
    via: Literal["session", "token"],
    scopes: frozenset[Scope],
    bound: str | None,
    origin: Origin,
    *,
    is_local: bool,
) -> Caller:
    first = rows[0]
    belongs = tuple(Belongs(row[6], row[7], _ROLES[row[8]]) for row in rows if row[6] is not None)
    return Caller(first[3], first[4], bool(first[5]), via, first[0], scopes, bound, belongs, origin, is_local)
