"""What the surfaces really send to OpenAI, judged by the `openai` package's own types and, field by field, by mutation."""

import re
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from opencto.testing import RunningSandbox
from providers.test_requests import CHAT, CHAT_STREAM, MINT, judge, mutated, places
from surface import KEY, Surface

pytestmark = pytest.mark.anyio
ANY_HASH = "0" * 64
TOOLS = (
    "get_limits_status",
    "get_openai_usage",
    "get_service_health",
    "list_openai_models",
    "list_voice_sessions",
    "set_monthly_budget",
)
SESSION: dict[str, Any] = {
    "type": "realtime",
    "model": "gpt-realtime-2.1",
    "instructions": "…",
    "output_modalities": ["audio"],
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "transcription": {"model": "gpt-transcribe", "language": "en"},
            "turn_detection": {
                "type": "semantic_vad",
                "eagerness": "auto",
                "create_response": True,
                "interrupt_response": True,
            },
            "noise_reduction": {"type": "near_field"},
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "marin"},
    },
    "tools": [{"type": "function", "name": name, "description": "…", "parameters": {}} for name in TOOLS],
    "tool_choice": "auto",
}
ASKED: dict[str, Any] = {
    "model": "gpt-6-luna",
    "messages": [{"role": "system", "content": "…"}, {"role": "user", "content": "Hello"}],
    "store": False,
    "max_completion_tokens": 1500,
    "safety_identifier": ANY_HASH,
}
STREAMED = {"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}}
SENT: dict[str, tuple[TypeAdapter[Any], dict[str, Any], int]] = {
    "mint": (MINT, {"expires_after": {"anchor": "created_at", "seconds": 60}, "session": SESSION}, 20),
    "respond": (CHAT, ASKED, 8),
    "stream": (CHAT_STREAM, ASKED | STREAMED, 11),
}


async def sent(surface: Surface, sandbox: RunningSandbox, what: str) -> Any:
    """The body as OpenAI got it; what is free text, or differs from server to server, is made the same."""
    answer = (
        await surface.mint()
        if what == "mint"
        else await surface.respond(body={"text": "Hello", "stream": what == "stream"})
    )
    assert answer.status_code in {200, 201}, answer.text
    (seen,) = sandbox.requests
    headers = dict(seen.headers)
    for dull in ("host", "content-length", "accept", "connection"):
        headers.pop(dull, None)
    safety = headers.pop("openai-safety-identifier", None)
    assert headers == {
        "authorization": f"Bearer {KEY}",
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": "OpenCTO",
    }
    body = seen.json()
    if what == "mint":
        assert safety is not None
        assert re.fullmatch(r"[0-9a-f]{32,64}", safety)
        assert len(body["session"]["instructions"]) > 100
        body["session"]["instructions"] = "…"
        for tool in body["session"]["tools"]:  # sentences and schemas of ours: the tools' own tests look into them
            assert len(tool["description"]) > 20
            assert tool["parameters"]["type"] == "object"
            tool["description"], tool["parameters"] = "…", {}
    else:
        assert re.fullmatch(r"[0-9a-f]{32,64}", body["safety_identifier"])
        assert len(body["messages"][0]["content"]) > 100
        body["messages"][0]["content"], body["safety_identifier"] = "…", ANY_HASH
    return body


@pytest.mark.parametrize("what", SENT)
async def test_every_field_that_is_sent_is_one_of_openais_and_is_missed_when_it_is_not_there(
    surface: Surface, sandbox: RunningSandbox, what: str
) -> None:
    strict, meant, fields = SENT[what]
    body = await sent(surface, sandbox, what)
    judge(body, strict, meant)
    paths = list(places(body))
    assert len(paths) >= fields
    for path in paths:
        name = ".".join(str(step) for step in path)
        with pytest.raises((AssertionError, ValidationError)):  # noqa: PT012 - the second line names what passed
            judge(mutated(body, path, None), strict, meant)
            pytest.fail(f"{name} may be left out and nobody notices", pytrace=False)
        with pytest.raises(ValidationError):  # noqa: PT012 - the second line names what passed
            strict.validate_python(mutated(body, path, f"{path[-1]}_"))
            pytest.fail(f"{name} may be misspelt and OpenAI's own types do not notice", pytrace=False)
