"""Faults on demand: each does what it says, where and as often as it was told."""

import json
import threading

import httpx2
import openai
import pytest

from opencto.sandbox.faults import KINDS, Fault
from opencto.testing import RunningSandbox, running_sandbox

CHAT = "/chat/completions"
BODY = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.mark.parametrize(
    ("kind", "status", "type_", "code"),
    [
        ("error_500", 500, "server_error", None),
        ("error_503", 503, "server_error", "overloaded"),
        ("rate_limit", 429, "requests", "rate_limit_exceeded"),
        ("slow_down", 429, "rate_limit_error", "slow_down"),
        ("quota", 429, "insufficient_quota", "insufficient_quota"),
        ("unauthorized", 401, "invalid_request_error", "invalid_api_key"),
        ("forbidden", 403, "request_forbidden", "unsupported_country_region_territory"),
    ],
)
def test_an_error_on_demand_has_its_status_and_envelope(
    sandbox: RunningSandbox, http: httpx2.Client, kind: str, status: int, type_: str, code: str | None
) -> None:
    sandbox.fail(kind, times=1)
    answer = http.get("/models")
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"]) == (status, type_, code)
    assert answer.headers["x-request-id"].startswith("req_")
    assert http.get("/models").status_code == 200


def test_a_rate_limit_says_how_long(sandbox: RunningSandbox, http: httpx2.Client) -> None:
    sandbox.fail("rate_limit", value=7)
    assert http.get("/models").headers["retry-after"] == "7"
    sandbox.fail("quota", path=CHAT)
    sandbox.heal()
    sandbox.fail("quota")
    assert http.get("/models").headers["x-should-retry"] == "false"


def test_html_comes_instead_of_json(sandbox: RunningSandbox, http: httpx2.Client) -> None:
    sandbox.fail("html")
    answer = http.get("/models")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    sandbox.heal()
    sandbox.fail("html", value=502)
    assert http.get("/models").status_code == 502


def test_half_a_json_is_whole_on_the_wire_and_not_to_be_read(sandbox: RunningSandbox, http: httpx2.Client) -> None:
    sandbox.fail("half_json")
    answer = http.get("/models")
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_cut_answer_ends_the_connection(sandbox: RunningSandbox, http: httpx2.Client) -> None:
    sandbox.fail("cut")
    with pytest.raises(httpx2.RemoteProtocolError):
        http.get("/models")
    lines: list[str] = []
    with http.stream("POST", CHAT, json={**BODY, "stream": True}) as answer, pytest.raises(httpx2.RemoteProtocolError):
        lines.extend(answer.iter_lines())
    assert "data: [DONE]" not in lines


def test_a_cut_stream_reaches_the_package_as_an_error_after_some_text(
    sandbox: RunningSandbox, ai: openai.OpenAI
) -> None:
    sandbox.fail("cut", path=CHAT)
    stream = ai.chat.completions.create(model="gpt-6-luna", messages=[{"role": "user", "content": "help"}], stream=True)
    assert [next(stream).choices[0].delta.content for _ in range(2)] == ["", "I"]
    with pytest.raises((openai.APIError, httpx2.RemoteProtocolError)):
        next(stream)


def test_a_stall_in_the_middle_runs_into_the_deadline_of_the_caller(
    sandbox: RunningSandbox, http: httpx2.Client
) -> None:
    sandbox.fail("stall", value=600)
    for body in (BODY, {**BODY, "stream": True}):
        with pytest.raises(httpx2.ReadTimeout):
            http.post(CHAT, json=body, timeout=0.3)


def test_a_stall_that_ends_is_followed_by_the_rest(sandbox: RunningSandbox, http: httpx2.Client) -> None:
    sandbox.fail("stall", value=0.05)
    assert http.post(CHAT, json={**BODY, "stream": True}).text.endswith("data: [DONE]\n\n")


def test_a_stream_that_trembles_comes_whole_and_in_order(sandbox: RunningSandbox, http: httpx2.Client) -> None:
    smooth = http.post(CHAT, json={**BODY, "stream": True}).text.count("\n\n")
    sandbox.fail("jitter", value=0.005)
    trembling = http.post(CHAT, json={**BODY, "stream": True}).text
    assert trembling.endswith("data: [DONE]\n\n")
    assert trembling.count("\n\n") == smooth


def test_a_half_open_connection_takes_the_request_and_says_nothing(
    sandbox: RunningSandbox, http: httpx2.Client
) -> None:
    sandbox.fail("half_open", path=CHAT, times=1)
    with pytest.raises(httpx2.ReadTimeout):
        http.post(CHAT, json=BODY, timeout=0.3)
    assert http.post(CHAT, json=BODY).status_code == 200


def test_latency_delays_the_answer_and_nothing_else(sandbox: RunningSandbox, http: httpx2.Client) -> None:
    sandbox.fail("latency", value=0.4)
    with pytest.raises(httpx2.ReadTimeout):
        http.post(CHAT, json=BODY, timeout=0.2)
    assert http.post(CHAT, json=BODY).json()["choices"][0]["finish_reason"] == "stop"


def test_a_fault_meets_its_paths_and_its_number_of_times(sandbox: RunningSandbox, http: httpx2.Client) -> None:
    sandbox.fail("error_500", path=CHAT, times=2)
    assert [http.get("/models").status_code, *(http.post(CHAT, json=BODY).status_code for _ in range(3))] == [
        200,
        500,
        500,
        200,
    ]


def test_a_fault_for_three_meets_exactly_three_of_many_at_once(sandbox: RunningSandbox) -> None:
    sandbox.fail("error_503", times=3)
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(httpx2.get(f"{sandbox.base_url}/models", headers={"Authorization": "Bearer sk-1"}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(statuses) == [200] * 5 + [503] * 3


def test_faults_are_written_on_the_command_line_and_over_the_control_route() -> None:
    with running_sandbox(faults=["error_503@/models*1"]) as sandbox:
        headers = {"Authorization": "Bearer sk-1"}
        models, control = f"{sandbox.base_url}/models", f"{sandbox.base_url}/_faults"
        assert httpx2.get(control).json()["faults"] == [
            {"kind": "error_503", "path": "/models", "value": 0.0, "times": 1}
        ]
        assert httpx2.get(models, headers=headers).status_code == 503
        assert httpx2.get(models, headers=headers).status_code == 200
        assert httpx2.post(control, json={"kind": "quota"}).status_code == 201
        assert httpx2.get(models, headers=headers).status_code == 429
        assert httpx2.post(control, json={"kind": "nonsense"}).status_code == 400
        assert httpx2.delete(control).json() == {"faults": []}
        assert httpx2.get(models, headers=headers).status_code == 200


def test_the_control_route_is_not_there_for_strangers_and_pages_of_other_sites() -> None:
    with running_sandbox() as sandbox:
        control = f"{sandbox.base_url}/_faults"
        for headers in ({"X-Forwarded-For": "203.0.113.9"}, {"Origin": "https://evil.example"}):
            assert httpx2.get(control, headers=headers).status_code == 404
            assert httpx2.post(control, json={"kind": "quota"}, headers=headers).status_code == 404
    with running_sandbox(fault_control=False) as sandbox:
        assert httpx2.get(f"{sandbox.base_url}/_faults").status_code == 404


@pytest.mark.parametrize(
    "written", ["nonsense", "latency:-1", "latency@models", "latency*0", "latency:9999", "", "stall:"]
)
def test_a_fault_that_cannot_be_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"fault|value"):
        Fault.parse(written)


def test_every_kind_can_be_written_with_all_its_parts() -> None:
    for kind in KINDS:
        assert Fault.parse(f"{kind}:2.5@/chat*4") == Fault(kind, "/chat", 2.5, 4)
        assert Fault.parse(kind) == Fault(kind, "/", KINDS[kind][1], None)
