"""The settings of an open session: what it began with, and how an update changes them."""

from datetime import date
from typing import Any, cast

from opencto.sandbox.errors import bad_request, invalid_value
from opencto.sandbox.keys import Key
from opencto.sandbox.session import VOICES, RealtimeSession, TranscriptionSession, effective
from opencto.sandbox.session_rules import check
from opencto.sandbox.validation import parse

AnySession = RealtimeSession | TranscriptionSession
_MERGED = {"audio", "input", "output"}


def restored(shown: dict[str, Any]) -> AnySession:
    """The session that a client secret is bound to, out of what was shown when it was minted."""
    asked = {name: value for name, value in shown.items() if name not in {"object", "id", "expires_at"}}
    if asked["type"] == "transcription":
        return parse(TranscriptionSession, asked)
    output = asked["audio"]["output"]
    if output["voice"] not in VOICES:
        asked["audio"] = {**asked["audio"], "output": {**output, "voice": {"id": output["voice"]}}}
    return parse(RealtimeSession, asked)


class Settings:
    """The one session of a socket."""

    def __init__(self, session: AnySession, *, can_speak: bool, expires_at: int) -> None:
        self.can_speak = can_speak
        self._expires_at = expires_at
        self.session = self._possible(session)
        self._id: str = effective(session)["id"]
        self.has_spoken = False
        """Whether an answer was heard: from then on the voice stays."""

    def shown(self) -> dict[str, Any]:
        return {**effective(self.session), "id": self._id, "expires_at": self._expires_at}

    def update(self, change: AnySession, key: Key, today: date) -> None:
        """Take over what the change says, all of it or nothing. Raises ApiError."""
        if change.type != self.session.type:
            raise invalid_value(
                "session.type",
                f"Passing a {change.type} session update event to a {self.session.type} session is not allowed.",
            )
        merged = _merged(self.session.model_dump(), change.model_dump(exclude_unset=True))
        updated = parse(type(self.session), merged)
        if getattr(updated, "model", None) != getattr(self.session, "model", None):
            raise invalid_value("session.model", "The model of a session cannot be changed once it is open.")
        check(updated, key, today)
        if self.has_spoken and _voice(updated) != _voice(self.session):
            raise bad_request(
                "Cannot update a conversation's voice if assistant audio is present.",
                param="session.audio.output.voice",
                code="cannot_update_voice",
            )
        self.session = self._possible(updated)

    def _possible(self, session: AnySession) -> AnySession:
        """Without a voice the answers are written, and the session says so instead of promising sound."""
        if isinstance(session, RealtimeSession) and not self.can_speak:
            return session.model_copy(update={"output_modalities": ["text"]})
        return session


def _voice(session: AnySession) -> object:
    return session.audio.output.voice if isinstance(session, RealtimeSession) else None


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    found = dict(old)
    for name, value in new.items():
        before: Any = old.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            ours, theirs = cast("dict[str, Any]", before), cast("dict[str, Any]", value)
            found[name] = _merged(ours, theirs) if _are_one(name, ours, theirs) else theirs
        else:
            found[name] = value
    return found


def _are_one(name: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Turn detection of the same kind is adjusted, everything else that has a kind is replaced."""
    return name in _MERGED or (name == "turn_detection" and old.get("type") == new.get("type"))
