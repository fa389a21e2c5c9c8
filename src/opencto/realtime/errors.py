"""What may go wrong when a conversation is to begin."""

from opencto.core.problems import Invalid
from opencto.telemetry.scrub import scrub


class ModelNotAllowed(Invalid):
    code, title = "MODEL_NOT_ALLOWED", "This model is not allowed here"

    @classmethod
    def named(cls, model: str, allowed: list[str]) -> "ModelNotAllowed":
        return cls(
            f"model: {scrub(model)} is not allowed in this workspace. Allowed: {', '.join(allowed)}. An admin can change the list in the settings."
        )
