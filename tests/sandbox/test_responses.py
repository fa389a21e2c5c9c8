"""Responses: answers, streams, chains, tools, formats and refusals."""

import json
from typing import Any

import httpx2
import openai
import pytest
from agents import Agent, ModelSettings, OpenAIResponsesModel, RunConfig, Runner, function_tool
from pydantic import BaseModel

from opencto.sandbox.mind import scripts
from opencto.testing import ManualClock, RunningSandbox

PATH = "/responses"
MODEL = "gpt-6-luna"
HELLO = scripts.scripted("Hello") or ""
KEYS = [
    "id", "object", "created_at", "status", "background", "billing", "completed_at", "error", "frequency_penalty",
    "incomplete_details", "instructions", "max_output_tokens", "max_tool_calls", "model", "output",
    "parallel_tool_calls", "presence_penalty", "previous_response_id", "prompt_cache_key", "prompt_cache_retention",
    "reasoning", "safety_identifier", "service_tier", "store", "temperature", "text", "tool_choice", "tools",
    "top_logprobs", "top_p", "truncation", "usage", "user", "metadata",
]  # fmt: skip
PING: dict[str, Any] = {"type": "function", "name": "ping", "parameters": {"type": "object", "properties": {}}}
NEEDY: dict[str, Any] = {
    "type": "function",
    "name": "restart",
    "parameters": {"type": "object", "properties": {"service": {"type": "string"}}, "required": ["service"]},
}


class Triage(BaseModel):
    severity: int
    summary: str


def ask(http: httpx2.Client, **body: Any) -> httpx2.Response:
    return http.post(PATH, json={"model": MODEL, "input": "Hello", **body})


def whole(http: httpx2.Client, **body: Any) -> dict[str, Any]:
    answer = ask(http, **body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def events(http: httpx2.Client, **body: Any) -> list[dict[str, Any]]:
    text = ask(http, stream=True, **body).text
    assert "[DONE]" not in text
    found: list[dict[str, Any]] = []
    for block in text.strip().split("\n\n"):
        kind, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert kind == f"event: {event['type']}"
        found.append(event)
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    return found


def test_an_answer_has_every_key_in_order(http: httpx2.Client) -> None:
    answer = ask(http)
    body = answer.json()
    assert list(body) == KEYS
    assert int(answer.headers["x-ratelimit-remaining-tokens"]) < int(answer.headers["x-ratelimit-limit-tokens"])
    [item] = body["output"]
    assert (item["type"], item["status"], item["role"]) == ("message", "completed", "assistant")
    said: dict[str, Any] = {
        "type": "output_text",
        "annotations": [],
        "logprobs": [],
        "text": HELLO,
    }
    assert item["content"] == [said]
    assert (body["store"], body["status"], body["text"]["format"]) == (True, "completed", {"type": "text"})
    assert body["usage"]["total_tokens"] == body["usage"]["input_tokens"] + body["usage"]["output_tokens"]


def test_a_stream_has_openais_order(http: httpx2.Client) -> None:
    found = events(http)
    kinds = [event["type"] for event in found if event["type"] != "response.output_text.delta"]
    assert kinds == [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
        "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
    ]  # fmt: skip
    text = "".join(event["delta"] for event in found if event["type"] == "response.output_text.delta")
    assert text == found[-1]["response"]["output"][0]["content"][0]["text"] == HELLO
    assert list(found[0]["response"]) == KEYS
    assert found[0]["response"]["output"] == []
    assert "obfuscation" in found[4]
    assert http.get(f"{PATH}/{found[0]['response']['id']}").json() == found[-1]["response"]
    assert '"obfuscation"' not in ask(http, stream=True, stream_options={"include_obfuscation": False}).text


def test_a_forced_call_streams_its_arguments_and_its_output_is_answered(http: httpx2.Client) -> None:
    found = events(http, tools=[NEEDY, PING], tool_choice="required")
    assert [event["type"].removeprefix("response.") for event in found] == [
        "created", "in_progress", "output_item.added", "function_call_arguments.delta",
        "function_call_arguments.done", "output_item.done", "completed",
    ]  # fmt: skip
    first = found[-1]["response"]
    [call] = first["output"]
    assert (call["name"], call["arguments"]) == ("ping", "{}")
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "pong in 3 ms"}
    chained = whole(http, input=[output], previous_response_id=first["id"], tools=[PING], tool_choice="required")
    assert chained["output"][0]["content"][0]["text"] == "The tool answered: pong in 3 ms"
    resent = whole(http, input=[{"role": "user", "content": "Hello"}, call, output])
    assert resent["output"][0]["content"][0]["text"] == "The tool answered: pong in 3 ms"
    unanswered = ask(http, previous_response_id=first["id"]).json()["error"]["message"]
    assert unanswered == f"No tool output found for function call {call['call_id']}."
    orphan = ask(http, input=[output]).json()["error"]["message"]
    assert orphan == f"No tool call found for function call output with call_id {call['call_id']}."


def test_arguments_are_never_made_up(http: httpx2.Client) -> None:
    [item] = whole(http, tools=[NEEDY], tool_choice={"type": "function", "name": "restart"})["output"]
    assert item["type"] == "message"
    assert "service" in item["content"][0]["text"]


def test_strict_is_the_default_and_closes_the_schema_in_the_echo(http: httpx2.Client) -> None:
    closed, left_open = whole(http, tools=[PING, {**NEEDY, "strict": False}])["tools"]
    assert (closed["strict"], closed["parameters"]["additionalProperties"]) == (True, False)
    assert (left_open["strict"], left_open["parameters"]) == (False, NEEDY["parameters"])


def test_a_bound_cuts_the_answer_and_says_incomplete(http: httpx2.Client) -> None:
    body = whole(http, input="What?", max_output_tokens=16)
    assert (body["status"], body["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert (body["output"][0]["status"], body["usage"]["output_tokens"]) == ("incomplete", 16)
    assert events(http, input="What?", max_output_tokens=16)[-1]["type"] == "response.incomplete"


def test_a_response_is_kept_for_thirty_days_and_chained(http: httpx2.Client, clock: ManualClock) -> None:
    first = whole(http, instructions="Be brief.", metadata={"team": "ops"})
    second = whole(http, input="Help", previous_response_id=first["id"])
    assert (first["instructions"], second["instructions"]) == ("Be brief.", None)
    assert second["usage"]["input_tokens"] > first["usage"]["output_tokens"]
    assert http.get(f"{PATH}/{first['id']}").json() == first
    other = http.get(f"{PATH}/{first['id']}", headers={"OpenAI-Project": "proj_other"})
    assert (other.status_code, other.json()["error"]["type"]) == (404, "invalid_request_error")
    removed = http.delete(f"{PATH}/{first['id']}").json()
    assert removed == {"id": first["id"], "object": "response", "deleted": True}
    assert http.delete(f"{PATH}/{first['id']}").status_code == 404
    gone = ask(http, previous_response_id=first["id"])
    assert (gone.status_code, gone.json()["error"]["code"]) == (400, "previous_response_not_found")
    clock.advance(30 * 86400)
    assert http.get(f"{PATH}/{second['id']}").status_code == 404
    private = whole(http, store=False)
    assert http.get(f"{PATH}/{private['id']}").status_code == 404


def test_input_items_are_paged(http: httpx2.Client) -> None:
    given = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
    ]
    path = f"{PATH}/{whole(http, input=given)['id']}/input_items"
    body = http.get(path, params={"limit": 2}).json()
    assert [item["content"][0]["text"] for item in body["data"]] == ["three", "two"]
    assert (body["has_more"], body["last_id"]) == (True, body["data"][1]["id"])
    rest = http.get(path, params={"limit": 2, "after": body["last_id"]}).json()
    assert ([item["content"][0]["text"] for item in rest["data"]], rest["has_more"]) == (["one"], False)
    assert http.get(path, params={"order": "asc"}).json()["data"][0]["id"] == rest["data"][0]["id"]
    for query in ({"limit": 0}, {"order": "up"}, {"after": "msg_nope"}):
        assert http.get(path, params=query).status_code == 400


def test_json_mode_wants_the_word_json(http: httpx2.Client) -> None:
    form = {"format": {"type": "json_object"}}
    assert "must contain the word 'json'" in ask(http, text=form).json()["error"]["message"]
    text = whole(http, text=form, input="Say it in JSON")["output"][0]["content"][0]["text"]
    assert json.loads(text).keys() == {"answer"}


def test_the_official_package_parses_streams_and_chains(ai: openai.OpenAI) -> None:
    parsed = ai.responses.parse(model=MODEL, input="The disk is full", text_format=Triage)
    assert parsed.output_parsed is not None
    assert "local sandbox" in parsed.output_parsed.summary
    with ai.responses.stream(model=MODEL, input="Hello") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    again = ai.responses.create(model=MODEL, input="thanks", previous_response_id=final.id)
    assert again.output_text == "You are welcome."
    assert ai.responses.retrieve(again.id).output_text == again.output_text
    assert [item.type for item in ai.responses.input_items.list(again.id)] == ["message"]
    ai.responses.delete(again.id)
    with pytest.raises(openai.NotFoundError):
        ai.responses.retrieve(again.id)


@pytest.mark.anyio
async def test_the_official_package_is_served_asynchronously(async_ai: openai.AsyncOpenAI) -> None:
    text = ""
    async for event in await async_ai.responses.create(model=MODEL, input="Hello", stream=True):
        if event.type == "response.output_text.delta":
            text += event.delta
    assert text == (await async_ai.responses.create(model=MODEL, input="Hello")).output_text


@pytest.mark.anyio
async def test_the_agents_package_calls_a_tool_and_gets_its_type(async_ai: openai.AsyncOpenAI) -> None:
    called: list[str] = []

    @function_tool
    def ping() -> str:
        """Says whether the service is there."""
        called.append("ping")
        return "pong in 3 ms"

    agent = Agent(
        name="CTO",
        instructions="Be brief.",
        model=OpenAIResponsesModel(model=MODEL, openai_client=async_ai),
        model_settings=ModelSettings(tool_choice="required"),
        tools=[ping],
        output_type=Triage,
    )
    quiet = RunConfig(tracing_disabled=True)
    result = await Runner.run(agent, "Is it up?", run_config=quiet)
    assert called == ["ping"]
    assert isinstance(result.final_output, Triage)
    assert result.final_output.summary == "The tool answered: pong in 3 ms"
    streamed = Runner.run_streamed(agent, "Is it up?", run_config=quiet)
    async for _ in streamed.stream_events():
        pass
    assert streamed.final_output == result.final_output


def test_a_stream_that_the_caller_leaves_is_booked_with_what_went_out(
    sandbox: RunningSandbox, http: httpx2.Client, admin: httpx2.Client, clock: ManualClock
) -> None:
    sandbox.fail("stall", path=PATH, value=60)
    with http.stream("POST", PATH, json={"model": MODEL, "input": "Hello", "stream": True}) as answer:
        assert next(answer.iter_lines()) == "event: response.created"
    query = {"start_time": int(clock.now().timestamp()) - 86400}
    results: list[dict[str, Any]] = []
    for _ in range(500):  # the server notices within milliseconds; each look is a round trip
        usage = admin.get("/organization/usage/completions", params=query).json()
        results = [one for bucket in usage["data"] for one in bucket["results"]]
        if results:
            break
    whole_answer = len(HELLO)
    [one] = results
    assert one["num_model_requests"] == 1
    assert one["output_tokens"] < whole_answer


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        ({"model": "gpt-nope"}, 404, "model", "model_not_found"),
        ({"model": "gpt-realtime-2.1"}, 404, "model", None),
        ({"foo": 1}, 400, "foo", "unknown_parameter"),
        ({"input": None}, 400, "input", "missing_required_parameter"),
        ({"input": []}, 400, "input", "empty_array"),
        ({"input": 3}, 400, "input", "invalid_type"),
        ({"input": [{"role": "bot", "content": "x"}]}, 400, "input[0].role", "invalid_value"),
        ({"input": [{"role": "user", "content": "x", "y": 1}]}, 400, "input[0].y", "unknown_parameter"),
        ({"input": [{"role": "user"}]}, 400, "input[0].content", "missing_required_parameter"),
        ({"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]}, 400,
         "input[0].content[0].type", "invalid_value"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, 400, "input[0]", "unsupported_value"),
        ({"max_output_tokens": 15}, 400, "max_output_tokens", "integer_below_min_value"),
        ({"previous_response_id": "resp_1", "conversation": "conv_1"}, 400, None, "mutually_exclusive_parameters"),
        ({"conversation": "conv_1"}, 400, "conversation", "unsupported_value"),
        ({"previous_response_id": "resp_1"}, 400, "previous_response_id", "previous_response_not_found"),
        ({"background": True, "store": False}, 400, "background", None),
        ({"tools": [{"type": "web_search"}]}, 400, "tools[0].type", "unsupported_value"),
        ({"tools": [{"type": "function", "function": "x"}]}, 400, "tools[0].name", "missing_required_parameter"),
        ({"tools": [{**NEEDY, "strict": True}]}, 400, "tools[0].parameters", "invalid_function_parameters"),
        ({"tool_choice": "required"}, 400, "tool_choice", None),
        ({"tools": [PING], "tool_choice": {"type": "function", "name": "x"}}, 400, "tool_choice", "invalid_value"),
        ({"text": {"format": {"type": "json_schema", "name": "x", "strict": True, "schema": {"type": "string"}}}}, 400,
         "text.format.schema", "invalid_json_schema"),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, 400, "text.format.name",
         "missing_required_parameter"),
        ({"stream_options": {}}, 400, "stream_options", None),
        ({"model": "gpt-4.1", "reasoning": {"effort": "low"}}, 400, "reasoning.effort", "unsupported_parameter"),
        ({"input": "word " * 130_000}, 400, "input", "context_length_exceeded"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_as_openai_refuses_it(
    shared_http: httpx2.Client, body: dict[str, Any], status: int, param: str | None, code: str | None
) -> None:
    answer = ask(shared_http, **body)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (status, param, code)
    assert error["type"] == "invalid_request_error"
