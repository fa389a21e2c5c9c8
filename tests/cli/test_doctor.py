"""`opencto doctor` on a real server with its sandbox, and on servers that are ill in one way: it names that."""

import json
import socket as sockets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection

from cli.conftest import Done, run
from cli.doctor_fakes import (
    MODEL,
    NONE,
    SECRET,
    TOKEN,
    Conversations,
    Ill,
    bucket,
    conversations,
    figures,
    ill_server,
    key,
    problem,
)
from journeys.program import PATIENCE_SECONDS, Program
from opencto.cli.diagnosis.machine import room
from opencto.cli.diagnosis.realtime import Secret, converse
from opencto.cli.diagnosis.server import clock

ALL_LINES = [
    "server",
    "database",
    "clock",
    "public URL",
    "credential",
    "realtime_token",
    "cto_openai_proxy",
    "key",
    "token",
    "realtime",
    "models",
    "usage",
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("doctor") / "data"


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Program]:
    with Program(data) as program:
        yield program


@pytest.fixture
def voice() -> Iterator[Conversations]:
    with conversations() as them:
        yield them


@pytest.fixture
def ill(voice: Conversations) -> Iterator[Ill]:
    with ill_server(voice.url) as server:
        yield server


def at(url: str, *arguments: str, token: str = TOKEN) -> Done:
    return run({"OPENCTO_BASE_URL": url, "OPENCTO_TOKEN": token}, "doctor", *arguments)


def found(done: Done) -> list[dict[str, Any]]:
    return json.loads(done.stdout)["checks"]


def only_fault(ill: Ill, name: str, result: str = "failed") -> dict[str, Any]:
    """The one line that did not pass, which has a remedy; every other one passed."""
    done = at(ill.url, "--json")
    (fault,) = [one for one in found(done) if one["result"] != "passed"]
    assert (fault["name"], fault["result"]) == (name, result)
    assert fault["remedy"]
    assert done.returncode == (1 if result == "failed" else 0)
    assert SECRET not in done.stdout + done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return fault


def change(ill: Ill, route: str, **facts: Any) -> None:
    status, body = ill.answers[route]
    ill.answers[route] = status, body | facts


@pytest.mark.usefixtures("server")
def test_on_a_server_with_its_sandbox_everything_passes(data: Path) -> None:
    done = run({"OPENCTO_DATA_DIR": str(data)}, "doctor", "--json")
    report = json.loads(done.stdout)
    assert [one["name"] for one in report["checks"]] == ["disk", "secrets", *ALL_LINES]
    results = {one["name"]: one["result"] for one in report["checks"]}
    assert set(results.values()) == {"passed"}
    assert (done.returncode, report["ok"]) == (0, True)
    said = {one["name"]: one["message"] for one in report["checks"]}
    assert "the local sandbox" in said["key"]
    assert "OPENCTO_MASTER_KEY would wrap them" in said["secrets"]


@pytest.mark.usefixtures("server")
def test_its_page_fits_80_columns_and_ends_with_a_sum(data: Path) -> None:
    shown = run({"OPENCTO_DATA_DIR": str(data)}, "doctor").stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b[" not in shown
    assert " passed, 0 warned, " in shown.splitlines()[-1]


def test_a_healthy_one_elsewhere_passes_and_hears_the_conversation_closed(ill: Ill, voice: Conversations) -> None:
    done = at(ill.url, "--json")
    assert done.returncode == 0, done.stdout
    assert [(one["name"], one["result"]) for one in found(done)] == [(name, "passed") for name in ALL_LINES]
    assert voice.is_over.wait(PATIENCE_SECONDS)
    assert voice.ended == [1000]


@pytest.mark.usefixtures("server")
def test_a_secret_that_others_can_read_is_named_with_its_chmod(data: Path) -> None:
    path = data / "secrets" / "session.key"
    path.chmod(0o644)
    try:
        done = run({"OPENCTO_DATA_DIR": str(data)}, "doctor", "--json")
    finally:
        path.chmod(0o600)
    fault = next(one for one in found(done) if one["name"] == "secrets")
    assert (fault["result"], done.returncode) == ("failed", 1)
    assert "session.key (0644)" in fault["message"]
    assert fault["remedy"] == f"Run: chmod 600 {path}"


def test_no_server_is_exit_code_4_with_the_remedy(tmp_path: Path, free_port: int) -> None:
    for done in (
        at(f"http://127.0.0.1:{free_port}", "--json"),
        run({"OPENCTO_DATA_DIR": str(tmp_path / "none")}, "doctor", "--json"),
    ):
        assert done.returncode == 4
        assert [(one["name"], one["result"]) for one in found(done)] == [("server", "failed")]
        assert "opencto up" in found(done)[0]["remedy"]


def test_an_address_without_a_token_is_a_usage_mistake(ill: Ill) -> None:
    done = run({"OPENCTO_BASE_URL": ill.url}, "doctor")
    assert done.returncode == 2
    assert "OPENCTO_TOKEN" in done.stderr


def test_a_wrong_token_is_named_and_nothing_is_said_twice(ill: Ill) -> None:
    done = at(ill.url, "--json", token="octo_other")
    assert done.returncode == 1
    assert found(done)[-1]["name"] == "credential"
    assert "UNAUTHENTICATED" in found(done)[-1]["message"]
    assert "opencto token create" in found(done)[-1]["remedy"]


def test_something_else_at_the_address_is_named(ill: Ill) -> None:
    ill.answers["GET /health"] = (200, {"hello": "world"})
    done = at(ill.url, "--json")
    assert [(one["name"], one["result"]) for one in found(done)] == [("server", "failed")]
    assert done.returncode == 1


def test_a_database_that_is_down_is_named(ill: Ill) -> None:
    ill.answers["GET /ready"] = (503, {"status": "unavailable", "checks": {"database": "failed"}})
    only_fault(ill, "database")


@pytest.mark.parametrize(("seconds", "result"), [(30, "warned"), (-30, "warned"), (300, "failed"), (-300, "failed")])
def test_a_clock_that_is_off_is_named(ill: Ill, seconds: int, result: str) -> None:
    ill.skew_seconds = seconds
    assert ("ahead of" if seconds > 0 else "behind") in only_fault(ill, "clock", result)["message"]


def test_an_answer_without_a_date_warns() -> None:
    assert clock(None, 0, 1).result == clock("yesterday", 0, 1).result == "warned"


def test_no_key_with_the_sandbox_off_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Program(data, OPENCTO_SANDBOX="off"):
        done = run({"OPENCTO_DATA_DIR": str(data)}, "doctor", "--json")
    assert done.returncode == 1
    faults = {one["name"]: one for one in found(done) if one["result"] == "failed"}
    assert set(faults) <= {"key", "token", "models", "usage"}
    assert "NO_PROVIDER_KEY" in faults["key"]["message"]
    assert "opencto keys set" in faults["key"]["remedy"]


@pytest.mark.parametrize(
    ("facts", "result", "word"),
    [
        ({"state": "rejected"}, "failed", "rejected by OpenAI"),
        ({"state": "unreadable"}, "failed", "does not open"),
        ({"state": "unchecked", "report": None}, "warned", "not tried"),
        ({"report": {"valid": True, "problems": ["No credit."]}}, "warned", "No credit."),
        ({"report": {"valid": True, "problems": [], "realtime": False}}, "warned", "no realtime model"),
    ],
)
def test_a_key_in_trouble_is_named_by_its_hint(ill: Ill, facts: dict[str, Any], result: str, word: str) -> None:
    change(ill, "GET /api/v1/llm/keys", keys=[key(**facts)])
    fault = only_fault(ill, "key", result)
    assert "sk-…Srv1" in fault["message"]
    assert word in fault["message"]


def test_an_admin_key_in_trouble_is_named_beside_the_one_that_serves(ill: Ill) -> None:
    rejected = key(provider="openai-admin", scope="workspace", state="rejected")
    change(ill, "GET /api/v1/llm/keys", keys=[key(), rejected])
    assert "opencto keys set openai-admin --scope workspace" in only_fault(ill, "admin key")["remedy"]


def test_an_empty_client_secret_is_named(ill: Ill) -> None:
    change(ill, "POST /api/v1/realtime/token", clientSecret="")
    assert "clientSecret is empty" in only_fault(ill, "token")["message"]


def test_a_refused_token_is_named_with_the_remedy_of_its_code(ill: Ill) -> None:
    ill.answers["POST /api/v1/realtime/token"] = problem(429, "PROVIDER_QUOTA_EXHAUSTED", "No credit.")
    assert "Add credit" in only_fault(ill, "token")["remedy"]


def test_an_error_frame_is_told_in_its_own_words(ill: Ill, voice: Conversations) -> None:
    def says(socket: ServerConnection) -> None:
        error = {"code": "sandbox_no_realtime", "message": "Nobody talks here."}
        socket.send(json.dumps({"type": "error", "error": error}))

    voice.says = says
    assert "sandbox_no_realtime: Nobody talks here." in only_fault(ill, "realtime")["message"]


def test_a_conversation_that_is_closed_at_once_tells_the_code(ill: Ill, voice: Conversations) -> None:
    voice.says = lambda socket: socket.close(3000, "invalid_request_error")
    assert "code 3000, invalid_request_error" in only_fault(ill, "realtime")["message"]


def test_a_proxy_that_eats_the_subprotocol_is_named(ill: Ill, voice: Conversations) -> None:
    voice.chooses = None
    assert "subprotocol" in only_fault(ill, "realtime")["message"]


def test_a_websocket_address_that_does_not_upgrade_is_named(ill: Ill) -> None:
    ill.answers["GET /v1/realtime"] = problem(403, "FORBIDDEN")
    websocket_url = f"{ill.url.replace('http', 'ws')}/v1/realtime?model={MODEL}"
    change(ill, "POST /api/v1/realtime/token", websocketUrl=websocket_url)
    assert "with 403" in only_fault(ill, "realtime")["message"]


def test_nobody_at_the_websocket_address_is_named(ill: Ill, free_port: int) -> None:
    change(ill, "POST /api/v1/realtime/token", websocketUrl=f"ws://127.0.0.1:{free_port}/v1/realtime")
    assert "No WebSocket" in only_fault(ill, "realtime")["message"]


def test_a_silent_conversation_ends_in_time() -> None:
    with sockets.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}/v1/realtime"
        secret = Secret(url, SECRET, is_sandbox=False)
        finding = converse(secret, own_address=None, patience_seconds=0.2)
    assert (finding.result, "within 0.2 s" in finding.message) == ("failed", True)
    assert SECRET not in repr(secret)


@pytest.mark.parametrize(("code", "result"), [("MODEL_SHUTS_DOWN", "warned"), ("MODEL_SHUT_DOWN", "failed")])
def test_a_dying_model_in_use_is_named_with_its_setting(ill: Ill, code: str, result: str) -> None:
    dying = {"code": code, "setting": "OPENCTO_CHAT_MODEL", "message": "gpt-old ends on 2026-12-01."}
    change(ill, "GET /api/v1/cto/openai/models", warnings=[dying])
    fault = only_fault(ill, "models", result)
    assert "gpt-old ends" in fault["message"]
    assert "OPENCTO_CHAT_MODEL" in fault["remedy"]


def test_a_model_in_use_that_the_key_does_not_reach_is_named(ill: Ill) -> None:
    use = {"setting": "OPENCTO_CHAT_MODEL", "model": "gpt-none", "listed": False}
    change(ill, "GET /api/v1/cto/openai/models", inUse=[use])
    assert "OPENCTO_CHAT_MODEL names gpt-none" in only_fault(ill, "models", "warned")["message"]


def test_usage_that_cannot_be_read_is_named(ill: Ill) -> None:
    ill.answers["GET /api/v1/cto/openai/usage"] = problem(504, "PROVIDER_TIMEOUT")
    only_fault(ill, "usage")


def test_429_in_the_last_hour_are_counted_by_origin(ill: Ill) -> None:
    limited = figures(requests=40, rateLimited={"opencto": 3, "openai": 1})
    quiet = bucket("cto_openai_proxy", figures(), figures())
    change(ill, "GET /api/v1/status", buckets=[bucket("realtime_token", limited, figures()), quiet])
    fault = only_fault(ill, "realtime_token", "warned")
    assert "4 (10.0 %; OpenAI's 1, OpenCTO's 3) met 429" in fault["message"]
    assert "opencto limits" in fault["remedy"]


def test_an_outage_of_the_last_minutes_fails(ill: Ill) -> None:
    broken = figures(requests=10, failed=NONE | {"openai": 6})
    quiet = bucket("realtime_token", figures(), figures())
    change(ill, "GET /api/v1/status", buckets=[quiet, bucket("cto_openai_proxy", broken, broken)])
    assert "6 (60.0 %" in only_fault(ill, "cto_openai_proxy")["message"]


def test_a_public_url_that_is_another_than_ours_is_named(ill: Ill) -> None:
    ill.answers["GET /openapi.json"] = (200, {"servers": [{"url": "https://cto.example.com"}]})
    fault = only_fault(ill, "public URL", "warned")
    assert "https://cto.example.com" in fault["message"]
    assert ill.url in fault["message"]


def test_a_public_url_without_tls_is_named(ill: Ill) -> None:
    ill.answers["GET /openapi.json"] = (200, {"servers": [{"url": "http://cto.example.com"}]})
    assert "not HTTPS" in only_fault(ill, "public URL")["message"]


def test_a_disk_that_fills_warns_and_then_fails() -> None:
    assert [room(free).result for free in (2_000_000_000, 999_000_000, 99_000_000)] == ["passed", "warned", "failed"]


def test_what_a_server_says_cannot_steer_the_terminal(ill: Ill) -> None:
    ill.answers["GET /api/v1/cto/openai/usage"] = problem(500, "ODD", "a\x1b[31mb")
    shown = at(ill.url).stdout
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80
