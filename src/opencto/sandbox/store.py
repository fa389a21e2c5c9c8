"""What the sandbox remembers: secrets, usage, limits and faults, in one SQLite file that processes share."""

import json
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from opencto.core.clock import Clock, millis
from opencto.core.database import Database
from opencto.core.secret import digest
from opencto.sandbox import demo, tables
from opencto.sandbox.config import SandboxConfig
from opencto.sandbox.errors import ApiError, duration, rate_limited
from opencto.sandbox.faults import Fault


class NewerDatabase(Exception):  # noqa: N818 - it names what was found
    """The file was written by a newer OpenCTO."""


@dataclass(frozen=True, slots=True)
class Used:
    """What one call used."""

    capability: str
    model: str
    project_id: str
    user_id: str
    api_key_id: str
    input_tokens: int
    output_tokens: int
    input_cached_tokens: int = 0
    input_audio_tokens: int = 0
    output_audio_tokens: int = 0
    service_tier: str = "default"


@dataclass(frozen=True, slots=True)
class Room:
    """How full a key's limits are after a call."""

    limit_requests: int
    limit_tokens: int
    used_requests: float
    used_tokens: float

    def headers(self) -> dict[str, str]:
        """`x-ratelimit-*`. A bucket drains evenly, so it is empty again after its share of a minute."""
        found: dict[str, str] = {}
        for kind, limit, used in (
            ("requests", self.limit_requests, self.used_requests),
            ("tokens", self.limit_tokens, self.used_tokens),
        ):
            found[f"x-ratelimit-limit-{kind}"] = str(limit)
            found[f"x-ratelimit-remaining-{kind}"] = str(max(0, int(limit - used)))
            found[f"x-ratelimit-reset-{kind}"] = duration(used * 60 / limit)
        return found


@dataclass(frozen=True, slots=True)
class MintedSecret:
    """A client secret that has not expired."""

    key_id: str
    project_id: str
    safety_identifier: str | None
    session: dict[str, Any]


class Store:
    """Opens its file at the first use. Every method blocks: call it in a thread."""

    def __init__(self, config: SandboxConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._database = Database(f"sqlite:///{config.database}")
        self._opening = threading.Lock()
        self._is_open = False

    def close(self) -> None:
        self._database.close()

    def open(self) -> Database:
        """The database with its tables. Raises NewerDatabase."""
        with self._opening:
            if not self._is_open:
                with self._database.write() as tx:
                    self._prepare(tx)
                self._is_open = True
        return self._database

    def _prepare(self, tx: Connection) -> None:
        version = tx.execute(text("PRAGMA user_version")).scalar_one()
        if version > tables.SCHEMA_VERSION:
            raise NewerDatabase(
                f"{self._config.database} was written by a newer OpenCTO. Update, or move the file away."
            )
        tables.metadata.create_all(tx)
        tx.execute(text(f"PRAGMA user_version = {tables.SCHEMA_VERSION}"))
        now = self._clock.now()
        if self._config.demo and tx.execute(select(tables.marks).filter_by(name="demo_until")).first() is None:
            tx.execute(insert(tables.usage), list(demo.month_before(now)))
            tx.execute(insert(tables.marks).values(name="demo_until", value=now.date().isoformat()))
        if self._config.faults:
            tx.execute(delete(tables.faults))
            for fault in self._config.faults:
                tx.execute(insert(tables.faults).values(**fault.wire()))

    def record(self, used: Used) -> None:
        """One call more in the books."""
        row = {name: getattr(used, name) for name in Used.__slots__}
        with self.open().write() as tx:
            tx.execute(insert(tables.usage).values(at_ms=millis(self._clock.now()), requests=1, is_demo=False, **row))

    def keep_secret(
        self,
        value: str,
        *,
        seconds: int,
        key_id: str,
        project_id: str,
        safety_identifier: str | None,
        session: dict[str, Any],
    ) -> int:
        """Remember a client secret by its hash, and forget those that expired. Returns when it expires, in unix seconds."""
        now = millis(self._clock.now())
        expires_at = now // 1000 + seconds
        with self.open().write() as tx:
            tx.execute(delete(tables.client_secrets).where(tables.client_secrets.c.expires_ms < now))
            tx.execute(
                insert(tables.client_secrets).values(
                    digest=digest(value),
                    created_ms=now,
                    expires_ms=expires_at * 1000,
                    key_id=key_id,
                    project_id=project_id,
                    safety_identifier=safety_identifier,
                    session=json.dumps(session),
                )
            )
        return expires_at

    def find_secret(self, value: str) -> MintedSecret | None:
        """What a client secret was minted for; None when it was never issued or has expired."""
        table = tables.client_secrets
        with self.open().read() as tx:
            row = tx.execute(select(table).where(table.c.digest == digest(value))).mappings().first()
        if row is None or row["expires_ms"] <= millis(self._clock.now()):
            return None
        return MintedSecret(row["key_id"], row["project_id"], row["safety_identifier"], json.loads(row["session"]))

    def take_room(self, key_id: str, model: str, tokens: int) -> Room:
        """Count one request against the key's limits, exactly, across processes. Raises ApiError 429."""
        limits = {"requests": self._config.requests_per_minute, "tokens": self._config.tokens_per_minute}
        asked = {"requests": 1, "tokens": tokens}
        if tokens > limits["tokens"]:
            raise ApiError(
                429,
                f"Request too large for {model} in organization org-sandbox on tokens per min (TPM): Limit {limits['tokens']}, Requested {tokens}. The input or output tokens must be reduced in order to run successfully.",
                type="tokens",
                code="rate_limit_exceeded",
            )
        table = tables.buckets
        with self.open().write() as tx:
            now = millis(self._clock.now())
            row = tx.execute(select(table).filter_by(key_id=key_id, model=model)).mappings().first()
            elapsed = max(0, now - row["updated_ms"]) / 60_000 if row else 0.0
            level = {kind: max(0.0, row[kind] - limit * elapsed) if row else 0.0 for kind, limit in limits.items()}
            for kind, limit in limits.items():
                over = level[kind] + asked[kind] - limit
                if over > 1e-9:
                    refusal = rate_limited(model, kind, limit, round(level[kind]), asked[kind], over * 60 / limit)
                    room = Room(limits["requests"], limits["tokens"], level["requests"], level["tokens"])
                    refusal.headers.update(room.headers())
                    raise refusal
            after = {kind: level[kind] + asked[kind] for kind in limits}
            if row is None:
                tx.execute(insert(table).values(key_id=key_id, model=model, updated_ms=now, **after))
            else:
                tx.execute(update(table).filter_by(key_id=key_id, model=model).values(updated_ms=now, **after))
        return Room(limits["requests"], limits["tokens"], after["requests"], after["tokens"])

    def next_fault(self, path: str, kinds: Collection[str]) -> Fault | None:
        """The first fault of these kinds that meets the path; it is counted down."""
        table = tables.faults
        with self.open().read() as tx:
            rows = tx.execute(select(table.c.path).where(table.c.kind.in_(kinds)))
            waiting = any(path.startswith(row.path) for row in rows)
        if not waiting:
            return None
        with self.open().write() as tx:
            rows = tx.execute(select(table).where(table.c.kind.in_(kinds)).order_by(table.c.id))
            for row in rows.mappings().all():
                if not path.startswith(row["path"]):
                    continue
                if row["times"] == 1:
                    tx.execute(delete(table).filter_by(id=row["id"]))
                elif row["times"] is not None:
                    tx.execute(update(table).filter_by(id=row["id"]).values(times=row["times"] - 1))
                return Fault(row["kind"], row["path"], row["value"], row["times"])
        return None

    def faults(self) -> list[Fault]:
        table = tables.faults
        with self.open().read() as tx:
            rows = tx.execute(select(table).order_by(table.c.id)).mappings().all()
        return [Fault(row["kind"], row["path"], row["value"], row["times"]) for row in rows]

    def add_fault(self, fault: Fault) -> None:
        with self.open().write() as tx:
            tx.execute(insert(tables.faults).values(**fault.wire()))

    def clear_faults(self) -> None:
        with self.open().write() as tx:
            tx.execute(delete(tables.faults))
