"""What may go wrong before a tool is reached; what goes wrong in one is an answer with the status `failed`."""

from opencto.core.problems import Conflict, NotFound


class ToolNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such tool. GET /api/v1/tools lists them.")


class ApprovalDecided(Conflict):
    code, title = "APPROVAL_DECIDED", "This was decided already"


class ApprovalExpired(Conflict):
    code, title = "APPROVAL_EXPIRED", "Nobody decided in time"

    def __init__(self) -> None:
        super().__init__("Nobody decided in time, so nothing was done. Ask the assistant again.")


class PreconditionChanged(Conflict):
    code, title = "PRECONDITION_CHANGED", "What was approved is not how things are any more"


class CallIdMismatch(Conflict):
    code, title = "CALL_ID_MISMATCH", "This callId was used for another call"

    def __init__(self) -> None:
        super().__init__("This callId was used with another tool or other arguments. Use a fresh one for a new call.")


class CallInProgress(Conflict):
    code, title = "CALL_IN_PROGRESS", "The call with this callId is still under way"

    def __init__(self) -> None:
        super().__init__(
            "The call with this callId is still under way. Ask again in a moment: you get its answer.",
            headers={"Retry-After": "2"},
        )
