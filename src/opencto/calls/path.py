"""How every call to OpenAI is made, whatever surface makes it.

The order, and why: the key first, because a call that has no key to go with is not counted; then the limit; then the
intent is committed to the ledger, so that a call which OpenAI may have seen is in the books even if the process dies
now; then the door; then what came of it is committed together with the audit event. No transaction is open meanwhile.
"""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from opencto.calls.ports import Limiter
from opencto.core.batch import BatchWriter
from opencto.core.clock import Clock, millis
from opencto.core.problems import NotFound
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.identity.work import Pledge
from opencto.ledger.prices import Tokens
from opencto.ledger.usage import Intent, Ledger, Outcome
from opencto.providers.doors import Doors
from opencto.providers.errors import Upstream, UpstreamProblem
from opencto.providers.openai import OpenAI
from opencto.telemetry.tracing import Operation, Silent, Tracing
from opencto.vault import repository as vault_repository
from opencto.vault.resolve import Destination, Resolver
from opencto.wire.limits import BucketName

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a surface is about to do."""

    surface: str
    bucket: BucketName
    model: str | None
    session_id: str | None = None
    audit: str | None = None
    """The subject of the audit event (`realtime_token` becomes `realtime_token.minted` or `.failed`); None for what is read or said."""
    operation: Operation | None = None
    """What a trace calls it; None where no model works."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the ledger wants to know of an answer."""

    upstream: Upstream
    tokens: Tokens | None = None
    model: str | None = None
    is_free: bool = False


def _nothing() -> Tokens | None:
    return None


@dataclass(slots=True)
class Receipt:
    """How a call is served: whose key, and the headers that tell the caller where they stand."""

    destination: Destination
    door: OpenAI
    headers: Mapping[str, str]
    call_id: str
    intent: Intent
    result: Result | None = None
    answer: tuple[BaseModel, int] | None = None
    """The whole answer and its status, to be remembered under an Idempotency-Key."""
    also: list[Callable[[Connection], None]] = field(default_factory=list[Callable[[Connection], None]])
    """What the surface writes in the transaction of the outcome, however the call ends."""
    estimate: Callable[[], Tokens | None] = _nothing
    """What a call that lasts has used so far, for when it breaks off before its provider counts it."""
    problem: UpstreamProblem | None = None
    broke_with: str | None = None


class CallPath:
    """The path. One per application."""

    def __init__(
        self,
        doors: Doors,
        resolver: Resolver,
        limiter: Limiter,
        writer: BatchWriter,
        ledger: Ledger,
        audit: AuditTrail,
        tracing: Tracing | Silent,
        clock: Clock,
        safety_key: bytes,
    ) -> None:
        self._doors = doors
        self._resolver = resolver
        self._limiter = limiter
        self._writer = writer
        self._ledger = ledger
        self._audit = audit
        self._tracing = tracing
        self._clock = clock
        self._safety_key = safety_key

    def safety_identifier(self, person_id: str) -> str:
        """The person as OpenAI may know them: a keyed hash, the same every time and nobody else's to reverse."""
        return hmac.new(self._safety_key, b"safety identifier\x00" + person_id.encode(), hashlib.sha256).hexdigest()

    async def call(
        self,
        who: WorkspaceCaller,
        plan: Plan,
        run: Callable[[OpenAI, Destination], Awaitable[AnswerT]],
        describe: Callable[[AnswerT], Result],
        *,
        destination: Destination | None = None,
        counted: Mapping[str, str] | None = None,
    ) -> tuple[AnswerT, Receipt]:
        """Make one call that needs nothing more. Raises what the resolver, the limiter or the door raise; the ledger knows either way."""
        async with self.begun(who, plan, destination=destination, counted=counted) as receipt:
            answer = await run(receipt.door, receipt.destination)
            receipt.result = describe(answer)
        return answer, receipt

    @asynccontextmanager
    async def begun(
        self,
        who: WorkspaceCaller,
        plan: Plan,
        pledge: Pledge | None = None,
        *,
        destination: Destination | None = None,
        counted: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[Receipt]:
        """Everything before the door, the caller's own block, and everything after it.

        A surface that answers from memory where it can has found the `destination` and `counted` the call already (the
        headers are what the limiter gave) and says so here; both stand for the same caller.

        The block sets `receipt.result` when it has one, and `receipt.answer` when it holds a pledge. A problem from the
        door is written down and passes on. Raises NotFound when the workspace has just been deleted.
        """
        receipt = await self._begin(who, plan, pledge, destination, counted)
        begun = self._clock.monotonic()
        with self._spanned(plan, receipt):
            try:
                yield receipt
            except UpstreamProblem as problem:
                receipt.problem = problem
                # Our own limit was counted, whatever OpenAI said; only its own 429 speaks of its own limit.
                problem.headers = {**receipt.headers, **problem.headers}
                await self._finish(who, plan, receipt, begun, pledge)
                raise
            except (asyncio.CancelledError, GeneratorExit):
                # The caller hung up. What OpenAI did is not known; what it told so far is kept, and nobody waits for the disk.
                receipt.broke_with = "CALLER_LEFT"
                await asyncio.shield(self._finish(who, plan, receipt, begun, pledge))
                raise
            except Exception:
                receipt.broke_with = "UNEXPECTED_ERROR"
                await self._finish(who, plan, receipt, begun, pledge)
                raise
            await self._finish(who, plan, receipt, begun, pledge)

    async def _begin(
        self,
        who: WorkspaceCaller,
        plan: Plan,
        pledge: Pledge | None,
        destination: Destination | None,
        counted: Mapping[str, str] | None,
    ) -> Receipt:
        if destination is None:
            destination = await self._resolver.inference(who.workspace_id, who.person_id)
        headers = await self._limiter.take(who, plan.bucket) if counted is None else counted
        intent = Intent(
            who.workspace_id,
            who.person_id,
            plan.surface,
            plan.model,
            destination.source,
            destination.key_id,
            who.origin.request_id,
            plan.session_id,
        )

        def write(tx: Connection) -> str:
            if pledge is not None:
                pledge.claim(tx)
            return self._ledger.begin(tx, intent)

        try:
            # Nobody waits for the disk before OpenAI is asked: a killed server has the intent, and a power cut between here
            # and the end of the call leaves OpenAI's own bill. A pledge promises that it is not done twice: it is flushed.
            call_id = await self._writer.write(write, flushed=pledge is not None)
        except IntegrityError:
            raise NotFound from None  # the workspace was deleted since the caller was let in
        return Receipt(destination, self._doors.to(destination.base_url), headers, call_id, intent)

    async def _finish(
        self, who: WorkspaceCaller, plan: Plan, receipt: Receipt, begun: float, pledge: Pledge | None
    ) -> None:
        outcome = _outcome(receipt, round((self._clock.monotonic() - begun) * 1000))
        cost = (
            await asyncio.to_thread(self._ledger.price, receipt.intent, outcome)
            if outcome.tokens
            else self._ledger.price(receipt.intent, outcome)
        )

        def write(tx: Connection) -> None:
            self._record(tx, who, receipt, outcome, cost)
            if pledge is not None and receipt.answer is not None and outcome.is_done:
                pledge.settle(tx, *receipt.answer)
            elif pledge is not None:
                pledge.release(tx)
            if plan.audit is not None:  # last: on PostgreSQL it holds the end of the trail until the commit
                self._audit.record(tx, _event(who, plan, receipt, outcome))

        await self._writer.write(write)

    def _record(
        self, tx: Connection, who: WorkspaceCaller, receipt: Receipt, outcome: Outcome, cost: Decimal | None
    ) -> None:
        self._ledger.finish(tx, receipt.call_id, receipt.intent, outcome, cost)
        if receipt.destination.key_id is not None:
            vault_repository.note_use(tx, receipt.destination.key_id, who.person_id, millis(self._clock.now()))
        for write in receipt.also:
            write(tx)

    @contextmanager
    def _spanned(self, plan: Plan, receipt: Receipt) -> Generator[None]:
        """A span around the work of a model, where one works."""
        if plan.operation is None or plan.model is None:
            yield
            return
        with self._tracing.model_call(plan.operation, plan.model) as span:
            try:
                yield
            finally:
                if receipt.result is not None:
                    tokens = receipt.result.tokens
                    span.answered(
                        model=receipt.result.model,
                        input_tokens=tokens.input if tokens else None,
                        cached_tokens=tokens.cached_input if tokens else None,
                        output_tokens=tokens.output if tokens else None,
                    )


def _outcome(receipt: Receipt, latency_ms: int) -> Outcome:
    problem, result = receipt.problem, receipt.result
    upstream = problem.upstream if problem else (result.upstream if result else None)
    is_done = problem is None and receipt.broke_with is None and result is not None
    estimate = None if result else receipt.estimate()
    code = problem.code if problem else receipt.broke_with
    return Outcome(
        is_done=is_done,
        latency_ms=latency_ms,
        code=code,
        upstream_status=upstream.status if upstream else None,
        upstream_request_id=upstream.request_id if upstream else None,
        tokens=result.tokens if result else estimate,
        is_estimate=estimate is not None,
        model=result.model if result else None,
        is_free=is_done and result is not None and result.is_free,
    )


def _event(who: WorkspaceCaller, plan: Plan, receipt: Receipt, outcome: Outcome) -> AuditEvent:
    action = f"{plan.audit}.{'minted' if outcome.is_done else 'failed'}"
    details = {
        "model": outcome.model or plan.model,
        "keySource": receipt.destination.source,
        "sessionId": plan.session_id,
        "code": outcome.code,
    }
    return AuditEvent.by(who.caller, action, "call", receipt.call_id, workspace_id=who.workspace_id, **details)
