"""Approvals on the wire: what the assistant wants to change, and a person's yes or no."""

from typing import Annotated, Any, Literal

from pydantic import Field

from opencto.wire.base import Text, Time, Wire, WireIn
from opencto.wire.identity import Id, Role
from opencto.wire.tools import Risk

ApprovalState = Literal["pending", "approved", "denied", "expired", "used", "failed"]
Decision = Literal["approve", "deny"]


class Approval(Wire):
    """One request. It is used once, at most."""

    id: str
    workspace_id: str
    state: ApprovalState = Field(
        description="`approved`: it runs now, or as soon as the server is back. `used`: it ran. `failed`: it ran and failed, or could not."
    )
    tool: str
    risk: Risk
    arguments: Any = Field(
        description="Exactly those that run. A call with something like a secret in them is refused."
    )
    effect: str = Field(description="What would happen, in plain words.")
    approver_role: Role
    may_decide: bool = Field(description="Whether you may, by your role; a token also needs `approvals:write`.")
    surface: str = Field(description="Where it was asked for: `voice` or `api`.")
    session_id: str | None
    call_id: str
    requested_by: str = Field(description="The person's id.")
    requested_by_name: str
    created_at: Time
    expires_at: Time = Field(description="Until when somebody may decide.")
    decided_at: Time | None
    decided_by: str | None
    decided_by_name: str | None
    reason: str | None
    ended_at: Time | None
    output: Any = Field(description="What the tool said when it ran.")
    error: str | None = Field(description="Why it failed.")
    code: str | None = Field(description="The same as a stable code.")


class ApprovalDecision(WireIn):
    """Yes or no. The same decision again changes nothing."""

    decision: Decision
    reason: Annotated[Text, Field(max_length=500)] | None = Field(default=None, description="For the record.")
    workspace_id: Id | None = Field(
        default=None, description="The workspace's id or slug; absent means the token's, else your only one."
    )
