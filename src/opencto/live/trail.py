"""The audit trail that also tells the pages: most of what they show changes by a deed that is on the record anyway."""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.live.feed import Change, Feed

_Make = Callable[[AuditEvent, str], Change]


def _session_started(event: AuditEvent, workspace_id: str) -> Change:
    session = event.details.get("sessionId")
    return Change(workspace_id, "session.started", session if isinstance(session, str) else None, event.actor_id)


def _session_deleted(event: AuditEvent, workspace_id: str) -> Change:
    owner = event.details.get("owner")
    return Change(workspace_id, "session.deleted", event.target_id, owner if isinstance(owner, str) else None)


def _key_changed(event: AuditEvent, workspace_id: str) -> Change:
    is_own = event.details.get("scope") == "user"
    return Change(workspace_id, "key.changed", event.target_id, event.actor_id if is_own else None)


def _key_fares_otherwise(event: AuditEvent, workspace_id: str) -> Change:
    owner = event.details.get("owner")
    return Change(workspace_id, "key.changed", event.target_id, owner if isinstance(owner, str) else None)


def _spend_warning(event: AuditEvent, workspace_id: str) -> Change:
    return Change(workspace_id, "spend.warning", event.target_id)


def _member_changed(event: AuditEvent, workspace_id: str) -> Change:
    return Change(workspace_id, "member.changed", event.target_id if event.target_kind == "person" else event.actor_id)


def _settings_changed(event: AuditEvent, workspace_id: str) -> Change:
    return Change(workspace_id, "settings.changed", event.target_id)


def _limit_changed(event: AuditEvent, workspace_id: str) -> Change:
    return Change(workspace_id, "limit.changed", event.target_id)


def _approval_requested(event: AuditEvent, workspace_id: str) -> Change:
    return Change(workspace_id, "approval.requested", event.target_id)


def _approval_decided(event: AuditEvent, workspace_id: str) -> Change:
    return Change(workspace_id, "approval.decided", event.target_id)


def _approval_ended(event: AuditEvent, workspace_id: str) -> Change:
    return Change(workspace_id, "approval.ended", event.target_id)


TOLD: Mapping[str, _Make] = {
    "realtime_token.minted": _session_started,
    "voice_session.deleted": _session_deleted,
    "key.saved": _key_changed,
    "key.replaced": _key_changed,
    "key.deleted": _key_changed,
    "key.state_changed": _key_fares_otherwise,
    "spend.warning_reached": _spend_warning,
    "member.left": _member_changed,
    "member.removed": _member_changed,
    "member.role_changed": _member_changed,
    "invitation.accepted": _member_changed,
    "workspace.taken_over": _member_changed,
    "workspace.settings_changed": _settings_changed,
    "workspace.renamed": _settings_changed,
    "limits.changed": _limit_changed,
    "approval.requested": _approval_requested,
    "approval.approved": _approval_decided,
    "approval.denied": _approval_decided,
    "approval.expired": _approval_ended,
    "approval.used": _approval_ended,
    "approval.failed": _approval_ended,
}
"""By action. What is not here changes nothing that a page shows."""


class ToldTrail:
    """An AuditTrail in front of another."""

    def __init__(self, trail: AuditTrail, feed: Feed) -> None:
        self._trail = trail
        self._feed = feed

    def record(self, tx: Connection, event: AuditEvent) -> None:
        make = TOLD.get(event.action)
        if make is not None and event.workspace_id is not None:
            self._feed.tell(tx, make(event, event.workspace_id))
        self._trail.record(tx, event)  # last: it holds the end of the trail until the commit
