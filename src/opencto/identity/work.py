"""How a route writes: one transaction, committed before the answer leaves, remembered under its Idempotency-Key.

    @router.post("/api/v1/tokens", response_model=ApiTokenCreated, status_code=201)
    @access.signed_in(Scope.TOKENS_WRITE)
    def create_token(body: ApiTokenCreate, caller: CurrentCaller, work: Work, services: Identity) -> Response:
        return work.commit(body, lambda tx: services.tokens.create(tx, caller, body))

The answer is stored in the same transaction as the effect, so a repeated key gives the same answer even when the first
one was lost with the connection or the process. It is sealed, because it may hold a token.
"""

import hashlib
import hmac
import os
from collections.abc import Callable
from typing import Annotated, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Row, delete, select, text, update

from opencto.core.clock import Clock, millis
from opencto.core.database import Database
from opencto.core.problems import Conflict, Invalid
from opencto.identity.caller import Caller
from opencto.identity.tables import idempotency

REMEMBERED_HOURS = 24
LONGEST_MINUTES = 15
"""After this a request that neither ended nor failed counts as lost with its process, and may be made again."""
_UNDER_WAY = 0
"""The status of a request that has no answer yet."""
_CLAIM = text(
    """
    INSERT INTO idempotency (caller, key_hash, request_hash, status, answer, created_at)
    VALUES (:caller, :key_hash, :request_hash, :under_way, '', :now)
    ON CONFLICT (caller, key_hash) DO NOTHING
    """
)


class IdempotencyMismatch(Conflict):
    code, title = "IDEMPOTENCY_MISMATCH", "This key was used for another request"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used within 24 hours with another request. Use a fresh key for a new one."
        )


class IdempotencyInProgress(Conflict):
    code, title = "IDEMPOTENCY_IN_PROGRESS", "The first request with this key is still under way"

    def __init__(self) -> None:
        super().__init__(
            "A request with this Idempotency-Key is still under way. Ask again in a moment: you get its answer.",
            headers={"Retry-After": "2"},
        )


class Desk:
    """What every write needs; one per application, at `app.state.desk`."""

    def __init__(self, database: Database, clock: Clock, seal_key: bytes) -> None:
        self.database = database
        self.clock = clock
        self._key = seal_key
        self._seal = AESGCM(seal_key)

    def seal(self, caller_id: str, answer: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._seal.encrypt(nonce, answer, b"idempotency\x00" + caller_id.encode())

    def unseal(self, caller_id: str, sealed: bytes) -> bytes:
        return self._seal.decrypt(sealed[:12], sealed[12:], b"idempotency\x00" + caller_id.encode())

    def fingerprint(self, text: str) -> bytes:
        """Tells two requests apart. Keyed, because a body may hold a password: a bare hash of it could be guessed."""
        return hmac.new(self._key, b"request\x00" + text.encode(), hashlib.sha256).digest()

    @staticmethod
    def forget_all(tx: Connection) -> None:
        """For the day the key that seals the answers is lost."""
        tx.execute(delete(idempotency))

    def forget_old(self) -> None:
        """Drop the answers whose day is over."""
        with self.database.write() as tx:
            tx.execute(
                delete(idempotency).where(
                    idempotency.c.created_at < millis(self.clock.now()) - REMEMBERED_HOURS * 3_600_000
                )
            )


class WriteWork:
    """One route's write."""

    def __init__(self, desk: Desk, request: Request, key: str | None) -> None:
        self._desk = desk
        self._request = request
        self._key = key

    def commit(self, body: BaseModel | None, run: Callable[[Connection], BaseModel], *, status: int = 200) -> Response:
        """Run in a transaction, or give the remembered answer. What `run` raises undoes everything."""
        caller: Caller | None = self._request.scope["state"]["caller"]
        if self._key is None or caller is None:
            with self._desk.database.write() as tx:
                content = run(tx).model_dump_json(by_alias=True).encode()
            return _response(content, status)
        who, key_hash, request_hash = (
            caller.person_id,
            hashlib.sha256(self._key.encode()).digest(),
            self._fingerprint(body),
        )
        now = millis(self._desk.clock.now())
        with self._desk.database.write() as tx:
            row = _claimed(tx, who, key_hash, request_hash, now)
            if row is not None:
                if row.request_hash != request_hash:
                    raise IdempotencyMismatch
                if row.status == _UNDER_WAY:
                    raise IdempotencyInProgress
                return _response(self._desk.unseal(who, row.answer), row.status, replayed=True)
            content = run(tx).model_dump_json(by_alias=True).encode()
            sealed = self._desk.seal(who, content)
            tx.execute(update(idempotency).where(*_is(who, key_hash)).values(status=status, answer=sealed))
        return _response(content, status)

    def remembered(self, body: BaseModel | None) -> Response | None:
        """The answer given before under this key, for routes that do slow work ahead of their transaction."""
        caller: Caller | None = self._request.scope["state"]["caller"]
        if self._key is None or caller is None:
            return None
        table = idempotency.c
        with self._desk.database.read() as tx:
            row = tx.execute(
                select(table.request_hash, table.status, table.answer, table.created_at).where(
                    table.caller == caller.person_id,
                    table.key_hash == hashlib.sha256(self._key.encode()).digest(),
                )
            ).first()
        if row is None or not _holds(row.status, row.created_at, millis(self._desk.clock.now())):
            return None
        if row.request_hash != self._fingerprint(body):
            raise IdempotencyMismatch
        if row.status == _UNDER_WAY:
            raise IdempotencyInProgress
        return _response(self._desk.unseal(caller.person_id, row.answer), row.status, replayed=True)

    def pledge(self, body: BaseModel) -> "Pledge | None":
        """For a route that calls out between two transactions; None without a key."""
        caller: Caller | None = self._request.scope["state"]["caller"]
        if self._key is None or caller is None:
            return None
        key_hash = hashlib.sha256(self._key.encode()).digest()
        return Pledge(self._desk, caller.person_id, key_hash, self._fingerprint(body))

    def _fingerprint(self, body: BaseModel | None) -> bytes:
        request = self._request
        text = f"{request.method} {request.url.path}?{request.url.query}\n{body.model_dump_json() if body else ''}"
        return self._desk.fingerprint(text)


class Pledge:
    """An Idempotency-Key of a request under way: claimed before the outside call, and settled or given back after it."""

    def __init__(self, desk: Desk, caller_id: str, key_hash: bytes, request_hash: bytes) -> None:
        self._desk = desk
        self._caller_id = caller_id
        self._key_hash = key_hash
        self._request_hash = request_hash

    def claim(self, tx: Connection) -> None:
        """Raises IdempotencyInProgress when another request holds the key or has just been answered under it, and
        IdempotencyMismatch when it is another request altogether."""
        row = _claimed(tx, self._caller_id, self._key_hash, self._request_hash, millis(self._desk.clock.now()))
        if row is not None:
            raise IdempotencyInProgress if row.request_hash == self._request_hash else IdempotencyMismatch

    def settle(self, tx: Connection, answer: BaseModel, status: int) -> None:
        """Remember the answer, in the transaction of its effect."""
        sealed = self._desk.seal(self._caller_id, answer.model_dump_json(by_alias=True).encode())
        tx.execute(update(idempotency).where(*self._mine()).values(status=status, answer=sealed))

    def release(self, tx: Connection) -> None:
        """The call failed: the same key may try again."""
        tx.execute(delete(idempotency).where(*self._mine(), idempotency.c.status == _UNDER_WAY))

    def _mine(self) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return _is(self._caller_id, self._key_hash)


def _is(caller_id: str, key_hash: bytes) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return idempotency.c.caller == caller_id, idempotency.c.key_hash == key_hash


def _claimed(
    tx: Connection, caller_id: str, key_hash: bytes, request_hash: bytes, now: int
) -> Row[Any, Any, Any, Any] | None:
    """None: the key is ours from here on, as under way. Else what it was used for before.

    On PostgreSQL two may come at the same moment: the second waits at the insert for how the first ends.
    """
    table = idempotency.c
    read = select(table.request_hash, table.status, table.answer, table.created_at).where(*_is(caller_id, key_hash))
    ours = {"caller": caller_id, "key_hash": key_hash, "request_hash": request_hash, "under_way": _UNDER_WAY}
    while True:
        row = tx.execute(read).first()
        if row is not None and _holds(row.status, row.created_at, now):
            return row
        if row is not None:
            tx.execute(delete(idempotency).where(*_is(caller_id, key_hash), table.created_at == row.created_at))
        if tx.execute(_CLAIM, {**ours, "now": now}).rowcount:
            return None  # else somebody was faster by a moment, and is read in the next round


def _holds(status: int, created_at: int, now: int) -> bool:
    """Whether a remembered row still counts."""
    lasts_minutes = LONGEST_MINUTES if status == _UNDER_WAY else REMEMBERED_HOURS * 60
    return created_at > now - lasts_minutes * 60_000


def _response(content: bytes, status: int, *, replayed: bool = False) -> Response:
    return Response(content, status, {"Idempotency-Replayed": "true"} if replayed else None, "application/json")


async def _work(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Any text of your own, up to 200 characters: the same key and body within 24 hours gives the same answer."
        ),
    ] = None,
) -> WriteWork:
    return work_of(request, idempotency_key)


def work_of(request: Request, idempotency_key: str | None) -> WriteWork:
    """For a plain Starlette route. Raises Invalid for a key that is none."""
    if idempotency_key is not None and not (1 <= len(idempotency_key) <= 200 and idempotency_key.isprintable()):
        raise Invalid.field("Idempotency-Key", "must be 1 to 200 printable characters")
    return WriteWork(request.app.state.desk, request, idempotency_key)


Work = Annotated[WriteWork, Depends(_work)]
