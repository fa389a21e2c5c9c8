"""The one door to OpenAI. A surface that reaches OpenAI another way is a defect.

    pool = Pool()                                   # one per process
    door = OpenAI(pool, settings.openai_base_url or OPENAI)
    secret = await door.mint_client_secret(key, session, ttl_seconds=60, safety_identifier=who)

The key is an argument, None for servers that want none. Only the configured host is ever called, with headers of our
own. Every answer and every problem carries `upstream`, what the ledger wants to know. Repeated are only calls that
cannot do harm twice: reads, and anything whose connection never came about.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlencode

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json
from yarl import URL

from opencto.core.clock import Clock, SystemClock
from opencto.core.secret import Secret
from opencto.providers import answers, faults
from opencto.providers.answers import ChatAnswer, ChatBody, ClientSecret, KeyReport, ModelList, OrganizationPage
from opencto.providers.calls import Call, Caps, Deadlines, Observer, Retries, Trip
from opencto.providers.chat_stream import ChatStream
from opencto.providers.errors import ProviderKeyRejected, Upstream, UpstreamProblem
from opencto.providers.report import admin_probe_start, report_of
from opencto.providers.requests import ChatRequest, RealtimeSession, client_secret_body, safety_identifier
from opencto.providers.transport import USER_AGENT, Network, Reply, StreamReply, TransportFailure

OPENAI = "https://api.openai.com/v1"

AnswerT = TypeVar("AnswerT")
_ORGANIZATION_PATH = re.compile(r"organization(/[a-z0-9_-]+)+")


class OpenAI:
    """OpenAI, or a server that speaks its wire, at one base address."""

    def __init__(
        self,
        network: Network,
        base_url: str = OPENAI,
        *,
        clock: Clock | None = None,
        deadlines: Deadlines | None = None,
        caps: Caps | None = None,
        retries: Retries | None = None,
        observe: Observer | None = None,
    ) -> None:
        self._network = network
        self._base = base_url.rstrip("/")
        self._clock = clock or SystemClock()
        self._deadlines = deadlines or Deadlines()
        self._caps = caps or Caps()
        self._retries = retries or Retries()
        self._observe = observe
        self._urls: dict[str, URL] = {}

    # ---- calls

    async def mint_client_secret(
        self, key: Secret | None, session: RealtimeSession, *, ttl_seconds: int, safety_identifier: str | None
    ) -> ClientSecret:
        """A secret for one realtime session, bound to it and to the person. Never repeated once sent. Raises UpstreamProblem."""
        call = Call(
            "realtime.client_secrets",
            "POST",
            "/realtime/client_secrets",
            self._deadlines.mint,
            self._caps.mint,
            body=to_json(client_secret_body(session, ttl_seconds)),
            headers=_safety_header(safety_identifier),
            model=session.model,
        )
        found, _, upstream = await self._exchange(call, key, answers.mint_answer)
        bound = found.session
        return ClientSecret(
            found.value, found.expires_at, bound.id if bound else None, bound.model if bound else None, upstream
        )

    async def list_models(self, key: Secret | None) -> ModelList:
        """Every model that the key reaches. Raises UpstreamProblem."""
        call = Call("models", "GET", "/models", self._deadlines.models, self._caps.models)
        found, reply, upstream = await self._exchange(call, key, answers.models_answer)
        return ModelList(
            tuple(found.data),
            faults.safe_word(reply.headers.get("openai-organization"), key),
            faults.safe_word(reply.headers.get("openai-project"), key),
            upstream,
        )

    async def chat(self, key: Secret | None, request: ChatRequest) -> ChatAnswer:
        """One whole answer. Never repeated once sent. Raises UpstreamProblem."""
        found, _, upstream = await self._exchange(self._chat_call(request, stream=False), key, answers.chat_body)
        return _chat_answer(found, upstream)

    @asynccontextmanager
    async def chat_stream(self, key: Secret | None, request: ChatRequest) -> AsyncGenerator[ChatStream]:
        """One answer as it is made: `async with door.chat_stream(…) as stream: async for chunk in stream: …`.

        Entering raises UpstreamProblem like `chat`; so does the iteration when the stream breaks off, and what came
        before it stands. Leaving, and being cancelled, closes OpenAI's side at once.
        """
        call = self._chat_call(request, stream=True)
        trip = Trip(self._clock, call.operation, key)
        trip.attempts = 1
        problem: UpstreamProblem | None = None
        reply: StreamReply | None = None
        was_cancelled = False
        try:
            async with self._network.stream(
                call.method,
                self._url(call.path),
                self._headers(call, key, trip),
                call.body,
                total_seconds=self._deadlines.stream,
                idle_seconds=self._deadlines.idle,
            ) as reply:
                await self._check_stream(reply, trip.upstream(reply), key, call.model)
                yield ChatStream(reply, trip.upstream, key, self._caps.stream)
        except TransportFailure as failure:
            problem = faults.problem_of_failure(trip.upstream(reply), failure.kind)
            raise problem from failure
        except UpstreamProblem as raised:
            problem = raised
            raise
        except asyncio.CancelledError:
            was_cancelled = True
            raise
        finally:
            self._told(trip.upstream(reply), problem, was_cancelled=was_cancelled)

    async def _check_stream(
        self, reply: StreamReply, upstream: Upstream, key: Secret | None, model: str | None
    ) -> None:
        if reply.status != 200:
            body = await reply.read(self._caps.error)
            raise faults.problem_of_reply(upstream, reply.headers, body, key, model)
        if "text/event-stream" not in reply.headers.get("content-type", "").lower():
            raise faults.garbage(upstream)

    async def admin_get(
        self, key: Secret | None, path: str, params: Mapping[str, str | int | Sequence[str]]
    ) -> OrganizationPage:
        """One page of `organization/…` with an admin key. Lists go out as `name[]=…`. Raises UpstreamProblem."""
        if not _ORGANIZATION_PATH.fullmatch(path):
            raise ValueError("the path of an organization call is organization/… in plain words")
        call = Call(
            path.replace("/", "."),
            "GET",
            f"/{path}{_query(params)}",
            self._deadlines.organization,
            self._caps.organization,
            headers={"Accept-Encoding": "gzip"},
        )
        found, _, upstream = await self._exchange(call, key, answers.page_body)
        return OrganizationPage(tuple(found.data), found.has_more, found.next_page, upstream)

    async def check_key(self, key: Secret) -> KeyReport:
        """What a key is and reaches, at the cost of one or two reads.

        Raises UpstreamProblem when that cannot be found out now; a key that OpenAI refuses is a report, not a problem.
        """
        try:
            found: ModelList | ProviderKeyRejected = await self.list_models(key)
        except ProviderKeyRejected as rejected:
            found = rejected
        reaches_organization = False
        if isinstance(found, ModelList) or not found.is_dead:
            try:
                await self.admin_get(
                    key, "organization/usage/completions", {"start_time": admin_probe_start(self._clock), "limit": 1}
                )
                reaches_organization = True
            except ProviderKeyRejected:
                pass  # what every inference key gets
            except UpstreamProblem:
                if not isinstance(found, ModelList):
                    raise  # the models said nothing either
        return report_of(key, found, reaches_organization=reaches_organization)

    # ---- how a call is made

    def _chat_call(self, request: ChatRequest, *, stream: bool) -> Call:
        return Call(
            "chat.completions",
            "POST",
            "/chat/completions",
            self._deadlines.chat,
            self._caps.chat,
            body=to_json(request.body(stream=stream)),
            headers={"Accept": "text/event-stream"} if stream else None,
            model=request.model,
        )

    async def _exchange(
        self, call: Call, key: Secret | None, shape: TypeAdapter[AnswerT]
    ) -> tuple[AnswerT, Reply, Upstream]:
        """The checked answer of a call that succeeded. Raises UpstreamProblem."""
        trip = Trip(self._clock, call.operation, key)
        try:
            reply = await self._until_deadline(call, key, trip)
            upstream = trip.upstream(reply)
            found = _parsed(shape, reply.body)
            if found is None:
                raise faults.garbage(upstream)
        except UpstreamProblem as problem:
            self._told(problem.upstream, problem)
            raise
        except asyncio.CancelledError:
            self._told(trip.upstream(None), None, was_cancelled=True)
            raise
        self._told(upstream, None)
        return found, reply, upstream

    async def _until_deadline(self, call: Call, key: Secret | None, trip: Trip) -> Reply:
        headers = self._headers(call, key, trip)
        try:
            async with asyncio.timeout(call.total_seconds) as limit:
                while True:
                    outcome, may_repeat = await self._attempt(call, key, headers, trip)
                    if isinstance(outcome, Reply):
                        return outcome
                    pause = self._retries.pause(trip.attempts, outcome.retry_after) if may_repeat else None
                    if pause is None or asyncio.get_running_loop().time() + pause >= (limit.when() or 0.0):
                        raise outcome
                    await asyncio.sleep(pause)
        except TimeoutError as error:
            raise faults.problem_of_failure(trip.upstream(None), "timeout") from error

    async def _attempt(
        self, call: Call, key: Secret | None, headers: Mapping[str, str], trip: Trip
    ) -> tuple[Reply | UpstreamProblem, bool]:
        """The reply, or the problem and whether the call may be made again."""
        trip.attempts += 1
        is_read = call.method == "GET"
        try:
            reply = await self._network.request(
                call.method,
                self._url(call.path),
                headers,
                call.body,
                total_seconds=call.total_seconds,
                max_bytes=call.max_bytes,
            )
        except TransportFailure as failure:
            problem = faults.problem_of_failure(trip.upstream(None), failure.kind)
            return problem, not failure.sent or (is_read and failure.kind == "reset")
        if 200 <= reply.status < 300:
            return reply, False
        problem = faults.problem_of_reply(trip.upstream(reply), reply.headers, reply.body, key, call.model)
        return problem, is_read and _is_passing(reply, problem)

    def _headers(self, call: Call, key: Secret | None, trip: Trip) -> dict[str, str]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        if call.headers:
            headers.update(call.headers)
        if key is not None:
            value = key.reveal()
            if not value or len(value) > 1000 or not value.isascii() or not value.isprintable() or " " in value:
                raise faults.malformed_key(trip.upstream(None))
            headers["Authorization"] = f"Bearer {value}"
        return headers

    def _url(self, path: str) -> URL:
        url = self._urls.get(path)
        if url is None:
            url = URL(self._base + path, encoded=True)
            if "?" not in path:
                self._urls[path] = url
        return url

    def _told(self, upstream: Upstream, problem: UpstreamProblem | None, *, was_cancelled: bool = False) -> None:
        if self._observe is not None:
            self._observe(upstream, "CANCELLED" if was_cancelled else problem.code if problem else None)


def _parsed(shape: TypeAdapter[AnswerT], body: bytes) -> AnswerT | None:
    try:
        return shape.validate_json(body)
    except ValidationError:
        return None  # the caller raises outside of this block, so that no text of theirs hangs on the problem


def _is_passing(reply: Reply, problem: UpstreamProblem) -> bool:
    """Whether the same read may well succeed in a moment. Billing never does by itself."""
    if reply.headers.get("x-should-retry") == "false" or problem.code == "PROVIDER_QUOTA_EXHAUSTED":
        return False
    return reply.status in {408, 429} or reply.status >= 500


def _safety_header(identifier: str | None) -> dict[str, str] | None:
    checked = safety_identifier(identifier)
    return {"OpenAI-Safety-Identifier": checked} if checked is not None else None


def _query(params: Mapping[str, str | int | Sequence[str]]) -> str:
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        if isinstance(value, (str, int)):
            pairs.append((name, str(value)))
        else:
            pairs += [(f"{name}[]", one) for one in value]
    return f"?{urlencode(pairs)}" if pairs else ""


def _chat_answer(found: ChatBody, upstream: Upstream) -> ChatAnswer:
    choice = found.choices[0]
    message: Any = choice.message
    return ChatAnswer(
        found.id,
        found.model,
        message.content or "",
        message.refusal,
        tuple(message.tool_calls or ()),
        choice.finish_reason,
        found.usage,
        upstream,
    )
