"""What every answer carries, and what stands where nothing else does."""

from datetime import datetime
from pathlib import Path

import httpx2
import pytest

from opencto.sandbox.keys import TEST_WORDS, masked
from opencto.testing import RunningSandbox, running_sandbox

EVERYWHERE = ("x-request-id", "openai-processing-ms", "openai-version", "openai-organization")


def test_every_answer_says_that_it_is_a_sandbox_and_has_a_request_id(http: httpx2.Client) -> None:
    ids: set[str] = set()
    for answer in (
        http.get("/models"),
        http.get("/models/nope"),
        http.get("/nope"),
        http.post("/models"),
        http.post("/chat/completions", json={}),
        http.get("/"),
        http.get("/models", headers={"Authorization": ""}),
    ):
        assert answer.headers["x-opencto-sandbox"] == "true"
        assert all(name in answer.headers for name in EVERYWHERE)
        ids.add(answer.headers["x-request-id"])
    assert len(ids) == 7


def test_unknown_places_and_methods_are_refused_in_json(http: httpx2.Client) -> None:
    for method, path, status, message in (
        ("GET", "/nope", 404, "Invalid URL (GET /v1/nope)"),
        ("GET", "/organization/usage/nope", 401, None),
        ("DELETE", "/models", 405, "Invalid method for URL (DELETE /v1/models)"),
        ("GET", "/chat/completions", 405, "Invalid method for URL (GET /v1/chat/completions)"),
    ):
        answer = http.request(method, path)
        error = answer.json()["error"]
        assert answer.status_code == status
        assert error.keys() == {"message", "type", "param", "code"}
        assert message in {None, error["message"]}


def test_no_key_and_a_wrong_key_are_told_apart_and_the_wrong_one_is_masked(sandbox: RunningSandbox) -> None:
    url = f"{sandbox.base_url}/models"
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Basic abc"}):
        answer = httpx2.get(url, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, None)
    key = "sk-revoked-0123456789abcdefghijklmnop"
    message = httpx2.get(url, headers={"Authorization": f"Bearer {key}"}).json()["error"]["message"]
    assert key not in message
    assert f"Incorrect API key provided: {masked(key)}." in message
    assert masked("short") == "*****"


def test_a_body_larger_than_the_bound_is_refused(http: httpx2.Client) -> None:
    answer = http.post("/chat/completions", content=b" " * (17 << 20), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "invalid_request_error")


def test_the_requests_are_recorded_as_they_came(sandbox: RunningSandbox, http: httpx2.Client) -> None:
    http.post("/chat/completions?a=1", json={"model": "gpt-6-luna"}, headers={"X-Mine": "7"})
    [seen] = sandbox.seen("/chat/completions", "POST")
    assert (seen.query, seen.json(), seen.headers["x-mine"]) == ("a=1", {"model": "gpt-6-luna"}, "7")
    assert seen.headers["authorization"] == "Bearer sk-test-0123456789abcdef"
    assert sandbox.seen("/chat/completions", "GET") == []


def test_the_status_page_tells_people_and_programs_what_it_is(sandbox: RunningSandbox) -> None:
    facts = httpx2.get(f"{sandbox.base_url}/").json()
    assert facts["sandbox"] is True
    assert set(facts["testKeys"]) == {f"{word}…" for word in TEST_WORDS}
    origin = sandbox.base_url.removesuffix("/v1")
    page = httpx2.get(origin, headers={"Accept": "text/html"}, follow_redirects=True)
    assert "This is a sandbox" in page.text
    assert all(word in page.text for word in TEST_WORDS)
    assert "<script" not in page.text
    assert "<style" not in page.text
    assert "style=" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


class _StoppedClock:
    """A clock with a defect."""

    def now(self) -> datetime:
        raise ZeroDivisionError

    def monotonic(self) -> float:
        raise ZeroDivisionError


def test_a_defect_is_a_server_error_without_its_text_and_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with running_sandbox(clock=_StoppedClock()) as sandbox:
        answer = httpx2.get(f"{sandbox.base_url}/models", headers={"Authorization": "Bearer sk-test-1"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "server_error")
    assert "ZeroDivisionError" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_a_file_that_cannot_be_opened_is_an_overload_and_not_a_lost_call(tmp_path: Path) -> None:
    with running_sandbox(database=tmp_path, fault_control=False) as sandbox:  # a folder is no database
        answer = httpx2.post(
            f"{sandbox.base_url}/realtime/client_secrets", json={}, headers={"Authorization": "Bearer sk-test-1"}
        )
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "overloaded")
