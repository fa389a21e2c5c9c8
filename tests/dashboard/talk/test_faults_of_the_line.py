"""What may go wrong between the page and the service while somebody talks: refusals, an empty account, a wire that is cut."""

import base64
import json
import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Route, expect

from dashboard.talking import HEARING_MS, MODELS, MODELS_ANSWER, QUESTION, RELEASED_MS, Talker

MINT = "/api/v1/realtime/token"


def test_a_secret_that_ran_out_before_it_was_used_is_replaced_by_a_fresh_one(talker: Talker) -> None:
    stale: list[str] = []

    def once(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        if not stale:
            stale.append(body["clientSecret"])
            body["clientSecret"] = (
                "ek_00000000000000000000000000000000"  # as the service answers one that it knows no more
            )
        route.fulfill(response=answer, json=body)

    talker.page.route(f"**{MINT}", once)
    try:
        talker.begin()
        talker.answered()
    finally:
        talker.page.unroute(f"**{MINT}")
    assert talker.count("session.created", "got") == 1
    assert [one["code"] for one in talker.got("error")] == ["invalid_api_key"]
    talker.hang_up()
    assert talker.live_tracks == 0


def test_secrets_that_are_refused_again_and_again_stop_the_conversation(talker: Talker) -> None:
    talker.stage.fail("unauthorized", times=None)
    talker.start()
    talker.reaches("Stopped")
    expect(talker.trouble).to_contain_text("OpenAI refuses the secret of this conversation. Check the OpenAI key.")
    expect(talker.trouble.get_by_role("link", name="Open the keys")).to_be_visible()
    assert talker.released_ms_after("error") <= RELEASED_MS
    assert talker.probe("closed.length") <= 2, "no loop"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("rate_limit", "OpenAI"),
        ("quota", "The OpenAI account has no credit left. Add credit at OpenAI, or save another key."),
        ("unauthorized", "OpenAI refuses the key. Save another one."),
    ],
)
def test_no_secret_stops_the_conversation_before_it_begins(talker: Talker, fault: str, words: str) -> None:
    talker.stage.fail(fault, "/realtime/client_secrets", value=60 if fault == "rate_limit" else None, times=None)
    talker.start()
    talker.reaches("Stopped")
    expect(talker.trouble).to_contain_text(words)
    talker.until("live() === 0")
    assert talker.probe("sent.length") == 0
    talker.stage.heal()
    talker.press("Start again")
    talker.reaches("Ready")
    talker.hang_up()
    assert talker.live_tracks == 0


def test_our_own_limit_is_told_as_ours(talker: Talker) -> None:
    world = talker.stage.world

    def allow(limit: int) -> None:
        buckets = {"realtime_token": {"limit": limit}, "cto_openai_proxy": {"limit": 10_000}}
        world.ada.send("PUT", f"/api/v1/workspaces/{world.workspace}/limits", {"buckets": buckets})

    allow(1)
    try:
        for _ in range(2):
            world.ada.http.post(MINT, json={"workspaceId": world.workspace}, headers={"X-CSRF-Token": world.ada.csrf})
        talker.start()
        talker.reaches("Stopped")
        expect(talker.trouble).to_contain_text("RATE_LIMITED")
        expect(talker.trouble.get_by_role("button", name="Try again")).to_be_visible()
        talker.until("live() === 0")
    finally:
        allow(10_000)


def test_an_account_without_credit_stops_the_conversation_in_its_answer(talker: Talker) -> None:
    talker.begin()
    talker.stage.fail("quota")
    talker.ask(MODELS)
    talker.reaches("Stopped")
    expect(talker.trouble).to_contain_text("The OpenAI account has no credit left.")
    assert talker.released_ms_after("response.done") <= RELEASED_MS
    talker.is_left_alone()
    assert talker.count("response.create") == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [("error_500", "server"), ("rate_limit", "OpenAI's rate limit is reached. Wait a moment and ask again.")],
)
def test_an_answer_that_fails_is_said_and_asked_for_again_with_one_press(
    talker: Talker, fault: str, words: str
) -> None:
    talker.begin()
    talker.stage.fail(fault)
    talker.ask(MODELS)
    expect(talker.trouble).to_contain_text(words)
    talker.reaches("Ready")
    assert talker.live_tracks == 1
    talker.is_left_alone()
    talker.press("Try again")
    expect(talker.said).to_contain_text(MODELS_ANSWER)
    expect(talker.trouble).to_have_count(0)
    assert len(talker.said.get_by_text(MODELS).all()) == 1, "the question is not said twice"
    talker.hang_up()
    assert talker.live_tracks == 0


def test_an_answer_that_fails_in_the_middle_is_heard_so_far_and_then_it_is_quiet(talker: Talker) -> None:
    talker.open(isPushToTalk=True).begin()
    sound = base64.b64encode(np.full(12_000, 8_000, "<i2").tobytes()).decode()  # half a second
    of = {"response_id": "resp_x", "item_id": "item_x", "output_index": 0, "content_index": 0}
    error = {"type": "server_error", "code": None, "message": "It broke in the middle."}
    response: dict[str, Any] = {"id": "resp_x", "conversation_id": "conv_x", "output": []}
    for frame in (
        {"type": "response.created", "response": {**response, "status": "in_progress"}},
        {"type": "response.output_audio.delta", **of, "delta": sound},
        {"type": "response.done", "response": {**response, "status": "failed", "status_details": {"error": error}}},
    ):
        talker.page.evaluate("frame => window.__probe.tell(frame)", frame)
    expect(talker.trouble).to_contain_text("It broke in the middle.")
    talker.reaches("Ready")
    talker.answered()
    talker.hang_up()


def test_a_line_that_cannot_be_opened_stops_the_conversation(talker: Talker) -> None:
    talker.stage.wire.is_refusing = True
    talker.start()
    talker.reaches("Stopped")
    expect(talker.trouble).to_contain_text("The line to the voice service cannot be opened.")
    assert talker.tracks == 1
    assert talker.live_tracks == 0
    talker.stage.wire.is_refusing = False
    talker.press("Try again")
    talker.reaches("Ready")
    talker.hang_up()
    assert talker.live_tracks == 0


def test_a_question_that_is_cut_in_the_middle_is_told_again_whole(talker: Talker) -> None:
    talker.open(isSpoken=False)
    talker.start()
    talker.reaches("You")
    talker.stage.wire.cut()
    expect(talker.said).to_contain_text("Reconnected, continuing")
    words = re.compile("how much did we spend last week", re.IGNORECASE)
    expect(talker.said).to_contain_text(words, timeout=HEARING_MS)
    expect(talker.said).to_contain_text("the cost was", timeout=HEARING_MS)
    talker.hang_up()
    assert talker.live_tracks == 0


def test_a_tool_that_runs_when_the_wire_is_cut_runs_once_and_its_result_is_told(talker: Talker) -> None:
    talker.begin()
    calls: list[str] = []

    def cut(route: Route) -> None:
        calls.append(json.loads(route.request.post_data or "")["callId"])
        talker.stage.wire.cut()
        talker.page.locator(".talk-divider").wait_for()
        route.continue_()

    talker.page.route("**/api/v1/tools/*", cut)
    try:
        talker.ask(QUESTION)
        expect(talker.said).to_contain_text("the cost was")
    finally:
        talker.page.unroute("**/api/v1/tools/*")
    assert len(calls) == 1
    expect(talker.page.locator(".tool-card")).to_have_count(1)
    assert talker.said.inner_text().count("the cost was") == 1
    talker.reaches("Ready")
    talker.hang_up()
    assert talker.live_tracks == 0


def test_an_answer_that_is_cut_goes_on_where_it_broke(talker: Talker) -> None:
    talker.begin()
    talker.stage.fail("cut")
    talker.ask(MODELS)
    expect(talker.said).to_contain_text("Reconnected, continuing")
    expect(talker.page.locator(".talk-caption.cto").last).to_contain_text("gpt-realtime")
    talker.reaches("Ready")
    assert talker.live_tracks == 1
    talker.hang_up()
    assert talker.live_tracks == 0


def test_hanging_up_while_the_line_is_gone_ends_it(talker: Talker) -> None:
    talker.begin()
    talker.stage.wire.is_refusing = True
    talker.stage.wire.cut()
    talker.reaches("Reconnecting")
    assert talker.live_tracks == 1, "what is said meanwhile is kept"
    talker.hang_up()
    assert talker.released_ms_after("click") <= RELEASED_MS
    opened = talker.stage.wire.opened
    talker.is_left_alone()
    assert talker.stage.wire.opened == opened
