"""Counting before asking, and a conversation that is made small and goes on."""

import base64
import json
import zlib
from typing import Any

import httpx2
import openai
import pytest
from openai.types.responses import CompactedResponse, ResponseInputParam

from opencto.sandbox.responses.compaction import packed
from strict_openai import strictly

MODEL = "gpt-6-luna"


def test_input_is_counted_as_an_answer_would_count_it(ai: openai.OpenAI) -> None:
    count = ai.responses.input_tokens.count(model=MODEL, input="How many tokens is this?", instructions="Be brief.")
    answer = ai.responses.create(model=MODEL, input="How many tokens is this?", instructions="Be brief.")
    assert answer.usage is not None
    assert (count.object, count.input_tokens) == ("response.input_tokens", answer.usage.input_tokens)
    chained = ai.responses.input_tokens.count(model=MODEL, input="And now?", previous_response_id=answer.id)
    assert chained.input_tokens > count.input_tokens


def test_a_compacted_conversation_goes_on_with_what_was_said(ai: openai.OpenAI) -> None:
    talk: ResponseInputParam = [
        {"role": "user", "content": "Is it up?"},
        {"type": "function_call", "call_id": "call_1", "name": "ping", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "pong in 3 ms"},
    ]
    body: Any = ai.responses.with_raw_response.compact(model=MODEL, input=talk).http_response.json()
    assert [item["type"] for item in body["output"]] == ["message", "compaction"]
    assert body["output"][0]["content"][0]["text"] == "Is it up?"
    strictly(CompactedResponse, {**body, "output": body["output"][1:]})
    going_on: Any = [*body["output"], {"role": "user", "content": "Hello"}]
    assert "local sandbox" in ai.responses.create(model=MODEL, input=going_on).output_text
    told: Any = body["output"]
    assert ai.responses.create(model=MODEL, input=told).output_text == "The tool answered: pong in 3 ms"


def test_a_chain_is_compacted_by_the_id_of_its_end(ai: openai.OpenAI) -> None:
    first = ai.responses.create(model=MODEL, input="Hello")
    small = ai.responses.compact(model=MODEL, previous_response_id=first.id)
    assert small.usage.input_tokens > 0
    assert small.output[-1].type == "compaction"


@pytest.mark.parametrize(
    "content",
    [
        "not base64!",
        base64.urlsafe_b64encode(b"not zipped").decode(),
        base64.urlsafe_b64encode(zlib.compress(b"{}")).decode(),
        base64.urlsafe_b64encode(zlib.compress(b" " * 40_000_000)).decode(),
        packed([{"type": "message", "role": "user", "content": "x", "surprise": 1}]),
        packed([{"type": "compaction", "encrypted_content": packed([])}]),
        packed([{"type": "item_reference", "id": "msg_1"}]),
    ],
)
def test_what_was_not_packed_here_is_refused(shared_http: httpx2.Client, content: str) -> None:
    asked = {"model": MODEL, "input": [{"type": "compaction", "encrypted_content": content}]}
    answer = shared_http.post("/responses", content=json.dumps(asked), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input")


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("input_tokens", {"input": "x"}, "model"),
        ("input_tokens", {"model": MODEL}, "input"),
        ("input_tokens", {"model": MODEL, "input": "x", "stream": True}, "stream"),
        ("compact", {"model": MODEL}, "input"),
        ("compact", {"model": MODEL, "input": "x", "tools": []}, "tools"),
        ("compact", {"model": "gpt-nope", "input": "x"}, "model"),
    ],
)
def test_mistakes_are_named(shared_http: httpx2.Client, path: str, body: dict[str, Any], param: str) -> None:
    answer = shared_http.post(f"/responses/{path}", json=body)
    assert answer.json()["error"]["param"] == param
    assert answer.status_code in {400, 404}
