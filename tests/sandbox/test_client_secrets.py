"""Minting: what is echoed, what is kept, and what is refused with which words."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai.types.realtime import ClientSecretCreateResponse

from opencto.testing import ManualClock, RunningSandbox, running_sandbox
from strict_openai import strictly

PATH = "/realtime/client_secrets"


def test_an_empty_request_gets_the_whole_default_session(http: httpx2.Client, clock: ManualClock) -> None:
    answer = http.post(PATH, json={})
    assert answer.status_code == 200
    body = answer.json()
    strictly(ClientSecretCreateResponse, body)
    assert body.keys() == {"value", "expires_at", "session"}
    assert body["expires_at"] == int(clock.now().timestamp()) + 600
    session = body["session"]
    assert session.pop("id").startswith("sess_")
    assert session.pop("instructions")
    assert session == {
        "type": "realtime",
        "object": "realtime.session",
        "model": "gpt-realtime-2.1",
        "output_modalities": ["audio"],
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "truncation": "auto",
        "tracing": None,
        "prompt": None,
        "include": None,
        "expires_at": 0,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 200,
                    "idle_timeout_ms": None,
                    "create_response": True,
                    "interrupt_response": True,
                },
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "alloy", "speed": 1.0},
        },
    }


def test_what_was_asked_for_comes_back_in_the_session(http: httpx2.Client) -> None:
    tool = {"type": "function", "name": "list_models", "description": "Lists.", "parameters": {"type": "object"}}
    asked: dict[str, Any] = {
        "type": "realtime",
        "model": "gpt-realtime-2.1-mini",
        "instructions": "",
        "output_modalities": ["text"],
        "tools": [tool],
        "tool_choice": {"type": "function", "name": "list_models"},
        "max_output_tokens": 4096,
        "reasoning": {"effort": "low"},
        "truncation": {"type": "retention_ratio", "retention_ratio": 0.8},
        "audio": {
            "input": {
                "format": {"type": "audio/pcmu"},
                "transcription": {"model": "gpt-transcribe", "language": "en"},
                "noise_reduction": {"type": "near_field"},
                "turn_detection": None,
            },
            "output": {"voice": "cedar", "speed": 1.25},
        },
    }
    body = http.post(PATH, json={"session": asked}).json()
    strictly(ClientSecretCreateResponse, body)
    session = body["session"]
    assert {name: session[name] for name in asked if name != "audio"} == {
        name: value for name, value in asked.items() if name != "audio"
    }
    assert session["audio"]["input"] == asked["audio"]["input"]
    assert session["audio"]["output"] == {
        "format": {"type": "audio/pcm", "rate": 24000},
        "voice": "cedar",
        "speed": 1.25,
    }


def test_a_transcription_session_has_no_model_and_no_output(http: httpx2.Client) -> None:
    session = {"type": "transcription", "audio": {"input": {"transcription": {"model": "gpt-live-transcribe"}}}}
    body = http.post(PATH, json={"session": session}).json()
    strictly(ClientSecretCreateResponse, body)
    assert body["session"]["object"] == "realtime.transcription_session"
    assert body["session"].keys() == {"type", "object", "id", "expires_at", "include", "audio"}
    assert body["session"]["audio"].keys() == {"input"}


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"expires_after": {"seconds": 9}}, "expires_after.seconds", "integer_below_min_value"),
        ({"expires_after": {"seconds": 7201}}, "expires_after.seconds", "integer_above_max_value"),
        ({"expires_after": {"seconds": 60.5}}, "expires_after.seconds", "invalid_type"),
        ({"expires_after": {"anchor": "now"}}, "expires_after.anchor", "invalid_value"),
        ({"bogus": 1}, "bogus", "unknown_parameter"),
        ({"session": {}}, "session.type", "missing_required_parameter"),
        ({"session": {"type": "live"}}, "session.type", "invalid_value"),
        ({"session": {"type": "realtime", "voice": "marin"}}, "session.voice", "unknown_parameter"),
        ({"session": {"type": "realtime", "modalities": ["text"]}}, "session.modalities", "unknown_parameter"),
        ({"session": {"type": "realtime", "temperature": 0.8}}, "session.temperature", "unknown_parameter"),
        ({"session": {"type": "realtime", "model": "gpt-live-1"}}, "session.model", "invalid_model"),
        ({"session": {"type": "realtime", "model": "gpt-6-luna"}}, "session.model", "invalid_model"),
        ({"session": {"type": "realtime", "output_modalities": ["text", "audio"]}}, "session.output_modalities", "invalid_value"),
        ({"session": {"type": "realtime", "max_output_tokens": 0}}, "session.max_output_tokens", "integer_below_min_value"),
        ({"session": {"type": "realtime", "max_output_tokens": True}}, "session.max_output_tokens", "invalid_type"),
        ({"session": {"type": "realtime", "tool_choice": {"type": "function", "name": "x"}}}, "session.tool_choice", "invalid_value"),
        ({"session": {"type": "realtime", "tools": [{"type": "function", "name": "a b"}]}}, "session.tools[0].name", "invalid_value"),
        ({"session": {"type": "realtime", "tools": [{"type": "function", "name": "a", "strict": True}]}}, "session.tools[0].strict", "unknown_parameter"),
        ({"session": {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}}}, "session.audio.input.format.rate", "integer_below_min_value"),
        ({"session": {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "none"}}}}}, "session.audio.input.turn_detection.type", "invalid_value"),
        ({"session": {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "semantic_vad", "threshold": 0.5}}}}}, "session.audio.input.turn_detection.threshold", "unknown_parameter"),
        ({"session": {"type": "realtime", "audio": {"output": {"speed": 2}}}}, "session.audio.output.speed", "decimal_above_max_value"),
        ({"session": {"type": "realtime", "audio": {"input": {"transcription": {"model": "nope"}}}}}, "session.audio.input.transcription.model", "invalid_value"),
        ({"session": {"type": "realtime", "model": "gpt-realtime", "reasoning": {"effort": "low"}}}, "session.reasoning", "unsupported_parameter"),
        ({"session": {"type": "transcription", "model": "gpt-realtime-2.1"}}, "session.model", "unknown_parameter"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_code(
    shared_http: httpx2.Client, body: dict[str, Any], param: str, code: str
) -> None:
    answer = shared_http.post(PATH, json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["param"], error["code"]) == (
        400,
        "invalid_request_error",
        param,
        code,
    )
    assert error["message"]


def test_words_of_two_mistakes_are_those_of_openai(http: httpx2.Client) -> None:
    assert http.post(PATH, json={"expires_after": {"seconds": 9}}).json()["error"]["message"] == (
        "Invalid 'expires_after.seconds': integer below minimum value. Expected a value >= 10, but got 9 instead."
    )
    assert http.post(PATH, json={"session": {"type": "realtime", "x": 1}}).json()["error"]["message"] == (
        "Unknown parameter: 'session.x'."
    )


def test_a_stored_prompt_is_not_found_because_there_are_none(http: httpx2.Client) -> None:
    answer = http.post(PATH, json={"session": {"type": "realtime", "prompt": {"id": "pmpt_1"}}})
    assert answer.status_code == 404


def test_a_body_that_is_not_json_is_refused(http: httpx2.Client) -> None:
    kind = {"Content-Type": "application/json"}
    for content in ("{", "[]", '{"expires_after": {"seconds": NaN}}', "[" * 100_000):
        answer = http.post(PATH, content=content, headers=kind)
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert http.post(PATH, data={"a": "b"}).json()["error"]["code"] == "unsupported_content_type"


def test_a_key_without_realtime_cannot_mint(sandbox: RunningSandbox) -> None:
    headers = {"Authorization": "Bearer sk-norealtime-1"}
    answer = httpx2.post(f"{sandbox.base_url}{PATH}", json={}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "model_not_found")
    listed = httpx2.get(f"{sandbox.base_url}/models", headers=headers).json()["data"]
    assert listed
    assert not [model["id"] for model in listed if model["id"].startswith("gpt-realtime")]


def test_a_secret_is_kept_as_a_hash_until_it_expires_and_survives_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    database = tmp_path / "sandbox.db"
    with running_sandbox(clock=clock, database=database) as sandbox:
        headers = {
            "Authorization": "Bearer sk-test-1",
            "OpenAI-Safety-Identifier": "abc123",
            "OpenAI-Project": "proj_7",
        }
        value = httpx2.post(f"{sandbox.base_url}{PATH}", json={}, headers=headers).json()["value"]
        long = httpx2.post(
            f"{sandbox.base_url}{PATH}", json={}, headers={**headers, "OpenAI-Safety-Identifier": "x" * 65}
        )
        assert long.json()["error"]["code"] == "string_above_max_length"
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert value.encode() not in kept
    assert b"sk-test-1" not in kept
    with running_sandbox(clock=clock, database=database) as sandbox:
        minted = sandbox.sandbox.store.find_secret(value)
        assert minted is not None
        assert (minted.safety_identifier, minted.project_id) == ("abc123", "proj_7")
        assert minted.session["model"] == "gpt-realtime-2.1"
        assert sandbox.sandbox.store.find_secret("ek_never_issued") is None
        clock.advance(600)
        assert sandbox.sandbox.store.find_secret(value) is None
