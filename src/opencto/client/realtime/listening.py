"""How the server listens: what its confirmed session says of turn detection, as far as this side must know it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Listening:
    """`silence_ms` is what `speech_stopped.audio_end_ms` includes; None where it is not known (semantic detection)."""

    is_detecting: bool = False
    is_interrupting: bool = False
    """The server stops its own answer when it hears speech."""
    is_answering: bool = False
    silence_ms: int | None = None


def listening_of(session: Mapping[str, Any]) -> Listening:
    detection = _within(_within(_within(session, "audio"), "input"), "turn_detection")
    if not detection:
        return Listening()
    is_server = detection.get("type") == "server_vad"
    return Listening(
        is_detecting=True,
        is_interrupting=detection.get("interrupt_response") is not False,
        is_answering=detection.get("create_response") is not False,
        silence_ms=int(detection.get("silence_duration_ms") or 500) if is_server else None,
    )


def _within(wire: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", wire.get(name) or {})
