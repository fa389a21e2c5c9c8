"""The audit trail."""

from datetime import datetime
from typing import Literal

from opencto.client.endpoints import Resource, RunT, call, listing, streamed
from opencto.client.sending import Route, Sent, sending
from opencto.client.streams import Bytes
from opencto.wire.audit import AuditRow, AuditVerification


class Audit(Resource[RunT]):
    """Who did what to what."""

    @listing(Route("GET", "/api/v1/audit"), AuditRow)
    def list(
        self,
        *,
        action: str | None = None,
        actor_id: str | None = None,
        target_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        everything: bool = False,
        limit: int | None = None,
        cursor: str | None = None,
        sort: Literal["at", "-at"] | None = None,
        workspace_id: str | None = None,
    ) -> Sent:
        """Newest first; with `sort="at"` oldest first. `everything`: every row of the server, for operators."""
        query = self._filters(action, actor_id, target_id, since, until, everything, workspace_id)
        return sending(query={**query, "limit": limit, "cursor": cursor, "sort": sort})

    @call(Route("GET", "/api/v1/audit/{seq}"), AuditRow)
    def get(self, seq: int) -> Sent:
        """One row by its number, however old."""
        return sending(seq=str(seq))

    @streamed(Route("GET", "/api/v1/audit/export"), lambda: Bytes, "application/jsonl", "text/csv")
    def export(
        self,
        *,
        format: Literal["jsonl", "csv"] = "jsonl",  # noqa: A002 - what everybody calls it, the wire too
        action: str | None = None,
        actor_id: str | None = None,
        target_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        everything: bool = False,
        workspace_id: str | None = None,
    ) -> Sent:
        """The rows as a file, oldest first, in pieces of bytes. That you took them is a row too."""
        query = self._filters(action, actor_id, target_id, since, until, everything, workspace_id)
        return sending(query={**query, "format": format})

    @call(Route("POST", "/api/v1/audit/verify"), AuditVerification)
    def verify(self) -> Sent:
        """Check the whole trail, for operators. Takes seconds per 100,000 rows."""
        return sending()

    def _filters(
        self,
        action: str | None,
        actor_id: str | None,
        target_id: str | None,
        since: datetime | None,
        until: datetime | None,
        everything: bool,
        workspace_id: str | None,
    ) -> dict[str, object]:
        return {
            "workspaceId": None if everything else self._workspace(workspace_id),
            "all": everything or None,
            "action": action,
            "actorId": actor_id,
            "targetId": target_id,
            "from": since,
            "to": until,
        }
