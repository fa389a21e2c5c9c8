"""What the assistant wants to change, and a person's yes or no."""

from opencto.client.endpoints import Resource, RunT, call, listing
from opencto.client.sending import Route, Sent, sending, shaped
from opencto.wire.approvals import Approval, ApprovalDecision, ApprovalState


class Approvals(Resource[RunT]):
    """Approvals of the workspace."""

    @listing(Route("GET", "/api/v1/approvals"), Approval)
    def list(
        self,
        *,
        state: ApprovalState | None = None,
        workspace_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        sort: str | None = None,
    ) -> Sent:
        """The newest first: all of the workspace for admins, for others what they asked for."""
        workspace = self._workspace(workspace_id)
        return sending(query={"workspaceId": workspace, "state": state, "limit": limit, "cursor": cursor, "sort": sort})

    @call(Route("GET", "/api/v1/approvals/{ap}"), Approval)
    def get(self, approval_id: str, *, workspace_id: str | None = None) -> Sent:
        """One of them, with what came of it."""
        return sending(ap=approval_id, query={"workspaceId": self._workspace(workspace_id)})

    @call(Route("POST", "/api/v1/approvals/{ap}/decision"), Approval)
    def approve(self, approval_id: str, *, reason: str | None = None, workspace_id: str | None = None) -> Sent:
        """It runs at once, and the answer says how it went."""
        workspace = self._workspace(workspace_id)
        body = shaped(ApprovalDecision, decision="approve", reason=reason, workspace_id=workspace)
        return sending(body=body, ap=approval_id)

    @call(Route("POST", "/api/v1/approvals/{ap}/decision"), Approval)
    def deny(self, approval_id: str, *, reason: str | None = None, workspace_id: str | None = None) -> Sent:
        """It never runs."""
        workspace = self._workspace(workspace_id)
        body = shaped(ApprovalDecision, decision="deny", reason=reason, workspace_id=workspace)
        return sending(body=body, ap=approval_id)
