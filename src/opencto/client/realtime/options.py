"""How a conversation is held, as whoever begins it wishes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from opencto.client.realtime import reconnect
from opencto.client.realtime.tools import PATIENCE_SECONDS, TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class TalkOptions:
    """How a conversation is held. What is None stays as the server bound it to the token."""

    modality: Literal["audio", "text"] = "audio"
    turn_detection: Mapping[str, Any] | None = None
    """OpenAI's `turn_detection`, such as {"type": "server_vad", "silence_duration_ms": 500}."""
    push_to_talk: bool = False
    full_duplex: bool = False
    """The microphone hears on while the speaker plays: for headphones, or where something cancels the echo."""
    tool_timeout_seconds: float = TIMEOUT_SECONDS
    tool_patience_seconds: float = PATIENCE_SECONDS
    watchdog_seconds: float = 15.0
    """Of silence of the server while something is due, after which the connection counts as dead."""
    fills_waits: bool = True
    """A short sentence is said while a tool takes long (700 ms of silence), where answers are spoken."""
    goes_on_after_noise: bool = False
    """An answer that was cut short goes on by itself where what was heard instead has no word in it."""
    recycling: reconnect.Recycling = field(default_factory=reconnect.Recycling)
