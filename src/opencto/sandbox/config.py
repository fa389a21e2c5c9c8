"""What a sandbox is told when it is made."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from opencto.core.secret import Secret
from opencto.sandbox.faults import Fault
from opencto.sandbox.recording import SeenRequest


@dataclass(frozen=True)
class InternalKeys:
    """The only keys that a sandbox takes when it is mounted in a server: the server's own."""

    inference: Secret
    admin: Secret

    @classmethod
    def derived(cls, key: bytes) -> "InternalKeys":
        """From the server's key for the purpose `sandbox`, so that every worker process has the same two."""
        words = [hmac.digest(key, purpose, hashlib.sha256).hex()[:48] for purpose in (b"inference", b"admin")]
        return cls(Secret(f"sk-sandbox-{words[0]}"), Secret(f"sk-admin-sandbox-{words[1]}"))


@dataclass(frozen=True)
class SandboxConfig:
    """`database` is a SQLite file of the sandbox's own; several processes may share it."""

    database: Path
    demo: bool = True
    """Whether usage and costs begin with 30 days of labelled demo data."""
    requests_per_minute: int = 10_000
    """Chat completions a minute, for each key and model."""
    tokens_per_minute: int = 2_000_000
    internal_keys: InternalKeys | None = None
    """When set, no other key is taken. Unset, any `sk-…` and `sk-admin-…` is."""
    faults: tuple[Fault, ...] = ()
    """Faults that are on from the start, instead of those that the database still holds."""
    fault_control: bool = False
    """Whether `/_faults` answers; on loopback alone in any case."""
    max_body_bytes: int = 16 * 1024 * 1024
    background_seconds: float = 1.0
    """How long a background response takes: half of it queued, half in progress."""
    realtime_minutes: float = 60
    """How long a Realtime session may last."""
    realtime_delta_seconds: float = 0.005
    """The pause between the pieces of a Realtime answer: long enough to be interrupted, too short to wait for."""
    recorder: Callable[[SeenRequest], None] | None = field(default=None, compare=False)
    """Told about every request; for tests."""
