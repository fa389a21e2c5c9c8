"""How every failure looks on the wire: RFC 9457 `application/problem+json` with our additions."""

from pydantic import ConfigDict

from opencto.wire.base import Wire

MEDIA_TYPE = "application/problem+json"


class FieldError(Wire):
    """One wrong field: where it is (dots between names, numbers for list places) and what is wrong with it."""

    path: str
    message: str


class ProblemBody(Wire):
    """A failure. Branch on `code`, show `detail`, quote `requestId` when asking for help."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    error: str
    code: str
    request_id: str
    errors: list[FieldError] | None = None
