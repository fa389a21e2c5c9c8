"""OpenCTO and AsyncOpenCTO: every route of the server as a method."""

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING, Self

from opencto.client.endpoints import Late, Resource, RunT, call, streamed
from opencto.client.options import resolved
from opencto.client.sending import Route, Sent, sending, shaped

if TYPE_CHECKING:
    from ssl import SSLContext

    from opencto.client.resources.approvals import Approvals
    from opencto.client.resources.audit import Audit
    from opencto.client.resources.openai import Keys, Ledger, Limits, Realtime
    from opencto.client.resources.operations import Models, Usage
    from opencto.client.resources.people import People, Tokens
    from opencto.client.resources.sessions import Sessions
    from opencto.client.resources.tools import Tools
    from opencto.client.resources.workspaces import Invitations, Members, Settings, Workspaces
    from opencto.client.runners import AsyncRunner, SyncRunner  # noqa: F401 - named in the strings of the bases
    from opencto.client.streams import Live, Spoken
    from opencto.wire.identity import AuthSession
    from opencto.wire.service import Health, Ready
    from opencto.wire.status import Status, StatusHours
    from opencto.wire.voice import RespondAnswer

SILENCE_SECONDS = 120.0
"""Longer than the server's own deadline for a model, and than the comments of a silent stream."""


def _session() -> "type[AuthSession]":
    from opencto.wire.identity import AuthSession

    return AuthSession


def _answer() -> "type[RespondAnswer]":
    from opencto.wire.voice import RespondAnswer

    return RespondAnswer


def _health() -> "type[Health]":
    from opencto.wire.service import Health

    return Health


def _ready() -> "type[Ready]":
    from opencto.wire.service import Ready

    return Ready


def _status() -> "type[Status]":
    from opencto.wire.status import Status

    return Status


def _status_hours() -> "type[StatusHours]":
    from opencto.wire.status import StatusHours

    return StatusHours


def _spoken() -> "type[Spoken]":
    from opencto.client.streams import Spoken

    return Spoken


def _live() -> "type[Live]":
    from opencto.client.streams import Live

    return Live


class Routes(Resource[RunT]):
    """The routes of a client, and its resources."""

    @call(Route("POST", "/v1/respond", takes_key=True), Late(_answer))
    def respond(
        self,
        text: str,
        *,
        system: str | None = None,
        conversation_id: str | None = None,
        language: str | None = None,
        workspace_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Say something, get the whole answer. `conversation_id` goes on with an earlier exchange."""
        return self._respond(text, system, conversation_id, language, workspace_id, idempotency_key, stream=False)

    @streamed(Route("POST", "/v1/respond", takes_key=True), _spoken, "text/event-stream")
    def respond_stream(
        self,
        text: str,
        *,
        system: str | None = None,
        conversation_id: str | None = None,
        language: str | None = None,
        workspace_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Say something, get the answer sentence by sentence: `Sentence` each, `RespondDone` at the end."""
        return self._respond(text, system, conversation_id, language, workspace_id, idempotency_key, stream=True)

    def _respond(
        self,
        text: str,
        system: str | None,
        conversation_id: str | None,
        language: str | None,
        workspace_id: str | None,
        idempotency_key: str | None,
        *,
        stream: bool,
    ) -> Sent:
        from opencto.wire.voice import RespondRequest

        body = shaped(
            RespondRequest,
            text=text,
            system=system,
            conversation_id=conversation_id,
            language=language,
            workspace_id=self._workspace(workspace_id),
            stream=stream,
        )
        return sending(body=body, idempotency_key=idempotency_key)

    @call(Route("GET", "/api/v1/auth/session"), Late(_session))
    def session(self) -> Sent:
        """Who you are to the server, and in which workspaces."""
        return sending()

    @call(Route("GET", "/health"), Late(_health))
    def health(self) -> Sent:
        """Whether the server is up."""
        return sending()

    @call(Route("GET", "/ready", also=frozenset({503})), Late(_ready))
    def ready(self) -> Sent:
        """Whether the server wants requests now, and what each of its parts says; no error where it does not."""
        return sending()

    @streamed(Route("GET", "/api/v1/events"), _live, "text/event-stream")
    def events(self, *, last_event_id: str | None = None, workspace_id: str | None = None) -> Sent:
        """What changes, as it changes: a `LiveEvent` each, without end. `last_event_id` goes on behind that one."""
        return sending(query={"lastEventId": last_event_id, "workspaceId": self._workspace(workspace_id)})

    @call(Route("GET", "/api/v1/status"), Late(_status))
    def status(self) -> Sent:
        """Health, and requests, 429, 5xx and times of each limited bucket over 5 minutes, an hour and a day."""
        return sending()

    @call(Route("GET", "/api/v1/status/hours"), Late(_status_hours))
    def status_hours(self) -> Sent:
        """Requests, 429, 5xx and times of each limited bucket, hour by hour over the last day."""
        return sending()

    @cached_property
    def realtime(self) -> "Realtime[RunT]":
        """Short-lived secrets for realtime voice."""
        from opencto.client.resources.openai import Realtime

        return Realtime(self._run)

    @cached_property
    def sessions(self) -> "Sessions[RunT]":
        """What was said, used and measured in realtime sessions."""
        from opencto.client.resources.sessions import Sessions

        return Sessions(self._run)

    @cached_property
    def keys(self) -> "Keys[RunT]":
        """OpenAI keys that people bring."""
        from opencto.client.resources.openai import Keys

        return Keys(self._run)

    @cached_property
    def limits(self) -> "Limits[RunT]":
        """Rate limits and the monthly budget of a workspace."""
        from opencto.client.resources.openai import Limits

        return Limits(self._run)

    @cached_property
    def ledger(self) -> "Ledger[RunT]":
        """Every call to OpenAI and its cost."""
        from opencto.client.resources.openai import Ledger

        return Ledger(self._run)

    @cached_property
    def models(self) -> "Models[RunT]":
        """The models that your key reaches."""
        from opencto.client.resources.operations import Models

        return Models(self._run)

    @cached_property
    def usage(self) -> "Usage[RunT]":
        """What was used and what it cost."""
        from opencto.client.resources.operations import Usage

        return Usage(self._run)

    @cached_property
    def tools(self) -> "Tools[RunT]":
        """What the assistant may do."""
        from opencto.client.resources.tools import Tools

        return Tools(self._run)

    @cached_property
    def approvals(self) -> "Approvals[RunT]":
        """What the assistant wants to change, and a person's yes or no."""
        from opencto.client.resources.approvals import Approvals

        return Approvals(self._run)

    @cached_property
    def workspaces(self) -> "Workspaces[RunT]":
        """Workspaces."""
        from opencto.client.resources.workspaces import Workspaces

        return Workspaces(self._run)

    @cached_property
    def settings(self) -> "Settings[RunT]":
        """Who the assistant of a workspace is, and which OpenAI projects are its own."""
        from opencto.client.resources.workspaces import Settings

        return Settings(self._run)

    @cached_property
    def members(self) -> "Members[RunT]":
        """Who is in a workspace."""
        from opencto.client.resources.workspaces import Members

        return Members(self._run)

    @cached_property
    def invitations(self) -> "Invitations[RunT]":
        """Links that let people join."""
        from opencto.client.resources.workspaces import Invitations

        return Invitations(self._run)

    @cached_property
    def tokens(self) -> "Tokens[RunT]":
        """API tokens."""
        from opencto.client.resources.people import Tokens

        return Tokens(self._run)

    @cached_property
    def people(self) -> "People[RunT]":
        """Everybody with an account; for those who run the server."""
        from opencto.client.resources.people import People

        return People(self._run)

    @cached_property
    def audit(self) -> "Audit[RunT]":
        """Who did what."""
        from opencto.client.resources.audit import Audit

        return Audit(self._run)

    def __repr__(self) -> str:
        options = self._run.options
        return f"{type(self).__name__}(base_url={options.base_url!r}, workspace_id={options.workspace_id!r})"


class OpenCTO(Routes["SyncRunner"]):
    """A client of an OpenCTO server.

        with OpenCTO(token="octo_…") as client:
            print(client.respond("Good morning").text)

    What is not given comes from OPENCTO_BASE_URL and OPENCTO_TOKEN; without an address it is the server of this
    machine. `timeout` is in seconds of silence. `verify` False or an SSLContext is for certificates of your own.
    Threads may share a client.
    """

    def __init__(
        self,
        base_url: str | None = None,
        token: str | None = None,
        workspace_id: str | None = None,
        *,
        timeout: float = SILENCE_SECONDS,
        max_retries: int = 2,
        verify: "bool | SSLContext" = True,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        options = resolved(base_url, token, workspace_id, timeout, max_retries)
        from opencto.client.runners import SyncRunner

        super().__init__(SyncRunner(options, verify, sleep))

    def close(self) -> None:
        """Close the connections."""
        self._run.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncOpenCTO(Routes["AsyncRunner"]):
    """The same for asyncio.

    async with AsyncOpenCTO(token="octo_…") as client:
        print((await client.respond("Good morning")).text)
    """

    def __init__(
        self,
        base_url: str | None = None,
        token: str | None = None,
        workspace_id: str | None = None,
        *,
        timeout: float = SILENCE_SECONDS,
        max_retries: int = 2,
        verify: "bool | SSLContext" = True,
        sleep: Callable[[float], Awaitable[object]] | None = None,
    ) -> None:
        options = resolved(base_url, token, workspace_id, timeout, max_retries)
        from opencto.client.runners import AsyncRunner

        super().__init__(AsyncRunner(options, verify, sleep))

    def use_token(self, token: str) -> None:
        """From now on with this token: for what runs longer than one lasts."""
        self._run.use_token(token)

    async def close(self) -> None:
        """Close the connections."""
        await self._run.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
