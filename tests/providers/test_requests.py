"""What we send upstream, judged by the `openai` package's own types and by mutation."""

import copy
from collections.abc import Iterator
from typing import Any, cast

import pytest
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from openai.types.realtime.client_secret_create_params import ClientSecretCreateParams
from pydantic import TypeAdapter, ValidationError

from opencto.providers.errors import ProviderError
from opencto.providers.openai import OpenAI
from opencto.providers.requests import (
    ChatRequest,
    FunctionTool,
    RealtimeSession,
    SemanticVad,
    ServerVad,
    Transcription,
    client_secret_body,
    safety_identifier,
)
from opencto.providers.transport import Pool
from providers.strict_types import validator
from providers.upstream import FakeUpstream, fake_upstream, reply

MINT = validator(ClientSecretCreateParams)
CHAT = validator(CompletionCreateParamsNonStreaming)
CHAT_STREAM = validator(CompletionCreateParamsStreaming)

WEATHER = FunctionTool(
    "weather", "The weather somewhere.", {"type": "object", "properties": {"city": {"type": "string"}}}, strict=True
)
FULL_SESSION = RealtimeSession(
    "gpt-realtime-2.1",
    "Be brief.",
    "marin",
    (WEATHER,),
    Transcription("gpt-transcribe", "de", "Names: Ada, Ben"),
    ServerVad(threshold=0.6, prefix_padding_ms=200, silence_duration_ms=400, idle_timeout_ms=9000),
    "near_field",
    reasoning_effort="low",
    max_output_tokens=1024,
)
FULL_SESSION_BODY = {
    "expires_after": {"anchor": "created_at", "seconds": 60},
    "session": {
        "type": "realtime",
        "model": "gpt-realtime-2.1",
        "instructions": "Be brief.",
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.6,
                    "prefix_padding_ms": 200,
                    "silence_duration_ms": 400,
                    "idle_timeout_ms": 9000,
                    "create_response": True,
                    "interrupt_response": True,
                },
                "transcription": {"model": "gpt-transcribe", "language": "de", "prompt": "Names: Ada, Ben"},
                "noise_reduction": {"type": "near_field"},
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"},
        },
        "tools": [
            {
                "type": "function",
                "name": "weather",
                "description": "The weather somewhere.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
            }
        ],
        "tool_choice": "auto",
        "reasoning": {"effort": "low"},
        "max_output_tokens": 1024,
    },
}
FULL_CHAT = ChatRequest(
    "gpt-6-luna",
    [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
    (WEATHER,),
    "auto",
    500,
    "low",
    "a1b2c3",
    ("answer", {"type": "object", "properties": {}, "additionalProperties": False}),
)
FULL_CHAT_BODY: dict[str, Any] = {
    "model": "gpt-6-luna",
    "messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
    "store": False,
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "The weather somewhere.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
                "strict": True,
            },
        }
    ],
    "tool_choice": "auto",
    "max_completion_tokens": 500,
    "reasoning_effort": "low",
    "safety_identifier": "a1b2c3",
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "answer",
            "schema": {"type": "object", "properties": {}, "additionalProperties": False},
            "strict": True,
        },
    },
}
STREAM_FIELDS = {"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}}
OWN_SCHEMAS = {"parameters", "schema"}  # JSON Schema of ours: OpenAI's types say `object` there


def judge(body: Any, strict: TypeAdapter[Any], meant: Any) -> None:
    """Raises unless the body is what OpenAI's types allow, and says what was meant."""
    strict.validate_python(body)
    assert body == meant


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field in a body, at every depth."""
    items: Any = ()
    if isinstance(value, (dict, list)):
        items = (
            cast("dict[str, Any]", value).items() if isinstance(value, dict) else enumerate(cast("list[Any]", value))
        )
    for name, inner in items:
        if isinstance(name, str):
            yield (*path, name)
        if name not in OWN_SCHEMAS:
            yield from places(inner, (*path, name))


def mutated(body: Any, path: tuple[Any, ...], rename: str | None) -> Any:
    changed = copy.deepcopy(body)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    value = holder.pop(path[-1])
    if rename is not None:
        holder[rename] = value
    return changed


async def sent(upstream: FakeUpstream, call: str) -> Any:
    upstream.plant(reply(200, {"error": "enough"}))
    pool = Pool()
    door = OpenAI(pool, upstream.base_url)
    try:
        if call == "mint":
            await door.mint_client_secret(None, FULL_SESSION, ttl_seconds=60, safety_identifier="a1b2c3")
        elif call == "chat":
            await door.chat(None, FULL_CHAT)
        else:
            async with door.chat_stream(None, FULL_CHAT):
                pass
    except ProviderError:
        pass  # only what was sent counts here
    finally:
        await pool.aclose()
    return upstream.received[-1]


CASES = {
    "mint": (MINT, FULL_SESSION_BODY),
    "chat": (CHAT, FULL_CHAT_BODY),
    "stream": (CHAT_STREAM, FULL_CHAT_BODY | STREAM_FIELDS),
}


@pytest.mark.anyio
@pytest.mark.parametrize("call", CASES)
async def test_what_reaches_openai_is_what_its_own_types_allow_and_what_was_meant(call: str) -> None:
    async with fake_upstream() as upstream:
        received = await sent(upstream, call)
    judge(received.json, *CASES[call])
    assert received.headers.get("openai-safety-identifier") == ("a1b2c3" if call == "mint" else None)


@pytest.mark.anyio
@pytest.mark.parametrize("call", CASES)
async def test_a_dropped_or_renamed_field_is_noticed(call: str) -> None:
    async with fake_upstream() as upstream:
        body = (await sent(upstream, call)).json
    strict, meant = CASES[call]
    paths = list(places(body))
    assert len(paths) > 12
    for path in paths:
        with pytest.raises((AssertionError, ValidationError)):
            judge(mutated(body, path, None), strict, meant)
        with pytest.raises(ValidationError):  # the types alone are enough to notice a wrong name
            strict.validate_python(mutated(body, path, f"{path[-1]}x"))


@pytest.mark.parametrize(
    "session",
    [
        RealtimeSession("gpt-realtime-2.1", "", "cedar"),
        RealtimeSession("gpt-realtime-2.1", "", "cedar", turn_detection=None, speaks=False),
        RealtimeSession(
            "gpt-realtime-2.1", "", "cedar", turn_detection=SemanticVad("low"), noise_reduction="far_field"
        ),
        RealtimeSession("gpt-realtime-2.1", "", "cedar", transcription=Transcription("gpt-transcribe")),
        FULL_SESSION,
    ],
)
def test_every_kind_of_session_is_what_openais_types_allow(session: RealtimeSession) -> None:
    MINT.validate_python(client_secret_body(session, 60))


def test_no_turn_detection_is_sent_as_null_and_not_left_out() -> None:
    body: Any = RealtimeSession("m", "", "v", turn_detection=None).body()
    assert body["audio"]["input"]["turn_detection"] is None


def test_what_is_not_asked_for_is_not_sent() -> None:
    body: Any = ChatRequest("m", [{"role": "user", "content": "Hi"}]).body(stream=False)
    assert body == {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "store": False}


@pytest.mark.parametrize("seconds", [9, 7201])
def test_a_lifetime_that_openai_would_refuse_is_refused_here(seconds: int) -> None:
    with pytest.raises(ValueError, match="10 to 7200"):
        client_secret_body(FULL_SESSION, seconds)


@pytest.mark.parametrize("text", ["ada@example.com", "x" * 65, "", "naïve", "a b"])
def test_what_could_name_a_person_is_no_safety_identifier(text: str) -> None:
    with pytest.raises(ValueError, match="hash"):
        safety_identifier(text)
