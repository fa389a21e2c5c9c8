"""`opencto respond` against a real server, found by its data directory or by its address."""
# ruff: noqa: ARG001 - some fixtures are wanted for their effect

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import run, say
from journeys.program import Program
from opencto.testing import RunningSandbox, running_sandbox

KEY = "sk-proj-" + "Qz7v" * 12 + "Srv1"


@pytest.fixture(scope="module")
def openai() -> Iterator[RunningSandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("respond") / "data"


@pytest.fixture(scope="module")
def server(openai: RunningSandbox, data: Path) -> Iterator[Program]:
    with Program(data, OPENAI_BASE_URL=openai.base_url, OPENAI_API_KEY=KEY) as program:
        yield program


@pytest.fixture
def here(server: Program, data: Path) -> dict[str, str]:
    return {"OPENCTO_DATA_DIR": str(data)}


def test_an_answer_comes_whole_or_sentence_by_sentence_and_goes_on(here: dict[str, str]) -> None:
    whole = json.loads(say(here, "respond", "Good morning", "--json"))
    assert whole["ok"] is True
    assert whole["keySource"] == "server"
    streamed = run(here, "respond", "And then?", "--conversation", whole["conversationId"])
    assert streamed.returncode == 0
    assert streamed.stdout.strip()
    assert f"--conversation {whole['conversationId']}" in streamed.stderr
    plain = run(here, "respond", "Good morning", "--no-stream")
    assert (plain.returncode, plain.stdout.strip()) == (0, whole["text"])


def test_elsewhere_the_address_and_a_token_are_enough(here: dict[str, str], server: Program, tmp_path: Path) -> None:
    token = say(here, "token", "create", "laptop", "--scope", "respond", "--plain").strip()
    away = {"OPENCTO_DATA_DIR": str(tmp_path / "none"), "OPENCTO_BASE_URL": server.url}
    assert say({**away, "OPENCTO_TOKEN": token}, "respond", "Good morning").strip()
    assert not (tmp_path / "none").exists()
    refused = run({**away, "OPENCTO_TOKEN": "octo_wrong"}, "respond", "Good morning")
    assert (refused.returncode, refused.stdout) == (5, "")
    assert "Traceback" not in refused.stderr
    without = run(away, "respond", "Good morning")
    assert without.returncode == 2
    assert "OPENCTO_TOKEN" in without.stderr


def test_what_the_server_refuses_is_a_sentence(here: dict[str, str], openai: RunningSandbox) -> None:
    unknown = run(here, "respond", "And?", "--conversation", "cv_" + "0" * 26)
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.startswith("Error: ")
    openai.fail("unauthorized", path="/chat/completions")
    try:
        for flag in ("--stream", "--no-stream"):
            done = run(here, "respond", "Good morning", flag)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.startswith("Error: ")
            assert KEY not in done.stderr
    finally:
        openai.heal()


def test_an_answer_that_breaks_off_says_so_and_fails(here: dict[str, str], openai: RunningSandbox) -> None:
    openai.fail("cut", path="/chat/completions")
    try:
        done = run(here, "respond", "Tell me a story with several sentences")
    finally:
        openai.heal()
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_where_no_server_runs_it_is_exit_code_4_with_the_remedy(tmp_path: Path) -> None:
    away = {"OPENCTO_BASE_URL": "http://127.0.0.1:9", "OPENCTO_TOKEN": "octo_x", "OPENCTO_DATA_DIR": str(tmp_path)}
    done = run(away, "respond", "Good morning")
    assert done.returncode == 4
    assert "does not answer" in done.stderr


def test_a_server_that_was_stopped_is_exit_code_4_with_the_remedy(tmp_path: Path) -> None:
    with Program(tmp_path / "data") as program:
        program.stop()
    done = run({"OPENCTO_DATA_DIR": str(tmp_path / "data")}, "respond", "Good morning")
    assert done.returncode == 4
    assert "opencto up" in done.stderr
