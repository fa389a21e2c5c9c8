"""Who may open a Realtime session, and with which words and codes the others are sent away."""

import time
from typing import Any

import httpx2
import pytest
from tests.sandbox.realtime.conftest import KEY, MODEL, Line, dialled, strict_sandbox
from websockets.typing import Subprotocol

from opencto.sandbox.senses import Senses
from opencto.testing import ManualClock, RunningSandbox

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("query", "options", "code", "close"),
    [
        ("model=gpt-realtime-2.1", {"key": None}, None, (3000, "invalid_request_error")),
        (
            "model=gpt-realtime-2.1",
            {"key": "sk-revoked-0123456789"},
            "invalid_api_key",
            (3000, "invalid_request_error.invalid_api_key"),
        ),
        (
            "model=gpt-realtime-2.1",
            {"key": "ek_never_minted_at_all"},
            "invalid_api_key",
            (3000, "invalid_request_error.invalid_api_key"),
        ),
        ("model=gpt-nope", {}, "invalid_model", (4000, "invalid_request_error.invalid_model")),
        ("model=gpt-5.5", {}, "invalid_model", (4000, "invalid_request_error.invalid_model")),
        ("", {}, "missing_model", (4000, "invalid_request_error.missing_model")),
        (
            "model=gpt-realtime-2.1",
            {"headers": {"OpenAI-Beta": "realtime=v1"}},
            "beta_api_shape_disabled",
            (4000, "invalid_request_error.beta_api_shape_disabled"),
        ),
        (
            "model=gpt-realtime-2.1",
            {"subprotocols": [Subprotocol("realtime"), Subprotocol("openai-beta.realtime-v1")]},
            "beta_api_shape_disabled",
            (4000, "invalid_request_error.beta_api_shape_disabled"),
        ),
        ("call_id=rtc_1", {}, "unsupported_value", (4000, "invalid_request_error.unsupported_value")),
    ],
)
async def test_a_refusal_comes_after_the_handshake_in_words(
    sandbox: RunningSandbox, query: str, options: dict[str, Any], code: str | None, close: tuple[int, str]
) -> None:
    async with dialled(sandbox, query, **options) as line:
        error = await line.error()
        assert (error["code"], error["type"], error["event_id"]) == (code, "invalid_request_error", None)
        assert await line.closed() == close


def _mint(sandbox: RunningSandbox, **body: Any) -> str:
    answer = httpx2.post(
        f"{sandbox.base_url}/realtime/client_secrets", json=body, headers={"Authorization": f"Bearer {KEY}"}
    )
    return answer.json()["value"]


async def test_a_browser_comes_in_with_its_secret_as_a_subprotocol_and_finds_its_session(
    sandbox: RunningSandbox, clock: ManualClock
) -> None:
    tool = {"type": "function", "name": "look", "parameters": {"type": "object"}}
    secret = _mint(sandbox, session={"type": "realtime", "instructions": "Be kind.", "tools": [tool]})
    offered = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{secret}")]
    async with dialled(sandbox, key=None, subprotocols=offered) as line:
        assert line.socket.subprotocol == "realtime"
        session = (await line.next())["session"]
        assert (session["instructions"], session["tools"], session["model"]) == ("Be kind.", [tool], MODEL)
        assert session["output_modalities"] == ["text"]
        assert session["expires_at"] == int(clock.now().timestamp()) + 3600


async def test_a_secret_expires_for_new_sessions_and_not_for_open_ones(
    sandbox: RunningSandbox, clock: ManualClock
) -> None:
    secret = _mint(sandbox, expires_after={"anchor": "created_at", "seconds": 10})
    async with dialled(sandbox, "", key=secret) as line:
        assert (await line.next())["type"] == "session.created"
        clock.advance(11)
        await line.send("input_audio_buffer.clear")
        assert (await line.next())["type"] == "input_audio_buffer.cleared"
        async with dialled(sandbox, key=secret) as late:
            assert (await late.error())["code"] == "invalid_api_key"
            assert (await late.closed())[0] == 3000


async def test_a_session_ends_after_its_minutes() -> None:
    with strict_sandbox(realtime_minutes=0.005, senses=Senses()) as sandbox:
        async with dialled(sandbox) as line:
            created = await line.next()
            assert created["session"]["expires_at"] <= time.time() + 1
            error = await line.error()
            assert error["code"] == "session_expired"
            assert error["message"] == "Your session hit the maximum duration of 0.005 minutes."
            assert await line.closed() == (1001, "invalid_request_error.session_expired")


@pytest.mark.parametrize("is_minted", [True, False])
async def test_a_transcription_session_has_a_shape_of_its_own_and_does_not_answer(
    sandbox: RunningSandbox, is_minted: bool
) -> None:
    key = _mint(sandbox, session={"type": "transcription"}) if is_minted else KEY
    async with dialled(sandbox, "" if is_minted else "intent=transcription", key=key) as line:
        session = (await line.next())["session"]
        assert (session["type"], session["object"]) == ("transcription", "realtime.transcription_session")
        assert set(session) == {"type", "object", "id", "expires_at", "audio", "include"}
        assert set(session["audio"]["input"]["turn_detection"]) == {
            "type",
            "threshold",
            "prefix_padding_ms",
            "silence_duration_ms",
        }
        change = {"type": "transcription", "audio": {"input": {"turn_detection": None}}}
        await line.send("session.update", session=change)
        updated = await line.next()
        assert updated["type"] == "session.updated"
        assert updated["session"]["audio"]["input"]["turn_detection"] is None
        assert updated["session"]["id"] == session["id"]
        await line.send("response.create")
        assert "does not answer" in (await line.error())["message"]
        await line.send("session.update", session={"type": "realtime"})
        assert "not allowed" in (await line.error())["message"]


async def test_settings_that_are_a_word_or_an_object_are_shown_as_they_were_given_and_outlive_a_second_change(
    line: Line,
) -> None:
    tool: dict[str, Any] = {
        "type": "function",
        "name": "look",
        "description": "",
        "parameters": {"type": "object", "properties": {}},
    }
    objects: dict[str, Any] = {
        "tool_choice": {"type": "function", "name": "look"},
        "tracing": {"workflow_name": "w", "group_id": "g", "metadata": {"a": "b"}},
        "truncation": {"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": {"post_instructions": 40}},
    }
    await line.send("session.update", session={"type": "realtime", "tools": [tool], **objects})
    for _ in range(2):
        updated = await line.next()
        assert updated["type"] == "session.updated"
        assert {name: updated["session"][name] for name in objects} == objects
        await line.send("session.update", session={"type": "realtime", "instructions": "Be brief."})
