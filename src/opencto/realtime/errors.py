"""What may go wrong when a conversation is to begin, and when it is told of."""

from opencto.core.problems import Conflict, Invalid
from opencto.telemetry.scrub import scrub


class ModelNotAllowed(Invalid):
    code, title = "MODEL_NOT_ALLOWED", "This model is not allowed here"

    @classmethod
    def named(cls, model: str, allowed: list[str]) -> "ModelNotAllowed":
        return cls(
            f"model: {scrub(model)} is not allowed in this workspace. Allowed: {', '.join(allowed)}. An admin can change the list in the settings."
        )


class SessionClosed(Conflict):
    code, title = "SESSION_CLOSED", "This session takes no more events"

    def __init__(self) -> None:
        super().__init__(
            "This session ended more than 24 hours ago and takes no more events. Drop what is left in the outbox."
        )


class SessionFull(Conflict):
    code, title = "SESSION_FULL", "This session holds all that it can"

    def __init__(self, events: int, characters: int) -> None:
        super().__init__(
            f"A session keeps at most {events:,} events and {characters:,} characters. Nothing of this batch was saved; begin a new session."
        )
