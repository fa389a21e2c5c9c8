"""The gate at its door: `GET /api/v1/tools` and `POST /api/v1/tools/{name}`, with tools of the test's own."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from pydantic import Field
from sqlalchemy import func, select, update

from identity.world import Actor, World, build_world
from opencto.core.problems import Conflict, Invalid
from opencto.identity.caller import Caller, Origin, WorkspaceCaller
from opencto.testing import ManualClock
from opencto.tools.contract import Arguments, Tool
from opencto.tools.gate import MOST_OUTPUT_BYTES, Gate, bounded
from opencto.tools.registry import Registry
from opencto.tools.tables import tool_calls
from opencto.wire.identity import Role, Scope
from opencto.wire.tools import ToolCall

pytestmark = pytest.mark.anyio
SECRET = "sk-proj-0123456789abcdefghijklmnop"


class Said(Arguments):
    text: str = Field(max_length=40_000)
    times: int = 1


class Nothing(Arguments):
    pass


class Bench:
    """Tools that do what a test needs, and how often each ran."""

    def __init__(self, app: FastAPI, world: World, client: httpx2.AsyncClient) -> None:
        self.world, self.client, self.app = world, client, app
        self.ran: list[str] = []
        self.output: Any = None
        self.may_end = asyncio.Event()
        self.has_begun = asyncio.Event()
        self.use(dry_run=True)

    def use(self, *, dry_run: bool) -> None:
        house = self.world.house
        tools: list[Tool[Any]] = [
            Tool("echo", "Say it again.", Said, self.echo, "reads"),
            Tool("give", "Give what the test wants.", Nothing, self.give, "reads", Role.MEMBER, ("chat",)),
            Tool("wait", "Wait.", Nothing, self.wait, "reads"),
            Tool("sleep", "Take too long.", Nothing, self.sleep, "reads", timeout_seconds=0.01),
            Tool("lag", "Meet a time-out of its own.", Nothing, self.lag, "reads"),
            Tool("refuse", "Refuse.", Nothing, self.refuse, "reads"),
            Tool("crash", "Break.", Nothing, self.crash, "reads"),
            Tool("deploy", "Change the world.", Said, self.echo, "changes"),
        ]
        desk = self.app.state.desk
        self.gate = Gate(Registry(tools), house.database, house.clock, house.audit, desk.fingerprint, dry_run=dry_run)
        self.app.state.tools = self.gate

    async def echo(self, who: WorkspaceCaller, asked: Said) -> dict[str, Any]:
        self.ran.append(asked.text)
        return {"said": asked.text * asked.times, "by": who.caller.person_name}

    async def give(self, _who: WorkspaceCaller, _asked: Nothing) -> Any:
        return self.output

    async def wait(self, _who: WorkspaceCaller, _asked: Nothing) -> str:
        self.ran.append("wait")
        self.has_begun.set()
        await self.may_end.wait()
        return "over"

    async def sleep(self, _who: WorkspaceCaller, _asked: Nothing) -> None:
        await asyncio.Event().wait()

    async def lag(self, _who: WorkspaceCaller, _asked: Nothing) -> None:
        raise TimeoutError(SECRET)

    async def refuse(self, _who: WorkspaceCaller, _asked: Nothing) -> None:
        raise Conflict(f"not with {SECRET}")

    async def crash(self, _who: WorkspaceCaller, _asked: Nothing) -> None:
        raise RuntimeError(SECRET)

    async def call(
        self, name: str, who: Actor | None = None, call_id: str = "call_1", **arguments: Any
    ) -> httpx2.Response:
        body = {"callId": call_id, "arguments": arguments}
        with anyio.fail_after(20):
            return await self.client.post(f"/api/v1/tools/{name}", json=body, headers=(who or self.world.carol).bearer)

    async def audit(self) -> list[dict[str, Any]]:
        answer = await self.client.get("/api/v1/audit", headers=self.world.ada.bearer)
        return [one for one in answer.json()["data"] if one["action"].startswith("tool.")]

    def leave_behind(self) -> None:
        """As a process does that is killed while a call runs."""
        with self.world.house.database.write() as tx:
            tx.execute(update(tool_calls).values(status="running", answer=None, ended_at=None))

    def rows(self) -> int:
        with self.world.house.database.read() as tx:
            return tx.execute(select(func.count()).select_from(tool_calls)).scalar_one()


@pytest.fixture
def bench(app: FastAPI, client: httpx2.AsyncClient) -> Bench:
    return Bench(app, build_world(app), client)


def result(call_id: str = "call_1", **more: Any) -> dict[str, Any]:
    return {
        "callId": call_id,
        "status": "done",
        "output": None,
        "error": None,
        "code": None,
        "approvalId": None,
        **more,
    }


async def test_a_tool_runs_and_the_audit_trail_knows(bench: Bench) -> None:
    answer = await bench.call("echo", text="hello")
    assert (answer.status_code, answer.json()) == (200, result(output={"said": "hello", "by": "Carol"}))
    (event,) = await bench.audit()
    assert (event["action"], event["targetId"]) == ("tool.ran", "echo")
    assert event["details"]["call"].startswith("tc_")
    assert (event["details"]["risk"], event["details"]["call_id"]) == ("reads", "call_1")


async def test_wrong_arguments_are_named_and_nothing_runs(bench: Bench) -> None:
    body = (await bench.call("echo", text="hi", times="often", more=1)).json()
    assert (body["status"], body["code"], body["output"]) == ("failed", "INVALID_ARGUMENTS", None)
    assert "times: Input should be a valid integer" in body["error"]
    assert "more: Extra inputs are not permitted" in body["error"]
    assert bench.ran == []
    (event,) = await bench.audit()
    assert (event["action"], event["details"]["code"]) == ("tool.failed", "INVALID_ARGUMENTS")


async def test_the_same_call_runs_once_and_answers_the_same(bench: Bench) -> None:
    first = await bench.call("echo", text="once")
    again = await bench.call("echo", text="once")
    assert first.json() == again.json()
    assert bench.ran == ["once"]
    assert len(await bench.audit()) == 1


@pytest.mark.parametrize(("name", "text"), [("echo", "other"), ("deploy", "once")])
async def test_another_call_under_the_same_id_is_refused(bench: Bench, name: str, text: str) -> None:
    await bench.call("echo", text="once")
    refused = await bench.call(name, text=text)
    assert (refused.status_code, refused.json()["code"]) == (409, "CALL_ID_MISMATCH")
    assert bench.ran == ["once"]


async def test_the_id_is_the_persons_own(bench: Bench) -> None:
    await bench.call("echo", bench.world.carol, text="hers")
    body = (await bench.call("echo", bench.world.zoe, text="mine")).json()
    assert body["output"] == {"said": "mine", "by": "Zoe"}


async def test_a_call_under_way_is_waited_for_and_one_alone_runs(bench: Bench) -> None:
    first = asyncio.ensure_future(bench.call("wait"))
    with anyio.fail_after(10):
        await bench.has_begun.wait()
    second = await bench.call("wait")
    assert (second.status_code, second.json()["code"]) == (409, "CALL_IN_PROGRESS")
    assert second.headers["Retry-After"] == "2"
    bench.may_end.set()
    assert (await first).json()["output"] == "over"
    assert (await bench.call("wait")).json()["output"] == "over"
    assert bench.ran == ["wait"]


async def test_a_read_that_a_dead_process_left_behind_is_made_again(bench: Bench, clock: ManualClock) -> None:
    await bench.call("echo", text="lost")
    bench.leave_behind()
    assert (await bench.call("echo", text="lost")).json()["code"] == "CALL_IN_PROGRESS"
    clock.advance(31)
    assert (await bench.call("echo", text="lost")).json()["status"] == "done"
    assert bench.ran == ["lost", "lost"]
    assert bench.rows() == 1


async def test_of_a_change_that_a_dead_process_left_behind_nobody_knows_the_end(
    bench: Bench, clock: ManualClock
) -> None:
    await bench.call("deploy", text="it")
    bench.leave_behind()
    clock.advance(31)
    lost, again = await bench.call("deploy", text="it"), await bench.call("deploy", text="it")
    assert (lost.json()["status"], lost.json()["code"]) == ("failed", "OUTCOME_UNKNOWN")
    assert again.json() == lost.json()
    assert bench.ran == []
    assert (await bench.audit())[0]["details"]["code"] == "OUTCOME_UNKNOWN"


async def test_whoever_was_given_up_does_not_speak_over_its_successor(bench: Bench, clock: ManualClock) -> None:
    first = asyncio.ensure_future(bench.call("wait"))
    with anyio.fail_after(10):
        await bench.has_begun.wait()
    clock.advance(31)
    bench.has_begun.clear()
    second = asyncio.ensure_future(bench.call("wait"))
    with anyio.fail_after(10):
        await bench.has_begun.wait()
    bench.may_end.set()
    found = [await first, await second]
    assert sorted(one.status_code for one in found) == [200, 409]
    assert len(await bench.audit()) == 1


@pytest.mark.parametrize(("dry_run", "code"), [(True, "DRY_RUN"), (False, "APPROVAL_UNAVAILABLE")])
async def test_what_changes_the_world_does_not_run(bench: Bench, dry_run: bool, code: str) -> None:
    bench.use(dry_run=dry_run)
    body = (await bench.call("deploy", text="it")).json()
    assert (body["status"], body["code"]) == ("failed", code)
    assert "Nothing was changed" in body["error"]
    assert bench.ran == []


async def test_what_goes_wrong_is_an_answer_without_anything_secret(bench: Bench) -> None:
    codes = {"sleep": "TIMED_OUT", "lag": "UNEXPECTED", "refuse": "CONFLICT", "crash": "UNEXPECTED"}
    for name, code in codes.items():
        answer = await bench.call(name, call_id=name)
        assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (200, "failed", code)
        assert SECRET not in answer.text
    bench.output = {1, 2}
    assert (await bench.call("give")).json()["code"] == "UNEXPECTED"


async def test_secrets_do_not_leave_in_an_output(bench: Bench) -> None:
    bench.output = {
        "note": f"use {SECRET}",
        SECRET: 1,
        "password": "hunter2",
        "list": [SECRET, None, True, 1.5],
        "tokens": 3,
        "half": "\ud800",
    }
    answer = await bench.call("give")
    assert answer.json()["output"] == {
        "note": "use sk-proj-***",
        "sk-proj-***": 1,
        "password": "***",
        "list": ["sk-proj-***", None, True, 1.5],
        "tokens": 3,
        "half": "?",
    }
    with bench.world.house.database.read() as tx:
        assert SECRET not in str(tx.execute(select(tool_calls.c.answer)).scalars().all())


@pytest.mark.parametrize("text", ["a", '"', "ä"])
def test_what_is_too_long_is_cut_and_says_so(text: str) -> None:
    output = [text * 15_000] * 4
    cut = bounded(output)
    written = json.dumps(cut, ensure_ascii=False, separators=(",", ":")).encode()
    assert MOST_OUTPUT_BYTES - 8 < len(written) <= MOST_OUTPUT_BYTES
    assert cut["truncated"] is True
    assert cut["totalBytes"] > MOST_OUTPUT_BYTES
    assert bounded("short") == "short"


async def test_a_long_output_arrives_cut(bench: Bench) -> None:
    bench.output = ["many words "] * 4_000
    assert (await bench.call("give")).json()["output"]["truncated"] is True


async def test_a_viewer_sees_and_calls_what_a_viewer_may(bench: Bench) -> None:
    vic, carol = bench.world.vic, bench.world.carol
    listed = (await bench.client.get("/api/v1/tools", headers=vic.bearer)).json()["data"]
    assert [one["name"] for one in listed] == ["crash", "deploy", "echo", "lag", "refuse", "sleep", "wait"]
    assert [set(one) for one in listed] == [{"name", "description", "parameters", "risk", "surfaces"}] * 7
    assert (await bench.call("give", vic)).json()["code"] == "FORBIDDEN"
    assert (await bench.call("give", carol)).status_code == 200
    assert bench.rows() == 1
    who = WorkspaceCaller(await caller_of(bench, carol), bench.world.acme.id, "acme", Role.MEMBER)
    given = [one.name for one in bench.gate.registry.for_realtime(who)]
    assert given == ["crash", "deploy", "echo", "lag", "refuse", "sleep", "wait"]
    narrow = replace(who, caller=replace(who.caller, scopes=frozenset({Scope.REALTIME})))
    assert bench.gate.registry.for_realtime(narrow) == ()


async def caller_of(bench: Bench, actor: Actor) -> Caller:
    """The caller as the guard makes it."""
    found = await bench.app.state.gatekeeper.authenticator.token(actor.token, Origin("127.0.0.1", "test", "req_1"))
    assert found is not None
    return found


async def test_a_foreign_workspace_an_unknown_tool_and_a_narrow_token(bench: Bench) -> None:
    world, client = bench.world, bench.client
    body = {"callId": "c", "arguments": {"text": "x"}, "workspaceId": world.beta.id}
    foreign = await client.post("/api/v1/tools/echo", json=body, headers=world.carol.bearer)
    unknown = await bench.call("sing")
    assert [(one.status_code, one.json()["code"]) for one in (foreign, unknown)] == [(404, "NOT_FOUND")] * 2
    narrow = world.bearer(world.carol, Scope.OPENAI_READ)
    assert (await client.get("/api/v1/tools", headers=narrow)).status_code == 403
    assert bench.ran == []


async def test_arguments_nested_beyond_reason_are_refused(bench: Bench) -> None:
    deep: Any = {}
    for _ in range(5_000):
        deep = {"a": deep}
    who = WorkspaceCaller(await caller_of(bench, bench.world.carol), bench.world.acme.id, "acme", Role.MEMBER)
    with pytest.raises(Invalid, match="arguments: must not be nested that deeply"):
        await bench.gate.call(who, "echo", ToolCall.model_construct(call_id="call_1", arguments=deep))


async def test_old_calls_are_forgotten(bench: Bench, clock: ManualClock) -> None:
    await bench.call("echo", text="old")
    assert bench.gate.forget_old() == 0
    clock.advance(31 * 86_400)
    assert bench.gate.forget_old() == 1
    assert bench.rows() == 0
