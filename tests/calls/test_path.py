"""The one path to OpenAI where no route leads: what breaks inside, who is cancelled, and a workspace that goes meanwhile."""

import asyncio

import pytest
from sqlalchemy import Connection, delete

from opencto.calls.path import CallPath, Plan, Receipt, Result
from opencto.core.problems import NotFound
from opencto.identity.caller import Belongs, Caller, Origin, WorkspaceCaller
from opencto.identity.tables import workspaces
from opencto.ledger.prices import Tokens
from opencto.providers.answers import ModelList
from opencto.testing import RunningSandbox
from opencto.wire.identity import Role, Scope
from surface import Surface

pytestmark = pytest.mark.anyio
PLAN = Plan("voice_respond", "voice_respond", "gpt-6-luna", audit="test_call", operation="chat")


def carol(surface: Surface) -> WorkspaceCaller:
    acme, person = surface.world.acme, surface.world.carol
    belongs = Belongs(acme.id, acme.slug, Role.MEMBER)
    origin = Origin("127.0.0.1", "test", "req_test")
    who = Caller(person.id, person.name, False, "session", "ses_1", frozenset({Scope.ALL}), None, (belongs,), origin)
    return who.in_workspace(None, Role.MEMBER)


def path_of(surface: Surface) -> CallPath:
    return surface.app.state.path


async def test_a_call_that_needs_nothing_more_is_one_line(surface: Surface, sandbox: RunningSandbox) -> None:
    def describe(found: ModelList) -> Result:
        return Result(found.upstream, is_free=True)

    found, receipt = await path_of(surface).call(
        carol(surface), PLAN, lambda door, destination: door.list_models(destination.key), describe
    )
    assert len(found.models) > 5
    assert receipt.destination.source == "server"
    assert receipt.headers["RateLimit"].startswith('"voice_respond";r=59')
    call = await surface.call()
    assert (call["id"], call["status"], call["cost"]) == (receipt.call_id, "done", "0")
    assert len(await surface.audit("test_call.minted")) == 1
    assert len(sandbox.requests) == 1


async def test_a_mistake_of_ours_in_the_middle_is_in_the_books_and_passes_on(surface: Surface) -> None:
    async def break_off() -> None:
        async with path_of(surface).begun(carol(surface), PLAN) as receipt:
            receipt.estimate = lambda: Tokens(input=1000, output=10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    call = await surface.call()
    assert (call["status"], call["code"], call["isEstimate"]) == ("failed", "UNEXPECTED_ERROR", True)
    assert (call["inputTokens"], call["outputTokens"], call["cost"]) == (1000, 10, "0.000105")
    (event,) = await surface.audit("test_call.failed")
    assert event["details"]["code"] == "UNEXPECTED_ERROR"


async def test_who_is_cancelled_in_the_middle_leaves_a_finished_row(surface: Surface) -> None:
    entered, kept = asyncio.Event(), asyncio.Event()

    async def caller() -> None:
        async with path_of(surface).begun(carol(surface), PLAN) as receipt:
            receipt.also.append(lambda _tx: kept.set())
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(caller())
    await asyncio.wait_for(entered.wait(), 5)
    assert (await surface.call())["status"] == "intent"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    call = await surface.call()
    assert (call["status"], call["code"], call["isEstimate"]) == ("failed", "CALLER_LEFT", False)
    assert kept.is_set(), "what the surface writes at the end was left out"


async def test_a_workspace_that_is_deleted_before_the_call_is_not_found(
    surface: Surface, sandbox: RunningSandbox
) -> None:
    who = carol(surface)
    with surface.world.house.database.write() as tx:
        tx.execute(delete(workspaces).where(workspaces.c.id == surface.world.acme.id))
    with pytest.raises(NotFound):
        async with path_of(surface).begun(who, PLAN):
            raise AssertionError("it reached the door")
    assert sandbox.requests == []


async def test_what_cannot_be_written_is_not_answered_and_the_intent_stays(surface: Surface) -> None:
    def breaks(_tx: Connection) -> None:
        raise ZeroDivisionError

    receipt: Receipt
    with pytest.raises(ZeroDivisionError):
        async with path_of(surface).begun(carol(surface), PLAN) as receipt:
            receipt.also.append(breaks)
    assert (await surface.call())["status"] == "intent"
    assert await surface.audit("test_call.minted") == []


async def test_a_safety_identifier_is_a_keyed_hash(surface: Surface) -> None:
    path = path_of(surface)
    one, two = path.safety_identifier("usr_a"), path.safety_identifier("usr_b")
    assert one == path.safety_identifier("usr_a")
    assert one != two
    assert "usr" not in one
    assert len(one) <= 64
