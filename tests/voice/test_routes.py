"""`POST /v1/respond`, to the letter of the wire: whole, as a stream, and when things break in the middle."""

import asyncio
import json
import re
from typing import Any

import pytest
from sqlalchemy import func, select

from opencto.core.database import Database
from opencto.testing import RunningSandbox
from opencto.voice import routes
from opencto.voice.tables import conversations, turns
from opencto.wire.identity import Scope
from providers.upstream import Answer, FakeUpstream, Line, chunked, error, head, reply, stream
from surface import KEY, PATIENCE_SECONDS, RESPOND, OpenSurface, Surface, events_of

pytestmark = pytest.mark.anyio
CHATS = "/chat/completions"
DONE = b"data: [DONE]\n\n"


def chunk(**fields: object) -> bytes:
    choices: list[object] = [] if "usage" in fields else [{"index": 0, "finish_reason": None, "delta": {}, **fields}]
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": "gpt-6-luna-2026",
        "choices": choices,
    }
    if "usage" in fields:
        body["usage"] = fields["usage"]
    return f"data: {json.dumps(body)}\n\n".encode()


def says(text: str) -> bytes:
    return chunk(delta={"content": text})


USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 200,
    "total_tokens": 1200,
    "prompt_tokens_details": {"cached_tokens": 100, "audio_tokens": 0},
}
ENDING = (chunk(finish_reason="stop"), chunk(usage=USAGE), DONE)


def whole(text: str, model: str = "gpt-6-luna", **usage: object) -> Answer:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return reply(200, {"id": "chatcmpl-1", "model": model, "choices": [choice], "usage": usage or USAGE})


async def turns_kept(database: Database) -> list[tuple[str, str]]:
    with database.read() as tx:
        return [(row.role, row.text) for row in tx.execute(select(turns.c.role, turns.c.text).order_by(turns.c.id))]


# ---- the answer


async def test_an_answer_to_the_letter(surface: Surface, sandbox: RunningSandbox) -> None:  # noqa: ARG001 - it answers
    answer = await surface.respond(body={"text": "Hello"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert re.fullmatch(r"cv_[0-9a-z]{26}", body.pop("conversationId"))
    used = body.pop("usage")
    assert body == {
        "ok": True,
        "text": "Hello, I am OpenCTO's local sandbox, not a model. Ask me for help to hear what I can do.",
        "model": "gpt-6-luna",
        "keySource": "server",
    }
    assert set(used) == {"inputTokens", "cachedInputTokens", "outputTokens"}
    assert used["inputTokens"] > used["outputTokens"] > 10
    assert answer.headers["RateLimit-Policy"] == '"voice_respond";q=60;w=60'
    assert answer.headers["RateLimit"] == '"voice_respond";r=59;t=60'
    assert answer.headers["Server-Timing"].startswith("own;dur=")
    call = await surface.call()
    assert call["requestId"] == answer.headers["X-Request-Id"]
    told = ("surface", "model", "status", "code", "upstreamStatus", "isEstimate", "currency", "sessionId", "keySource")
    assert {name: call[name] for name in told} == {
        "surface": "voice_respond",
        "model": "gpt-6-luna",
        "status": "done",
        "code": None,
        "upstreamStatus": 200,
        "isEstimate": False,
        "currency": "usd",
        "sessionId": None,
        "keySource": "server",
    }
    assert (call["inputTokens"], call["outputTokens"]) == (used["inputTokens"], used["outputTokens"])
    assert re.fullmatch(r"0\.0000\d+", call["cost"])


async def test_what_is_asked_and_what_the_workspace_set_reaches_the_model(
    surface: Surface, sandbox: RunningSandbox
) -> None:
    await surface.set(
        assistantName="Orla", instructions="Never guess.", language="de", chatModels=["gpt-6-sol", "gpt-6.1-sol"]
    )
    answer = await surface.respond(body={"text": "Hallo", "system": "You stand in a lobby.", "language": "fr-CA"})
    assert (answer.status_code, answer.json()["model"]) == (200, "gpt-6-sol")
    sent = sandbox.seen(CHATS)[-1].json()
    system = sent["messages"][0].pop("content")
    assert system.startswith("You are Orla,")
    assert "Speak fr-CA" in system
    assert system.endswith("\n\nNever guess.\n\nYou stand in a lobby.")
    assert len(sent.pop("safety_identifier")) <= 64
    assert sent == {
        "model": "gpt-6-sol",
        "messages": [{"role": "system"}, {"role": "user", "content": "Hallo"}],
        "store": False,
        "max_completion_tokens": 1500,
    }
    await surface.respond(body={"text": "Hallo"})
    assert "Speak de" in sandbox.seen(CHATS)[-1].json()["messages"][0]["content"]


async def test_a_stream_gives_sentences_and_then_the_end(surface: Surface, sandbox: RunningSandbox) -> None:
    answer = await surface.respond(body={"text": "What can you do?", "stream": True})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-store", "no")
    assert answer.headers["RateLimit"] == '"voice_respond";r=59;t=60'
    *sentences, (last, done) = events_of(answer.text)
    assert {name for name, _ in sentences} == {"sentence"}
    assert [data["index"] for _, data in sentences] == list(range(len(sentences)))
    assert len(sentences) >= 3
    assert all(data["text"] == data["text"].strip() and data["text"] for _, data in sentences)
    assert last == "done"
    assert " ".join(data["text"] for _, data in sentences) == done["text"]
    assert re.fullmatch(r"cv_[0-9a-z]{26}", done["conversationId"])
    assert (done["model"], done["keySource"]) == ("gpt-6-luna", "server")
    sent = sandbox.seen(CHATS)[-1].json()
    assert (sent["stream"], sent["stream_options"]) == (True, {"include_usage": True, "include_obfuscation": False})
    call = await surface.call()
    assert (call["status"], call["isEstimate"]) == ("done", False)
    assert (call["inputTokens"], call["outputTokens"]) == (done["usage"]["inputTokens"], done["usage"]["outputTokens"])


async def test_a_sentence_leaves_before_the_next_is_thought_of_and_silence_is_filled(
    trouble: Surface, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # this upstream is silent for as long as it takes
    monkeypatch.setattr(routes, "COMMENT_SECONDS", 0.02)

    async def slowly(_received: Any, line: Line) -> None:
        await line.write(head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}))
        await line.write(chunked(says("First. Sec")))
        await upstream.go_on.wait()
        for piece in (says("ond."), *ENDING):
            await line.write(chunked(piece))
        await line.write(b"0\r\n\r\n")

    upstream.plant(slowly)
    listener = trouble.listen({"text": "Hello"})
    await listener.hears('event: sentence\ndata: {"index":0,"text":"First."}\n\n')
    await listener.hears("\n\n: ")
    assert '"index":1' not in listener.text
    upstream.go_on.set()
    await listener.ended()
    assert listener.events[1] == ("sentence", {"index": 1, "text": "Second."})
    assert listener.events[2][0] == "done"


async def test_what_the_model_refuses_is_said_in_both_ways(trouble: Surface, upstream: FakeUpstream) -> None:
    message = {"role": "assistant", "content": None, "refusal": "I will not."}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    upstream.plant(reply(200, {"id": "c", "model": "gpt-6-luna", "choices": [choice], "usage": USAGE}))
    assert (await trouble.respond()).json()["text"] == "I will not."
    upstream.plant(stream(chunk(delta={"refusal": "I will"}), chunk(delta={"refusal": " not."}), *ENDING))
    events = events_of((await trouble.respond(body={"text": "x", "stream": True})).text)
    assert events[0] == ("sentence", {"index": 0, "text": "I will not."})
    assert events[1][1]["text"] == "I will not."


async def test_what_no_database_can_keep_does_not_break_an_answer(
    trouble: Surface, upstream: FakeUpstream, database: Database
) -> None:
    upstream.plant(whole("Bef\x00ore.", model="m" * 500))
    assert (await trouble.respond()).json()["text"] == "Before."
    upstream.plant(stream(says("Af\x00ter."), *ENDING))
    events = events_of((await trouble.respond(body={"text": "x", "stream": True})).text)
    assert [name for name, _ in events] == ["sentence", "done"]
    assert [text for role, text in await turns_kept(database) if role == "assistant"] == ["Before.", "After."]
    assert [(call["status"], call["model"]) for call in await trouble.ledger()] == [
        ("done", "gpt-6-luna-2026"),
        ("done", "gpt-6-luna"),
    ]


# ---- what it costs


async def test_tokens_are_counted_by_kind_and_priced_exactly(trouble: Surface, upstream: FakeUpstream) -> None:
    details = {"cached_tokens": 100, "audio_tokens": 0}
    upstream.plant(whole("Yes.", prompt_tokens=1000, completion_tokens=200, prompt_tokens_details=details))
    answer = await trouble.respond()
    assert answer.json()["usage"] == {"inputTokens": 1000, "cachedInputTokens": 100, "outputTokens": 200}
    call = await trouble.call()
    assert (call["inputTokens"], call["cachedInputTokens"], call["outputTokens"]) == (1000, 100, 200)
    assert (call["inputAudioTokens"], call["outputAudioTokens"]) == (0, 0)
    assert call["cost"] == "0.000191"
    assert call["upstreamRequestId"] == "req_up_1"
    spend = await trouble.spend()
    assert (spend["spentUsd"], spend["unpricedCalls"]) == ("0.00", 0)


@pytest.mark.parametrize(
    ("model", "usage"),
    [("house-model-7", dict(USAGE)), ("gpt-6-luna", {"prompt_tokens": "many"}), ("gpt-6-luna", None)],
)
async def test_a_cost_that_is_not_known_is_null_and_counted_as_such(
    trouble: Surface, upstream: FakeUpstream, model: str, usage: dict[str, Any] | None
) -> None:
    message = {"role": "assistant", "content": "Yes.", "refusal": None}
    body = {"id": "c", "model": model, "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
    upstream.plant(reply(200, body if usage is None else {**body, "usage": usage}))
    answer = await trouble.respond()
    call = await trouble.call()
    assert call["cost"] is None
    if answer.status_code == 502:  # an answer that is not OpenAI's wire is no answer
        assert (call["status"], call["code"]) == ("failed", "PROVIDER_ERROR")
        return
    assert (call["status"], call["model"]) == ("done", model)
    assert (await trouble.spend())["unpricedCalls"] == 1
    if usage is None:
        assert answer.json()["usage"] == {"inputTokens": None, "cachedInputTokens": None, "outputTokens": None}


# ---- conversations


async def test_the_second_question_sees_the_first(surface: Surface, sandbox: RunningSandbox) -> None:
    first = (await surface.respond(body={"text": "Hello"})).json()
    again = {"text": "Thanks", "conversationId": first["conversationId"]}
    second = await surface.respond(body=again)
    assert second.json()["conversationId"] == first["conversationId"]
    await surface.respond(body={**again, "text": "And?", "stream": True})
    said = [(one["role"], one["content"]) for one in sandbox.seen(CHATS)[-1].json()["messages"]][1:]
    assert said == [
        ("user", "Hello"),
        ("assistant", first["text"]),
        ("user", "Thanks"),
        ("assistant", "You are welcome."),
        ("user", "And?"),
    ]


async def test_a_conversation_belongs_to_who_began_it(surface: Surface, sandbox: RunningSandbox) -> None:
    world = surface.world
    own = (await surface.respond(body={"text": "Hello"})).json()["conversationId"]
    for who, conversation in ((world.ben, own), (world.zoe, own), (world.carol, "cv_" + "0" * 26)):
        for streams in (False, True):
            answer = await surface.respond(who, {"text": "x", "conversationId": conversation, "stream": streams})
            assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert len(sandbox.requests) == len(await surface.ledger()) == 1
    assert (
        (await surface.respond(body={"text": "x", "conversationId": own}))
        .headers["RateLimit"]
        .startswith('"voice_respond";r=58')
    )


async def test_who_stores_nothing_keeps_nothing(surface: Surface, sandbox: RunningSandbox, database: Database) -> None:
    await surface.set(transcriptRetentionDays=0)
    for streams in (False, True):
        body = {"text": "A secret plan", "stream": streams, "conversationId": "cv_" + "0" * 26}
        assert (await surface.respond(body=body)).status_code == 200
        assert len(sandbox.seen(CHATS)[-1].json()["messages"]) == 2
    assert await turns_kept(database) == []
    assert len(await surface.ledger()) == 2


async def test_what_is_older_than_the_workspace_keeps_is_forgotten(surface: Surface, database: Database) -> None:
    old = (await surface.respond(body={"text": "Hello"})).json()["conversationId"]
    await surface.respond(surface.world.zoe)
    await surface.set(transcriptRetentionDays=2)
    surface.clock.advance(86_400)
    young = (await surface.respond(body={"text": "Hello"})).json()["conversationId"]
    surface.clock.advance(86_401)
    assert surface.app.state.voice.forget_old() == 1
    assert (await surface.respond(body={"text": "x", "conversationId": old})).status_code == 404
    assert (await surface.respond(body={"text": "x", "conversationId": young})).status_code == 200
    with database.read() as tx:
        assert tx.execute(select(func.count()).select_from(conversations)).scalar() == 2  # beta keeps its own
        left = select(func.count()).select_from(turns).where(turns.c.conversation_id == old)
        assert tx.execute(left).scalar() == 0


# ---- when it breaks in the middle


async def break_off(line: Line) -> None:
    await line.upstream.go_on.wait()
    line.writer.close()  # without the end of the body; a reset could take the words before it along


async def fall_silent(line: Line) -> None:
    await line.stall()


async def tell_of_trouble(line: Line) -> None:
    await line.upstream.go_on.wait()
    await line.write(chunked(b'data: {"error": {"message": "canary words of theirs", "type": "server_error"}}\n\n'))


async def speak_nonsense(line: Line) -> None:
    await line.upstream.go_on.wait()
    await line.write(chunked(b"data: {canary\n\n"))


BREAKS = {
    "a cut": (break_off, "PROVIDER_ERROR"),
    "silence": (fall_silent, "PROVIDER_TIMEOUT"),
    "an error in the stream": (tell_of_trouble, "PROVIDER_ERROR"),
    "nonsense": (speak_nonsense, "PROVIDER_ERROR"),
}


@pytest.mark.parametrize("how", BREAKS)
async def test_what_was_said_before_a_break_is_kept_and_billed(
    trouble: Surface, upstream: FakeUpstream, database: Database, how: str
) -> None:
    then, code = BREAKS[how]
    upstream.plant(stream(says("It is at"), says(" noon. And th"), then=then))
    answer = trouble.listen({"text": "When is it?"}, Idempotency_Key="one")
    await answer.hears("noon.")
    upstream.go_on.set()
    await answer.ended()
    assert answer.status == 200
    assert "canary" not in answer.text
    (first, sentence), (last, failed) = answer.events
    assert (first, sentence) == ("sentence", {"index": 0, "text": "It is at noon."})
    assert last == "error"
    problem = failed["problem"]
    assert (problem["code"], problem["origin"], problem["error"]) == (code, "openai", problem["detail"])
    assert problem["requestId"] == answer.headers["x-request-id"]
    assert await turns_kept(database) == [("user", "When is it?"), ("assistant", "It is at noon. And th")]
    call = await trouble.call()
    assert (call["status"], call["code"], call["isEstimate"]) == ("failed", code, True)
    assert call["inputTokens"] > call["outputTokens"] > 0
    assert float(call["cost"]) > 0
    # The key is free again: the same question may be asked once more.
    upstream.plant(stream(says("Noon."), *ENDING))
    again = await trouble.respond(body={"text": "When is it?", "stream": True}, Idempotency_Key="one")
    assert [name for name, _ in events_of(again.text)] == ["sentence", "done"]


async def test_a_caller_who_hangs_up_in_the_middle_is_in_the_books(
    trouble: Surface, upstream: FakeUpstream, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.plant(stream(says("One. Two"), then=fall_silent))
    monkeypatch.undo()  # nobody's patience ends here
    listener = trouble.listen({"text": "Count"}, Idempotency_Key="one")
    await listener.hears("One.")
    listener.hang_up()
    await asyncio.wait_for(upstream.hung_up.wait(), PATIENCE_SECONDS)
    await listener.ended()
    call = await finished(trouble)
    assert (call["status"], call["code"], call["isEstimate"]) == ("failed", "CALLER_LEFT", True)
    assert call["outputTokens"] > 0
    assert float(call["cost"]) > 0
    assert await turns_kept(database) == [("user", "Count"), ("assistant", "One. Two")]
    upstream.plant(whole("Three."))
    assert (await trouble.respond(body={"text": "Count", "stream": False}, Idempotency_Key="one")).status_code == 200


async def test_a_caller_who_hangs_up_before_the_first_word_is_in_the_books(
    trouble: Surface, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    arrived = asyncio.Event()

    async def thinks(_received: Any, line: Line) -> None:
        arrived.set()
        await upstream.go_on.wait()
        await stream(says("One. Two"), then=fall_silent)(_received, line)

    upstream.plant(thinks)
    listener = trouble.listen({"text": "Count"})
    await asyncio.wait_for(arrived.wait(), PATIENCE_SECONDS)
    listener.hang_up()
    upstream.go_on.set()
    await asyncio.wait_for(upstream.hung_up.wait(), PATIENCE_SECONDS)
    await listener.ended()
    call = await finished(trouble)
    assert (call["status"], call["code"]) == ("failed", "CALLER_LEFT")


async def finished(surface: Surface) -> dict[str, Any]:
    """The one call, once its end is written: who hung up is not waited for."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (call := await surface.call())["status"] == "intent":  # noqa: ASYNC110 - written behind everybody's back
            await asyncio.sleep(0)
    return call


# ---- Idempotency-Key


async def test_a_stream_is_played_again_under_its_key(surface: Surface, sandbox: RunningSandbox) -> None:
    body = {"text": "What can you do?", "stream": True}
    first = await surface.respond(body=body, Idempotency_Key="one")
    again = await surface.respond(body=body, Idempotency_Key="one")
    assert again.headers["Content-Type"].startswith("text/event-stream")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert events_of(again.text) == events_of(first.text)
    assert len(sandbox.requests) == len(await surface.ledger()) == 1
    other = await surface.respond(body={**body, "stream": False}, Idempotency_Key="one")
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_MISMATCH")


async def test_while_a_stream_is_under_way_its_key_is_held(
    trouble: Surface, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.plant(stream(says("One. Two"), then=fall_silent))
    monkeypatch.undo()
    listener = trouble.listen({"text": "Count"}, Idempotency_Key="one")
    await listener.hears("One.")
    answer = await trouble.respond(body={"text": "Count", "stream": True}, Idempotency_Key="one")
    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_IN_PROGRESS")
    assert len(upstream.received) == 1


# ---- refusals

BAD_BODIES: list[tuple[dict[str, Any], str]] = [
    ({}, "text"),
    ({"text": ""}, "text"),
    ({"text": "x" * 16_001}, "text"),
    ({"text": 5}, "text"),
    ({"text": None}, "text"),
    ({"text": "x", "system": "x" * 16_001}, "system"),
    ({"text": "x", "conversationId": "cv_1"}, "conversationId"),
    ({"text": "x", "conversationId": "cv_" + "A" * 26}, "conversationId"),
    ({"text": "x", "language": "Klingon"}, "language"),
    ({"text": "x", "stream": "yes"}, "stream"),
    ({"text": "x", "stream": 1}, "stream"),
    ({"text": "x", "model": "gpt-6-sol"}, "model"),
]


async def test_a_body_that_is_not_right_is_refused_where_it_is_wrong(open_surface: OpenSurface) -> None:
    surface = await open_surface()
    for body, path in BAD_BODIES:
        answer = await surface.post(RESPOND, surface.world.carol, body)
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST"), body
        assert [one["path"] for one in answer.json()["errors"]] == [path]
    for text in ("nul \x00 in it", "half \ud800 a pair"):
        content = json.dumps({"text": text}).encode()
        headers = {**surface.world.carol.bearer, "Content-Type": "application/json"}
        assert (await surface.client.post(RESPOND, content=content, headers=headers)).status_code == 422
    assert await surface.ledger() == []


async def test_only_who_may_ask_is_answered(surface: Surface, sandbox: RunningSandbox) -> None:
    world = surface.world

    async def refused(headers: dict[str, str], **more: str) -> tuple[int, str]:
        answer = await surface.client.post(RESPOND, json={"text": "x", **more}, headers=headers)
        return answer.status_code, answer.json()["code"]

    assert await refused({}) == (401, "UNAUTHENTICATED")
    assert await refused(world.vic.bearer) == (403, "FORBIDDEN")
    assert (await refused(world.bearer(world.carol, Scope.REALTIME)))[0] == 403
    assert (await refused(world.carol.cookie_alone))[1] == "CSRF_TOKEN_MISSING"
    assert await refused(world.carol.bearer, workspaceId=world.beta.id) == (404, "NOT_FOUND")
    assert sandbox.requests == []
    answer = await surface.client.post(RESPOND, json={"text": "x"}, headers=world.bearer(world.carol, Scope.RESPOND))
    assert answer.status_code == 200


async def test_sixty_answers_and_the_next_is_told_whose_limit_it_is(open_surface: OpenSurface) -> None:
    surface = await open_surface(RATE_LIMIT_VOICE_PER_MINUTE="3")
    for _ in range(3):
        assert (await surface.respond()).status_code == 200
    for streams in (False, True):
        answer = await surface.respond(body={"text": "x", "stream": streams})
        assert (answer.status_code, answer.json()["code"], answer.json()["origin"]) == (429, "RATE_LIMITED", "opencto")
        assert (answer.json()["rule"], answer.json()["limit"]) == ("voice_respond", 3)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert int(answer.headers["Retry-After"]) >= 1
    assert (await surface.mint()).status_code == 201


async def test_the_ledger_of_a_stream_that_never_began_says_why(trouble: Surface, upstream: FakeUpstream) -> None:
    upstream.plant(error(401, "invalid_request_error", "invalid_api_key", f"{KEY} is wrong"))
    answer = await trouble.respond(body={"text": "x", "stream": True})
    assert (answer.status_code, answer.json()["code"]) == (502, "PROVIDER_KEY_REJECTED")
    call = await trouble.call()
    assert (call["status"], call["upstreamStatus"], call["isEstimate"]) == ("failed", 401, False)
