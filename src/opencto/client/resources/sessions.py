"""Records of realtime sessions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from opencto.client.endpoints import Resource, RunT, call, listing, streamed
from opencto.client.sending import Route, Sent, sending, shaped
from opencto.client.streams import Bytes
from opencto.wire.sessions import (
    EventsAccepted,
    SessionDeleted,
    SessionEnd,
    SessionEvent,
    SessionEvents,
    TranscriptFormat,
    VoiceSession,
    VoiceSessionDetail,
    VoiceSessionFound,
)

_PATH = "/api/v1/realtime/sessions"


class Sessions(Resource[RunT]):
    """What was said, called, used and measured in realtime sessions: yours, as an admin everybody's."""

    @listing(Route("GET", _PATH), VoiceSessionFound)
    def list(
        self,
        *,
        q: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        person_id: str | None = None,
        sort: Literal["createdAt", "-createdAt", "cost", "-cost"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        workspace_id: str | None = None,
    ) -> Sent:
        """Newest first. `q`: a phrase that was said; `matches` of each tells where. `limit` is the size of a page."""
        query = {"q": q, "from": since, "to": until, "personId": person_id, "sort": sort}
        page = {"limit": limit, "cursor": cursor, "workspaceId": self._workspace(workspace_id)}
        return sending(query={**query, **page})

    @call(Route("GET", f"{_PATH}/{{rs}}"), VoiceSessionDetail)
    def get(self, session_id: str) -> Sent:
        """One with transcript, tool calls, usage, cost and latency."""
        return sending(rs=session_id)

    @call(Route("POST", f"{_PATH}/{{rs}}/events", takes_key=True), EventsAccepted)
    def record(
        self,
        session_id: str,
        events: Sequence[SessionEvent | Mapping[str, Any]],
        *,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Tell what happened, at most 200 events at once, saved whole. An event sent again is counted and not saved."""
        body = shaped(SessionEvents, events=list(events))
        return sending(rs=session_id, body=body, idempotency_key=idempotency_key)

    @call(Route("POST", f"{_PATH}/{{rs}}/end", takes_key=True), VoiceSession)
    def end(self, session_id: str, reason: str | None = None, *, idempotency_key: str | None = None) -> Sent:
        """The conversation is over. `reason` is a word such as `hung_up`. Said again it changes nothing."""
        return sending(rs=session_id, body=shaped(SessionEnd, reason=reason), idempotency_key=idempotency_key)

    @streamed(Route("GET", f"{_PATH}/{{rs}}/export"), lambda: Bytes, "application/json", "text/markdown", "text/plain")
    def export(
        self,
        session_id: str,
        *,
        format: TranscriptFormat = "json",  # noqa: A002 - what everybody calls it, the wire too
    ) -> Sent:
        """One as a file, in pieces of bytes. Of somebody else's it is on the record that you took it."""
        return sending(rs=session_id, query={"format": format})

    @call(Route("DELETE", f"{_PATH}/{{rs}}", takes_key=True), SessionDeleted)
    def delete(self, session_id: str, *, idempotency_key: str | None = None) -> Sent:
        """For good, with its transcript. What was spent stays in the ledger."""
        return sending(rs=session_id, idempotency_key=idempotency_key)
