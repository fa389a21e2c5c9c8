"""Calls of tools: each runs once, all at once, none for ever, and the talk goes on meanwhile.

received → running → done | failed | timed_out | needs_approval → told to the model. The ledger outlives connections, so a
break neither runs a call again nor loses its output.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from opencto.client.errors import APIConnectionError, APIStatusError, OpenCTOError
from opencto.client.realtime.approvals import ReadApproval, decision
from opencto.client.realtime.events import ToolMoved, ToolState
from opencto.wire.tools import ToolResult

TIMEOUT_SECONDS = 30.0
PATIENCE_SECONDS = 5.0
"""How long an answer waits for the calls that belong to it."""
RETRY_SECONDS = 0.5
MOST_OUTPUT_CHARACTERS = 32_000


class CallTool(Protocol):
    """Runs a tool on the server. The same id runs once, so that a repetition is safe. Raises OpenCTOError."""

    def __call__(self, name: str, arguments: Mapping[str, Any], call_id: str) -> Awaitable[ToolResult]: ...


@dataclass(slots=True)
class _Call:
    call_id: str
    name: str
    arguments: str
    response_id: str
    began: float
    state: ToolState = "running"
    output: str | None = None
    """What the model is told; None while it runs."""
    is_gathered: bool = False
    """The answer does not wait for it any more: what it gives is told when it comes."""
    has_note: bool = False
    """The model was told that it runs still; its output comes as a call of its own."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    gathered: asyncio.Event = field(default_factory=asyncio.Event)
    was_told: bool = False
    """Something was told of it, on some connection."""
    is_decided: bool = False
    """It waited for a person, and its output is what came of that: told as a call of its own."""

    def told(self) -> "Told":
        assert self.output is not None
        if self.is_decided and self.was_told:
            return Told(f"{self.call_id}:decided", self.name, self.output, is_late=True)
        return Told(self.call_id, self.name, self.output, is_late=self.has_note)


@dataclass(frozen=True, slots=True)
class Told:
    """What the model is to be told of a call. `is_late`: it was told before that the call still runs."""

    call_id: str
    name: str
    output: str
    is_late: bool = False


class ToolRunner:
    """`moved` is told each step; `tell` what the model is to know, and says whether there was a connection to tell it."""

    def __init__(
        self,
        call: CallTool,
        *,
        moved: Callable[[ToolMoved], None],
        tell: Callable[[list[Told]], bool],
        measured: Callable[[str, float], None],
        timeout_seconds: float = TIMEOUT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        approval: ReadApproval | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._call = call
        self._moved = moved
        self._tell = tell
        self._measured = measured
        self._timeout = timeout_seconds
        self._patience = patience_seconds
        self._approval = approval
        self._clock = clock
        self._calls: dict[str, _Call] = {}
        self._open: dict[str, list[_Call]] = {}
        """Calls of responses that have not ended."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        """Calls that run, or of which the model was not told yet."""
        return sum(not (call.ended.is_set() and call.is_gathered) for call in self._calls.values())

    @property
    def waiting_since(self) -> float | None:
        """Since when an answer waits for a call; None: none does."""
        return min(
            (call.began for call in self._calls.values() if call.output is None and not call.is_gathered), default=None
        )

    def name_of(self, call_id: str) -> str:
        return self._calls[call_id].name if call_id in self._calls else ""

    def offer(self, call_id: str | None, name: str | None, arguments: str, response_id: str) -> bool:
        """A complete call of the model. False: it is known already."""
        if not call_id or not name or call_id in self._calls:
            return False
        call = _Call(call_id, name, arguments or "{}", response_id, self._clock())
        self._calls[call_id] = call
        self._open.setdefault(response_id, []).append(call)
        self._moved(ToolMoved(call_id=call_id, name=name, state="running"))
        self._start(self._run(call))
        return True

    def response_ended(self, response_id: str) -> None:
        """All its calls are known now: the answer follows when they are through, or when patience ends."""
        calls = self._open.pop(response_id, None)
        if calls:
            self._start(self._gather(calls))

    def cut_off(self) -> None:
        """The connection broke: responses will not end any more, what was asked for still runs."""
        for response_id in list(self._open):
            self.response_ended(response_id)

    def untold(self, told: set[str]) -> list[Told]:
        """What is through and was not confirmed by the server; `told` are the calls whose output was."""
        found: list[Told] = []
        for call in self._calls.values():
            if call.output is None or not call.is_gathered:
                continue
            one = call.told()
            named = output_id(one.call_id, is_late=True) if one.is_late else one.call_id
            if named not in told:
                found.append(one)
                call.was_told = call.was_told or not call.is_decided
        return found

    async def end(self) -> None:
        """Stop what runs; the server finishes what it began."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, call: _Call) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                result = await self._result(call)
        except TimeoutError:
            said = f"{call.name} did not answer within {self._timeout:g} seconds."
            self._end(call, "timed_out", {"error": said}, error=said)
            return
        except asyncio.CancelledError:
            self._moved(ToolMoved(call_id=call.call_id, name=call.name, state="cancelled"))
            raise
        if isinstance(result, str):
            self._end(call, "failed", {"error": result}, error=result)
        elif result.status == "done":
            self._end(call, "done", result.output)
        elif result.status == "needs_approval":
            waits = {
                "status": "needs_approval",
                "approvalId": result.approval_id,
                "wouldDo": result.output,
                "note": "A person must approve this first. Nothing was done yet. Say so, and go on; the result follows by itself.",
            }
            self._end(call, "needs_approval", waits, approval_id=result.approval_id)
            if self._approval is not None and result.approval_id is not None:
                self._start(self._await_decision(call, self._approval, result.approval_id))
        else:
            said = result.error or "It failed."
            self._end(call, "failed", {"error": said, "code": result.code}, error=said)

    async def _await_decision(self, call: _Call, read: ReadApproval, approval_id: str) -> None:
        """The talk goes on meanwhile. What comes of it is told as a call of its own, also after a break."""
        decided = await decision(read, approval_id)
        await call.gathered.wait()  # what is told first comes first
        call.is_decided = True
        self._end(call, decided.state, decided.output, error=decided.error, approval_id=approval_id)

    async def _result(self, call: _Call) -> ToolResult | str:
        """The answer of the server, or why there is none."""
        try:
            arguments: object = json.loads(call.arguments or "{}")
        except ValueError:
            return "The arguments are not JSON. Call it again with a JSON object."
        if not isinstance(arguments, dict):
            return "The arguments are not a JSON object. Call it again with one."
        while True:
            try:
                return await self._call(call.name, cast("dict[str, Any]", arguments), call.call_id)
            except APIStatusError as refused:
                if refused.code != "CALL_IN_PROGRESS" and refused.status < 500:
                    return refused.detail
            except APIConnectionError:
                pass  # the same id runs once: asking again is how the answer is found
            except OpenCTOError as failed:
                return str(failed)
            await asyncio.sleep(RETRY_SECONDS)

    def _end(
        self, call: _Call, state: ToolState, output: Any, *, error: str | None = None, approval_id: str | None = None
    ) -> None:
        text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
        call.state, call.output = state, _bounded(text)
        call.ended.set()
        if not call.is_decided:  # a person's time is not the tool's
            self._measured(call.call_id, self._clock() - call.began)
        self._moved(
            ToolMoved(
                call_id=call.call_id,
                name=call.name,
                state=state,
                output=call.output,
                error=error,
                approval_id=approval_id,
            )
        )
        if call.is_gathered:
            self._tell([call.told()])

    async def _gather(self, calls: list[_Call]) -> None:
        waits = [asyncio.create_task(call.ended.wait()) for call in calls]
        try:
            await asyncio.wait(waits, timeout=self._patience)
        finally:
            for wait in waits:
                wait.cancel()
        late = [call for call in calls if call.output is None]
        note = json.dumps({"status": "running", "note": "It is still running; the result follows by itself."})
        for call in calls:
            call.is_gathered = True
        if self._tell([Told(call.call_id, call.name, call.output or note) for call in calls]):
            for call in calls:
                call.was_told = True
            for call in late:
                call.has_note = True
        for call in calls:
            call.gathered.set()


def output_id(call_id: str, *, is_late: bool = False) -> str:
    """The id of the item that tells the output: the same again after a break, so that it is told once."""
    kind = "late" if is_late else "out"
    return f"{kind}_{hashlib.sha256(call_id.encode()).hexdigest()[:24]}"


def _bounded(text: str) -> str:
    if len(text) <= MOST_OUTPUT_CHARACTERS:
        return text
    return json.dumps({"truncated": True, "beginning": text[: MOST_OUTPUT_CHARACTERS // 2]}, ensure_ascii=False)
