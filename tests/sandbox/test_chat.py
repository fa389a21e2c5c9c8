"""Chat Completions: answers, bounds, formats, tools and refusals."""

import json
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from opencto.sandbox import tokens
from opencto.sandbox.mind import scripts
from opencto.testing import ManualClock, RunningSandbox, running_sandbox
from strict_openai import strictly

PATH = "/chat/completions"
HELLO = [{"role": "user", "content": "Hello"}]


def calling(sandbox: RunningSandbox) -> httpx2.Client:
    return httpx2.Client(base_url=sandbox.base_url, headers={"Authorization": "Bearer sk-test-1"})


def ask(http: httpx2.Client, **body: Any) -> httpx2.Response:
    return http.post(PATH, json={"model": "gpt-6-luna", "messages": HELLO, **body})


def test_an_answer_has_every_key_and_no_other(http: httpx2.Client) -> None:
    answer = ask(http)
    body = answer.json()
    strictly(ChatCompletion, body)
    assert body.keys() == {
        "id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint",
    }  # fmt: skip
    assert body["choices"][0]["message"] == {
        "role": "assistant",
        "content": scripts.scripted("Hello"),
        "refusal": None,
        "annotations": [],
    }
    for kind in ("requests", "tokens"):
        assert int(answer.headers[f"x-ratelimit-remaining-{kind}"]) < int(answer.headers[f"x-ratelimit-limit-{kind}"])
        assert answer.headers[f"x-ratelimit-reset-{kind}"].endswith("s")


def test_the_same_question_gets_the_same_answer_that_says_it_is_a_sandbox(http: httpx2.Client) -> None:
    question = [{"role": "user", "content": "What is the capital of France?"}]
    first, second = (ask(http, messages=question).json()["choices"][0]["message"]["content"] for _ in range(2))
    assert first == second
    assert "local sandbox" in first
    assert "Add an OpenAI key" in first


def test_a_bound_cuts_the_answer_and_says_length(http: httpx2.Client) -> None:
    body = ask(http, max_completion_tokens=3).json()
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 3
    assert ask(http, model="gpt-4.1", max_tokens=2).json()["usage"]["completion_tokens"] == 2


def test_a_stop_sequence_ends_the_answer_before_it(http: httpx2.Client) -> None:
    whole = ask(http).json()["choices"][0]["message"]["content"]
    choice = ask(http, stop=["sandbox"]).json()["choices"][0]
    assert choice["message"]["content"] == whole.split("sandbox", maxsplit=1)[0]
    assert choice["finish_reason"] == "stop"


def test_a_stream_is_data_lines_that_end_with_done(http: httpx2.Client) -> None:
    lines = [line for line in ask(http, stream=True).text.split("\n\n") if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    for chunk in chunks:
        strictly(ChatCompletionChunk, chunk)
        assert "usage" not in chunk
        assert "obfuscation" in chunk
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert chunks[-1]["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    assert '"obfuscation"' not in ask(http, stream=True, stream_options={"include_obfuscation": False}).text


TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "ping", "parameters": {"type": "object", "properties": {}}},
}
NEEDY: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "restart",
        "parameters": {"type": "object", "properties": {"service": {"type": "string"}}, "required": ["service"]},
    },
}


def test_a_required_tool_without_arguments_is_called_whole_and_streamed(http: httpx2.Client) -> None:
    body = ask(http, tools=[NEEDY, TOOL], tool_choice="required").json()
    strictly(ChatCompletion, body)
    choice = body["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    [call] = choice["message"]["tool_calls"]
    assert call["function"] == {"name": "ping", "arguments": "{}"}
    text = ask(http, tools=[TOOL], tool_choice={"type": "function", "function": {"name": "ping"}}, stream=True).text
    chunks = [json.loads(line.removeprefix("data: ")) for line in text.split("\n\n")[:-2]]
    calls = [one for chunk in chunks for one in strictly(ChatCompletionChunk, chunk).choices[0].delta.tool_calls or []]
    assert "".join(one.function.arguments or "" for one in calls if one.function) == "{}"


def test_arguments_are_never_made_up(http: httpx2.Client) -> None:
    choice = ask(http, tools=[NEEDY], tool_choice="required").json()["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert "service" in choice["message"]["content"]
    assert ask(http, tools=[NEEDY]).json()["choices"][0]["finish_reason"] == "stop"


def test_the_result_of_a_tool_is_answered_from(http: httpx2.Client) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "ping", "arguments": "{}"}}
    messages = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "pong in 3 ms"},
    ]
    body = ask(http, messages=messages, tools=[TOOL], tool_choice="required").json()
    assert body["choices"][0]["message"]["content"] == "The tool answered: pong in 3 ms"
    unanswered = ask(http, messages=messages[:2], tools=[TOOL])
    assert "call_1" in unanswered.json()["error"]["message"]
    orphan = ask(http, messages=[*HELLO, messages[2]], tools=[TOOL])
    assert "must be a response to a preceeding message" in orphan.json()["error"]["message"]


def test_what_was_answered_may_come_back_as_history(http: httpx2.Client) -> None:
    first = ask(http).json()["choices"][0]["message"]
    answer = ask(http, messages=[*HELLO, first, {"role": "user", "content": "help"}])
    assert answer.status_code == 200


def test_structured_output_holds_to_the_schema(http: httpx2.Client) -> None:
    schema = {
        "type": "object",
        "properties": {
            "severity": {"type": "string", "enum": ["low", "high"]},
            "count": {"type": "integer", "minimum": 2},
            "parts": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/part"}},
        },
        "required": ["severity", "count", "parts"],
        "additionalProperties": False,
        "$defs": {
            "part": {
                "type": "object",
                "properties": {"name": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
                "required": ["name"],
                "additionalProperties": False,
            }
        },
    }
    form = {"type": "json_schema", "json_schema": {"name": "triage", "strict": True, "schema": schema}}
    found = json.loads(ask(http, response_format=form).json()["choices"][0]["message"]["content"])
    assert (found["severity"], found["count"]) == ("low", 2)
    assert "sandbox" in found["parts"][0]["name"]
    open_schema = {**schema, "additionalProperties": True}
    form["json_schema"] = {"name": "triage", "strict": True, "schema": open_schema}
    assert "'additionalProperties' is required" in ask(http, response_format=form).json()["error"]["message"]
    form["json_schema"] = {"name": "triage", "schema": {"type": "string", "pattern": "^a$"}}
    assert "pattern" in ask(http, response_format=form).json()["error"]["message"]


def test_json_mode_wants_the_word_json(http: httpx2.Client) -> None:
    form = {"type": "json_object"}
    assert "must contain the word 'json'" in ask(http, response_format=form).json()["error"]["message"]
    asked = ask(http, response_format=form, messages=[{"role": "user", "content": "Say it in JSON"}]).json()
    assert json.loads(asked["choices"][0]["message"]["content"]).keys() == {"answer"}


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        ({"model": "gpt-nope"}, 404, "model", "model_not_found"),
        ({"model": "gpt-4"}, 404, "model", "model_not_found"),
        ({"model": "gpt-realtime-2.1"}, 404, "model", None),
        ({"model": 3}, 400, "model", "invalid_type"),
        ({"foo": 1}, 400, None, None),
        ({"messages": []}, 400, "messages", "empty_array"),
        ({"messages": "hi"}, 400, "messages", "invalid_type"),
        ({"messages": [{"role": "user"}]}, 400, "messages[0].content", "missing_required_parameter"),
        ({"messages": [{"role": "user", "content": None}]}, 400, "messages[0].content", "invalid_type"),
        ({"messages": [{"role": "bot", "content": "x"}]}, 400, "messages[0].role", "invalid_value"),
        ({"messages": [{"role": "user", "content": "x", "y": 1}]}, 400, "messages[0].y", "unknown_parameter"),
        ({"messages": [{"role": "assistant"}, *HELLO]}, 400, "messages.[0].content", None),
        ({"max_tokens": 5}, 400, "max_tokens", "unsupported_parameter"),
        ({"max_completion_tokens": 0}, 400, "max_completion_tokens", "integer_below_min_value"),
        ({"max_completion_tokens": "5"}, 400, "max_completion_tokens", "invalid_type"),
        ({"temperature": 2.5}, 400, "temperature", "decimal_above_max_value"),
        ({"stop": ["a", "b", "c", "d", "e"]}, 400, "stop", "array_above_max_length"),
        ({"stream_options": {"include_usage": True}}, 400, "stream_options", None),
        ({"stream": "yes"}, 400, "stream", "invalid_type"),
        ({"tool_choice": "auto"}, 400, "tool_choice", None),
        ({"tools": [{"type": "function", "name": "x"}]}, 400, "tools[0].function", "missing_required_parameter"),
        ({"n": 2}, 400, "n", "unsupported_value"),
        ({"web_search_options": {"search_context_size": "low"}}, 400, "web_search_options", "unsupported_value"),
        ({"model": "gpt-4.1", "reasoning_effort": "low"}, 400, None, None),
        ({"safety_identifier": "x" * 65}, 400, "safety_identifier", "string_above_max_length"),
        ({"messages": [{"role": "user", "content": "word " * 130_000}]}, 400, "messages", "context_length_exceeded"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_as_openai_refuses_it(
    shared_http: httpx2.Client, body: dict[str, Any], status: int, param: str | None, code: str | None
) -> None:
    answer = ask(shared_http, **body)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (status, param, code)
    assert error["type"] == "invalid_request_error"


def test_the_unknown_field_at_the_top_is_named_in_the_older_words(http: httpx2.Client) -> None:
    assert ask(http, foo=1).json()["error"]["message"] == "Unrecognized request argument supplied: foo"


def test_the_limit_holds_and_says_when_to_come_back(clock: ManualClock) -> None:
    with running_sandbox(clock=clock, requests_per_minute=3) as sandbox, calling(sandbox) as http:
        statuses = [ask(http).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        refused = ask(http)
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"
        assert refused.json()["error"]["type"] == "requests"
        assert refused.headers["retry-after"] == "20"
        assert refused.headers["x-ratelimit-remaining-requests"] == "0"
        assert refused.headers["x-ratelimit-reset-requests"] == "1m0s"
        clock.advance(20)
        assert ask(http).status_code == 200
        assert ask(http).status_code == 429


def test_a_request_larger_than_the_limit_can_never_pass(clock: ManualClock) -> None:
    with running_sandbox(clock=clock, tokens_per_minute=50) as sandbox, calling(sandbox) as http:
        refused = ask(http).json()["error"]
    assert (refused["type"], refused["code"]) == ("tokens", "rate_limit_exceeded")
    assert refused["message"].startswith("Request too large")


@given(st.text())
def test_tokens_joined_again_are_the_text(text: str) -> None:
    assert "".join(tokens.split(text)) == text


def test_tokens_of_english_prose_are_about_one_for_four_characters() -> None:
    prose = (
        "Ada runs a small team. One command, a link in the terminal, and she is talking to it in a minute, with no key at "
        "all. Ben runs a platform for forty workspaces. Each brings its own key; he needs limits, costs, an audit trail, "
        "and several nodes. Chi is on call. At three in the morning she wants: what broke, the evidence, what it did, and "
        "what waits for her yes."
    )
    assert abs(tokens.count(prose) / (len(prose) / 4) - 1) < 0.2
