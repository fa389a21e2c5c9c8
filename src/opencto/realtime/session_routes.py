"""The records of realtime sessions: told by the client that speaks, read by its person and the admins."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime

from opencto.core.describe import fails_with
from opencto.core.problems import NotFound
from opencto.identity import access
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.guard import GuardedRoute, QueryWorkspace, within
from opencto.identity.listing import SearchListing
from opencto.identity.work import Work
from opencto.realtime.errors import SessionClosed, SessionFull
from opencto.realtime.recording import Recorder
from opencto.realtime.sessions import Range, Sessions
from opencto.realtime.transcript import as_markdown, as_text
from opencto.wire.identity import Id, Role, Scope
from opencto.wire.sessions import (
    EventsAccepted,
    SessionDeleted,
    SessionEnd,
    SessionEvents,
    TranscriptFormat,
    VoiceSession,
    VoiceSessionDetail,
    VoiceSessionPage,
)

router = APIRouter(prefix="/api/v1/realtime/sessions", route_class=GuardedRoute, tags=["realtime"])
_MEDIA_TYPES = {"markdown": "text/markdown; charset=utf-8", "text": "text/plain; charset=utf-8"}
_ENDINGS = {"json": "json", "markdown": "md", "text": "txt"}

SessionId = Annotated[Id, Path(alias="rs", description="The `sessionId` of the client secret, rs_….")]


async def _recorder(request: Request) -> Recorder:
    return request.app.state.recorder


async def _sessions(request: Request) -> Sessions:
    return request.app.state.sessions


Records = Annotated[Sessions, Depends(_sessions)]


async def _in_its_workspace(request: Request, rs: SessionId, sessions: Records) -> WorkspaceCaller:
    return within(request, await sessions.workspace_of(rs))


Theirs = Annotated[WorkspaceCaller, Depends(_in_its_workspace)]


@router.post("/{rs}/events", response_model=EventsAccepted, responses=fails_with(NotFound, SessionClosed, SessionFull))
@access.in_workspace(Role.MEMBER, Scope.SESSIONS_WRITE)
def record_voice_session_events(
    rs: SessionId, body: SessionEvents, who: Theirs, work: Work, recorder: Annotated[Recorder, Depends(_recorder)]
) -> Response:
    """Tell what happened: a batch of at most 200 events, saved whole, each `eventId` once, up to 24 hours after the end."""
    priced = recorder.price(who, rs, body)
    return work.commit(body, lambda tx: recorder.take(tx, who, rs, body, priced))


@router.post("/{rs}/end", response_model=VoiceSession, responses=fails_with(NotFound))
@access.in_workspace(Role.MEMBER, Scope.SESSIONS_WRITE)
def end_voice_session(
    rs: SessionId, body: SessionEnd, who: Theirs, work: Work, recorder: Annotated[Recorder, Depends(_recorder)]
) -> Response:
    """The conversation is over. Said again it changes nothing."""
    return work.commit(body, lambda tx: recorder.end(tx, who, rs, body))


@router.get("", responses=fails_with(NotFound))
@access.in_workspace(Role.VIEWER, Scope.SESSIONS_READ)
def list_voice_sessions(
    who: QueryWorkspace,
    sessions: Records,
    asked: SearchListing,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="Minted from this time on.")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="Minted before this time.")] = None,
    person_id: Annotated[Id | None, Query(alias="personId", description="Only this person's, for admins.")] = None,
) -> VoiceSessionPage:
    """Your sessions, as an admin everybody's, the newest first. `q` is a phrase that was said; sort by createdAt or cost."""
    return sessions.list(who, asked, Range(since, until, person_id))


@router.get("/{rs}", responses=fails_with(NotFound))
@access.in_workspace(Role.VIEWER, Scope.SESSIONS_READ)
def get_voice_session(rs: SessionId, who: Theirs, sessions: Records) -> VoiceSessionDetail:
    """One session with transcript, tool calls, usage, cost and latency."""
    return sessions.get(who, rs)


@router.get(
    "/{rs}/export",
    response_model=VoiceSessionDetail,
    responses={
        200: {
            "content": {
                "text/markdown": {"schema": {"type": "string"}},
                "text/plain": {"schema": {"type": "string"}},
            }
        },
        **fails_with(NotFound),
    },
)
@access.in_workspace(Role.VIEWER, Scope.SESSIONS_READ)
def export_voice_session(
    rs: SessionId,
    who: Theirs,
    sessions: Records,
    file_format: Annotated[TranscriptFormat, Query(alias="format")] = "json",
) -> Response:
    """One session as a file: all of it as JSON, or the conversation as Markdown or plain text. Of somebody else's it is on the record that you took it."""
    found = sessions.export(who, rs, file_format)
    headers = {"Content-Disposition": f'attachment; filename="{found.id}.{_ENDINGS[file_format]}"'}
    if file_format == "json":
        return Response(found.model_dump_json(), 200, headers, "application/json")
    text = as_markdown(found) if file_format == "markdown" else as_text(found)
    return Response(text, 200, headers, _MEDIA_TYPES[file_format])


@router.delete("/{rs}", response_model=SessionDeleted, responses=fails_with(NotFound))
@access.in_workspace(Role.VIEWER, Scope.SESSIONS_WRITE)
async def delete_voice_session(rs: SessionId, who: Theirs, work: Work, sessions: Records) -> Response:
    """Delete a session for good, with its transcript. What was spent stays in the ledger."""
    answer = await run_in_threadpool(work.commit, None, lambda tx: sessions.delete(tx, who, rs))
    await run_in_threadpool(sessions.tidy)
    return answer
