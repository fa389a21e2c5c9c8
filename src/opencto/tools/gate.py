"""The gate: the only thing that decides whether a tool runs, for voice, chat and incidents alike.

    role → once per callId → arguments → risk → run, within its time → scrubbed and bounded → stored, with its audit event
                                              └→ plan → a request that a person decides on (`approvals.py` goes on from there)
A call is written down before it runs. One that a dead process left behind is begun again if it only reads; of one that
changes something nobody knows how it ended, and that is its answer.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import ValidationError
from sqlalchemy import Connection

from opencto.core.clock import Clock, millis
from opencto.core.database import Database
from opencto.core.ids import new_id
from opencto.core.problems import Forbidden, Invalid, Problem
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.telemetry import log
from opencto.telemetry.scrub import MASK, is_secret_name, scrub
from opencto.tools import approvals_repository, repository
from opencto.tools.approvals_repository import Request
from opencto.tools.contract import Arguments, Plan, Tool
from opencto.tools.errors import CallIdMismatch, CallInProgress
from opencto.tools.registry import Registry
from opencto.tools.repository import Begun, Known
from opencto.wire.tools import ToolCall, ToolResult

MOST_OUTPUT_BYTES = 32 * 1024
GRACE_SECONDS = 10.0
"""How long after its time-out a call without an end counts as under way."""
KEPT_DAYS = 30
_DAY_MILLIS = 86_400_000


_ACTIONS = {"done": "tool.ran", "failed": "tool.failed", "needs_approval": "approval.requested"}

ResultT = TypeVar("ResultT")


class Refused(Exception):  # noqa: N818 - a decision, not an error
    """The tool does not run, and why."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(said)
        self.code, self.said = code, said


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The right to run a call, held until its deadline."""

    id: str
    deadline_at: int


class Gate:
    """One per application."""

    def __init__(
        self,
        registry: Registry,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        fingerprint: Callable[[str], bytes],
        *,
        dry_run: bool = True,
        approval_minutes: int = 15,
    ) -> None:
        """`fingerprint` tells two calls apart and is keyed, because arguments may be private."""
        self._approval_minutes = approval_minutes
        self.registry = registry
        self._database = database
        self._clock = clock
        self._audit = audit
        self._fingerprint = fingerprint
        self._dry_run = dry_run

    async def call(self, who: WorkspaceCaller, name: str, asked: ToolCall) -> ToolResult:
        """The answer, fresh or stored. Raises ToolNotFound, Forbidden, CallIdMismatch and CallInProgress."""
        tool = self.registry.named(name)
        if not who.role.at_least(tool.role):
            raise Forbidden(
                f"{tool.name} needs the role {tool.role.value} in the workspace; yours is {who.role.value}. An owner can change it."
            )
        found = await asyncio.to_thread(self._begin, who, tool, asked, self._hash(tool, asked.arguments))
        if isinstance(found, ToolResult):
            return found
        if tool.risk != "reads" and tool.plan is not None and not self._dry_run:
            result, request = await self._planned(who, tool, asked)
        else:
            result, request = await self._result(who, tool, asked), None
        return await asyncio.to_thread(self._end, who, tool, asked, found, result, request)

    def forget_old(self) -> int:
        """Drop the calls of more than 30 days ago; how many."""
        with self._database.write() as tx:
            return repository.forget_before(tx, self._now() - KEPT_DAYS * _DAY_MILLIS)

    def _now(self) -> int:
        return millis(self._clock.now())

    def _hash(self, tool: Tool[Any], arguments: Mapping[str, Any]) -> bytes:
        try:
            return self._fingerprint(f"tool {tool.name}\n{json.dumps(arguments, sort_keys=True)}")
        except RecursionError:
            raise Invalid.field("arguments", "must not be nested that deeply") from None

    def _begin(
        self, who: WorkspaceCaller, tool: Tool[Any], asked: ToolCall, request_hash: bytes
    ) -> "_Attempt | ToolResult":
        now = self._now()
        deadline_at = now + int((tool.timeout_seconds + GRACE_SECONDS) * 1000)
        call = Begun(
            id=new_id("tc"),
            workspace_id=who.workspace_id,
            person_id=who.person_id,
            call_id=asked.call_id,
            session_id=asked.session_id,
            tool=tool.name,
            request_hash=request_hash,
            begun_at=now,
            deadline_at=deadline_at,
        )
        with self._database.write() as tx:
            if repository.begin(tx, call):
                return _Attempt(call.id, deadline_at)
            known = repository.known(tx, who.workspace_id, who.person_id, asked.call_id)
            if known.request_hash != request_hash:
                raise CallIdMismatch
            if known.answer is not None:
                return ToolResult.model_validate_json(known.answer)
            if now < known.deadline_at:
                raise CallInProgress
            if tool.risk != "reads" and tool.plan is None:
                return self._lost(tx, who, tool, asked, known)
            repository.begin_again(tx, known, deadline_at)
            return _Attempt(known.id, deadline_at)

    def _lost(self, tx: Connection, who: WorkspaceCaller, tool: Tool[Any], asked: ToolCall, known: Known) -> ToolResult:
        result = _failed(
            asked,
            "OUTCOME_UNKNOWN",
            "The server stopped while this ran, and nobody knows whether it took effect. Look before you try again with a fresh callId.",
        )
        self._store(tx, who, tool, asked, _Attempt(known.id, known.deadline_at), result)
        return result

    async def _result(self, who: WorkspaceCaller, tool: Tool[Any], asked: ToolCall) -> ToolResult:
        try:
            arguments = checked(tool, asked.arguments)
            self._check_risk(tool)
            output = bounded(cleaned(await run_within(tool, who, arguments)))
        except Refused as refused:
            return _failed(asked, refused.code, refused.said)
        except Problem as problem:
            return _failed(asked, problem.code, scrub(problem.detail))
        except Exception as error:  # noqa: BLE001 - the edge: whatever a tool does, the conversation goes on
            log.get("tools").error("tool_failed_unexpectedly", tool=tool.name, exc_info=error)
            return _failed(
                asked, "UNEXPECTED", "The tool met an unexpected error. The log of the server has the details."
            )
        return ToolResult(call_id=asked.call_id, status="done", output=output)

    async def _planned(
        self, who: WorkspaceCaller, tool: Tool[Any], asked: ToolCall
    ) -> tuple[ToolResult, Request | None]:
        """What the call would do, and the request for a person's yes to it. Nothing runs here."""
        try:
            arguments = checked(tool, asked.arguments)
            if _holds_secret(asked.arguments):
                raise Refused(
                    "SECRET_IN_ARGUMENTS", "What looks like a secret may not be part of a change: it would be shown."
                )
            plan = await plan_within(tool, who, arguments)
        except Refused as refused:
            return _failed(asked, refused.code, refused.said), None
        except Problem as problem:
            return _failed(asked, problem.code, scrub(problem.detail)), None
        except Exception as error:  # noqa: BLE001 - the edge: whatever a tool does, the conversation goes on
            log.get("tools").error("tool_failed_unexpectedly", tool=tool.name, exc_info=error)
            return _failed(
                asked, "UNEXPECTED", "The tool met an unexpected error. The log of the server has the details."
            ), None
        now = self._now()
        written = json.dumps(asked.arguments, sort_keys=True)
        request = Request(
            id=new_id("ap"),
            workspace_id=who.workspace_id,
            person_id=who.person_id,
            tool=tool.name,
            risk=tool.risk,
            arguments=written,
            binding=self._fingerprint(binding_text(tool.name, who.workspace_id, written)),
            effect=scrub(plan.effect),
            precondition=plan.precondition,
            approver_role=tool.approver.value,
            surface="voice" if asked.session_id else "api",
            session_id=asked.session_id,
            call_id=asked.call_id,
            created_at=now,
            expires_at=now + self._approval_minutes * 60_000,
        )
        output = {"effect": request.effect, "approver": request.approver_role, "minutes": self._approval_minutes}
        result = ToolResult(call_id=asked.call_id, status="needs_approval", output=output, approval_id=request.id)
        return result, request

    def _check_risk(self, tool: Tool[Any]) -> None:
        """What changes the world and cannot say beforehand what it would do never runs."""
        if tool.risk == "reads":
            return
        if self._dry_run:
            raise Refused("DRY_RUN", f"Dry run: {tool.name} would run with these arguments. Nothing was changed.")
        raise Refused(
            "APPROVAL_UNAVAILABLE",
            f"{tool.name} cannot say what it would do, so nobody can approve it. Nothing was changed.",
        )

    def _end(
        self,
        who: WorkspaceCaller,
        tool: Tool[Any],
        asked: ToolCall,
        attempt: _Attempt,
        result: ToolResult,
        request: Request | None,
    ) -> ToolResult:
        with self._database.write() as tx:
            if request is not None:
                approvals_repository.add(tx, request)
            if not self._store(tx, who, tool, asked, attempt, result):
                raise CallInProgress  # it took so long that another request began it anew
        return result

    def _store(
        self,
        tx: Connection,
        who: WorkspaceCaller,
        tool: Tool[Any],
        asked: ToolCall,
        attempt: _Attempt,
        result: ToolResult,
    ) -> bool:
        answer = result.model_dump_json()
        if not repository.end(tx, attempt.id, attempt.deadline_at, result.status, answer, self._now()):
            return False
        self._audit.record(
            tx,
            AuditEvent.by(
                who.caller,
                _ACTIONS[result.status],
                "approval" if result.approval_id else "tool",
                result.approval_id or tool.name,
                workspace_id=who.workspace_id,
                call=attempt.id,
                call_id=asked.call_id,
                session_id=asked.session_id,
                risk=tool.risk,
                tool=tool.name,
                code=result.code,
            ),
        )
        return True


async def run_within(tool: Tool[Any], who: WorkspaceCaller, arguments: Arguments) -> Any:
    said = f"{tool.name} did not end within {tool.timeout_seconds:g} seconds and was stopped."
    return await _within(tool, tool.run(who, arguments), said)


async def plan_within(tool: Tool[Any], who: WorkspaceCaller, arguments: Arguments) -> Plan:
    """What it would do. Raises Refused when saying so takes too long."""
    assert tool.plan is not None
    return await _within(tool, tool.plan(who, arguments), f"{tool.name} did not say in time what it would do.")


async def _within(tool: Tool[Any], work: Awaitable[ResultT], said: str) -> ResultT:
    window = asyncio.timeout(tool.timeout_seconds)
    try:
        async with window:
            return await work
    except TimeoutError:
        if not window.expired():
            raise  # the tool's own
        raise Refused("TIMED_OUT", said) from None


def binding_text(tool: str, workspace_id: str, arguments: str) -> str:
    """What a yes is bound to."""
    return f"approval {tool}\n{workspace_id}\n{arguments}"


def _failed(asked: ToolCall, code: str, said: str) -> ToolResult:
    return ToolResult(call_id=asked.call_id, status="failed", error=said, code=code)


def checked(tool: Tool[Any], arguments: Mapping[str, Any]) -> Arguments:
    try:
        return tool.arguments.model_validate(arguments)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False, include_context=False)
    said = "; ".join(
        f"{'.'.join(str(part) for part in one['loc']) or 'arguments'}: {one['msg'].removeprefix('Value error, ')}"
        for one in mistakes[:3]
    )
    raise Refused("INVALID_ARGUMENTS", scrub(f"{said}. Correct the arguments and call again with a fresh callId."))


def cleaned(output: Any) -> Any:
    """Plain JSON without anything that looks like a credential or is called like one. Raises for what is no JSON."""
    return _clean(json.loads(json.dumps(output, allow_nan=False)))


def _clean(value: Any, name: str = "") -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if name and is_secret_name(name):
        return MASK
    if isinstance(value, str):
        return scrub(value.encode(errors="replace").decode())
    if isinstance(value, list):
        return [_clean(one) for one in cast("list[Any]", value)]
    items = cast("dict[str, Any]", value).items()
    return {scrub(key.encode(errors="replace").decode()): _clean(one, key) for key, one in items}


def _holds_secret(value: Any) -> bool:
    """By its look alone: an argument may be called `token` and hold the name of one."""
    if isinstance(value, str):
        return scrub(value) != value
    if isinstance(value, list):
        return any(_holds_secret(one) for one in cast("list[Any]", value))
    if isinstance(value, dict):
        return any(_holds_secret(one) for pair in cast("dict[str, Any]", value).items() for one in pair)
    return False


def bounded(output: Any) -> Any:
    """The output, or, of one over 32 KiB, its beginning, marked as such."""
    text = _written(output)
    if len(text) <= MOST_OUTPUT_BYTES:
        return output
    fits, too_many = 0, MOST_OUTPUT_BYTES
    while too_many - fits > 1:  # quotes within are escaped once more, so that only writing it tells how long it gets
        half = (fits + too_many) // 2
        fits, too_many = (half, too_many) if len(_written(_cut(text, half))) <= MOST_OUTPUT_BYTES else (fits, half)
    return _cut(text, fits)


def _cut(text: bytes, kept_bytes: int) -> dict[str, Any]:
    return {"truncated": True, "totalBytes": len(text), "beginning": text[:kept_bytes].decode(errors="ignore")}


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
