"""`opencto sessions …` on the machine of a server, whose sandbox is spoken with."""
# ruff: noqa: ARG001 - some fixtures are wanted for their effect

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import run, say
from journeys.program import Program
from opencto import OpenCTO
from realtime.telling import item, latency, tool, usage


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sessions") / "data"


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Program]:
    with Program(data) as program:
        yield program


@pytest.fixture
def here(server: Program, data: Path) -> dict[str, str]:
    return {"OPENCTO_DATA_DIR": str(data)}


@pytest.fixture(scope="module")
def token(server: Program, data: Path) -> str:
    return say({"OPENCTO_DATA_DIR": str(data)}, "token", "create", "voice", "--scope", "all", "--plain").strip()


def spoken(server: Program, token: str) -> str:
    """A session with a conversation in it."""
    with OpenCTO(server.url, token) as client:
        session = client.realtime.create_token().session_id
        told = client.sessions.record(
            session,
            [
                item("e1", "i1", "Is the rollback \x1b[31mdone?"),
                item("e2", "i2", "It is.", second=2, role="assistant", previousItemId="i1"),
                usage("e3", "r1"),
                latency("e4", "eos_to_first_sound", 321),
                tool("e5", "c1", "done", output="fine"),
                {"eventId": "e6", "type": "error", "at": "2026-11-23T12:00:07Z", "code": "mic_lost", "message": "Gone"},
            ],
        )
        assert (told.accepted, told.is_text_stored) == (6, True)
        client.sessions.end(session, "hung_up")
    return session


def test_an_empty_list_teaches_and_ends_well(here: dict[str, str], data: Path, tmp_path: Path) -> None:
    with Program(tmp_path / "fresh"):
        done = run({"OPENCTO_DATA_DIR": str(tmp_path / "fresh")}, "sessions", "list")
    assert done.returncode == 0
    assert "POST /api/v1/realtime/token" in done.stdout


def test_a_session_is_listed_found_shown_taken_away_and_deleted(
    server: Program, here: dict[str, str], token: str, tmp_path: Path
) -> None:
    session = spoken(server, token)
    listed = say(here, "sessions", "list")
    (row,) = [one for one in listed.splitlines() if session in one]
    assert row.split()[-2:] == ["2", "$0.00"], "the sandbox bills nobody"
    assert json.loads(say(here, "sessions", "list", "--json"))["data"][0]["id"] == session
    found = say(here, "sessions", "search", "rollback")
    assert "they: Is the rollback �[31mdone?" in found
    assert session in found
    assert "Nobody said" in say(here, "sessions", "search", "zebra")
    shown = say(here, "sessions", "show", session)
    assert "Assistant: It is." in shown
    assert "eos_to_first_sound" in shown
    assert "mic_lost  Gone" in shown
    assert "\x1b" not in shown + found
    for text in (listed, found, shown):
        assert max(map(len, text.splitlines())) <= 80
    assert json.loads(say(here, "sessions", "show", session, "--json"))["transcript"][1]["text"] == "It is."
    assert f"# Voice session {session.replace('_', chr(92) + '_')}" in say(here, "sessions", "export", session)
    target = tmp_path / "talk.json"
    say(here, "sessions", "export", session, "--format", "json", "-o", str(target))
    assert json.loads(target.read_text())["id"] == session
    again = run(here, "sessions", "export", session, "-o", str(target))
    assert (again.returncode, json.loads(target.read_text())["id"]) == (2, session)
    unasked = run(here, "sessions", "delete", session)
    assert (unasked.returncode, "--yes" in unasked.stderr) == (2, True)
    assert say(here, "sessions", "delete", session, "--yes") == f"{session} is deleted.\n"
    gone = run(here, "sessions", "show", session)
    assert (gone.returncode, gone.stdout) == (1, "")


@pytest.mark.parametrize(
    "arguments", [("show", "../../etc"), ("list", "--from", "yesterday"), ("search",), ("export", "rs_1", "-f", "pdf")]
)
def test_a_wrong_question_ends_with_2(here: dict[str, str], arguments: tuple[str, ...]) -> None:
    assert run(here, "sessions", *arguments).returncode == 2


def test_a_folder_without_a_server_is_a_failure_that_says_what_to_do(tmp_path: Path) -> None:
    done = run({"OPENCTO_DATA_DIR": str(tmp_path / "none")}, "sessions", "list")
    assert (done.returncode, done.stdout) == (1, "")
    assert "opencto up" in done.stderr
