"""Health of the server on the wire."""

from typing import Literal

from opencto.wire.base import Wire


class Health(Wire):
    """The process is up. Says nothing about what it stands on."""

    status: Literal["ok"] = "ok"


class Ready(Wire):
    """Whether requests should be sent here now, and what each part says."""

    status: Literal["ready", "draining", "unavailable"]
    checks: dict[str, Literal["ok", "failed"]]
