"""Help for tests, ours and yours: a clock that is turned by hand, and a strict OpenAI on a real socket."""

import socket
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn

from opencto.core.clock import Clock
from opencto.sandbox.app import Sandbox, create_sandbox, standing_alone
from opencto.sandbox.config import SandboxConfig
from opencto.sandbox.faults import Fault
from opencto.sandbox.recording import SeenRequest


class ManualClock:
    """A clock that stands until it is moved. Both of its times move together unless `jump` is used."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """The wall clock is set, as a time server or a person does; no time passes."""
        self._now += timedelta(seconds=seconds)


@dataclass
class RunningSandbox:
    """A sandbox that listens. `base_url` ends in /v1; `requests` is what it saw, in order of arrival."""

    base_url: str
    sandbox: Sandbox
    requests: list[SeenRequest] = field(default_factory=list[SeenRequest])

    def fail(self, kind: str, *, path: str = "/", value: float | None = None, times: int | None = None) -> None:
        """From now on, requests whose path begins with `path` (such as /chat/completions) meet this fault.

        The kinds are in `opencto.sandbox.faults.KINDS`. `times` None means until `heal()`.
        """
        self.sandbox.store.add_fault(Fault.of(kind, path=path, value=value, times=times))

    def heal(self) -> None:
        """No faults any more."""
        self.sandbox.store.clear_faults()

    def seen(self, path: str, method: str | None = None) -> list[SeenRequest]:
        """The requests to this path, in order of arrival."""
        return [one for one in self.requests if one.path == path and method in {None, one.method}]


@contextmanager
def running_sandbox(
    *, clock: Clock | None = None, database: Path | None = None, faults: Sequence[str] = (), **config: Any
) -> Generator[RunningSandbox]:
    """A strict OpenAI on a free port of 127.0.0.1, in a thread; gone at the end.

    `faults` as for `opencto sandbox --fault`; `config` are further fields of SandboxConfig, such as
    requests_per_minute. There is no demo month unless `demo=True`.
    """
    with TemporaryDirectory(prefix="opencto-sandbox-") as folder:
        requests: list[SeenRequest] = []
        settings: dict[str, Any] = {"demo": False, "fault_control": True, "recorder": requests.append, **config}
        sandbox = create_sandbox(
            SandboxConfig(
                database=database or Path(folder) / "sandbox.db",
                faults=tuple(Fault.parse(one) for one in faults),
                **settings,
            ),
            clock,
        )
        with listening(standing_alone(sandbox)) as origin:
            try:
                yield RunningSandbox(f"{origin}/v1", sandbox, requests)
            finally:
                sandbox.close()


@contextmanager
def listening(app: Any) -> Generator[str]:
    """Any ASGI application on a real socket of 127.0.0.1, in a thread. Gives its origin, `http://127.0.0.1:PORT`."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="opencto-listening", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
