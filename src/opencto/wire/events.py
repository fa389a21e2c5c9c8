"""`GET /api/v1/events` on the wire: what changed, for pages that show it. A hint to read again, never the thing itself."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from opencto.wire.base import Time, Wire

EventId = Annotated[str, StringConstraints(pattern=r"^evt_[0-9a-z]{26}$")]

LiveEventType = Literal[
    "session.started",
    "session.updated",
    "session.ended",
    "session.deleted",
    "key.changed",
    "member.changed",
    "settings.changed",
    "limit.changed",
    "usage.changed",
    "spend.warning",
    "approval.requested",
    "approval.decided",
    "approval.ended",
    "reset",
]
"""`spend.warning`: 80 % of the month's budget is used. `approval.ended`: what was approved ran, failed, or nobody decided in time. `reset`: what lies between is not known any more; read everything again."""


class LiveEvent(Wire):
    """The data of one event. Its SSE fields `id` and `event` are `id` and `type`."""

    id: str = Field(description="`evt_…`, growing: send the last one as Last-Event-ID to go on behind it.")
    type: LiveEventType
    at: Time
    workspace_id: str
    subject_id: str | None = Field(description="The id of what changed, such as `rs_…`, `key_…`, `usr_…`.")
    person_id: str | None = Field(description="Whose it is, where it is somebody's.")
