"""`opencto login` and `logout` against a real server, as somebody on another machine uses them."""

import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from cli.conftest import Done, run, say
from client.fakes import fake_server, said
from journeys.program import PATIENCE_SECONDS, Program, environment


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Program]:
    with Program(tmp_path_factory.mktemp("login") / "data") as program:
        yield program


@pytest.fixture(scope="module")
def token(server: Program) -> str:
    return say(
        {"OPENCTO_DATA_DIR": server.banner["dataDir"]}, "token", "create", "x", "--scope", "all", "--plain"
    ).strip()


@pytest.fixture
def away(tmp_path: Path) -> dict[str, str]:
    """A machine on which no server runs."""
    return {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "none")}


def file_of(away: dict[str, str]) -> Path:
    return Path(away["XDG_CONFIG_HOME"]) / "opencto" / "login.json"


def signed_in(away: dict[str, str], server: Program, token: str) -> Done:
    done = run(away, "login", server.url + "/", typed=f"{token}\n")
    assert done.returncode == 0, done.stderr
    return done


def test_it_says_who_and_where_and_later_commands_go_there_until_logout(
    away: dict[str, str], server: Program, token: str
) -> None:
    assert run(away, "models").returncode != 0
    done = signed_in(away, server, token)
    assert f"Signed in at {server.url} as " in done.stdout
    assert "Your workspace is default (owner)." in done.stdout
    assert token not in done.stdout + done.stderr
    held = file_of(away)
    assert json.loads(held.read_text()) == {"baseUrl": server.url, "token": token}
    assert (held.stat().st_mode & 0o777, held.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [one.name for one in held.parent.iterdir()] == ["login.json"]
    for command in (("models", "--json"), ("usage", "--json"), ("respond", "Good morning"), ("keys", "list")):
        assert say(away, *command).strip()
    assert "still works" in say(away, "logout")
    assert not held.exists()
    assert run(away, "models").returncode != 0
    assert "Nothing was saved" in say(away, "logout")


def test_on_a_terminal_the_token_is_not_shown(away: dict[str, str], server: Program, token: str) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "opencto", "login", server.url, "--json"],
        env=environment(**away),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        seen = b""
        while b"not shown: " not in seen:  # earlier, and what is typed is thrown away
            seen += os.read(ours, 1024)
        os.write(ours, f"{token}\n".encode())
        told, _ = process.communicate(timeout=PATIENCE_SECONDS)
        with contextlib.suppress(OSError):  # the other end is closed: all was read
            while more := os.read(ours, 4096):
                seen += more
    os.close(ours)
    assert process.returncode == 0, seen
    assert token.encode() not in seen + told
    found = json.loads(told)
    assert (found["baseUrl"], [one["slug"] for one in found["workspaces"]]) == (server.url, ["default"])
    assert found["person"]["id"]


def test_a_wrong_token_is_refused_with_5_and_leaves_what_was_saved(
    away: dict[str, str], server: Program, token: str
) -> None:
    signed_in(away, server, token)
    done = run(away, "login", server.url, typed="octo_wrong")
    assert (done.returncode, done.stdout) == (5, "")
    assert "does not know this token" in done.stderr
    assert "opencto token create" in done.stderr
    assert "octo_wrong" not in done.stderr
    assert json.loads(file_of(away).read_text())["token"] == token


def test_where_nothing_answers_it_is_4_with_the_remedy(away: dict[str, str]) -> None:
    done = run(away, "login", "http://127.0.0.1:9", typed="octo_x")
    assert (done.returncode, done.stdout) == (4, "")
    assert "does not answer" in done.stderr
    assert "Check the address" in done.stderr
    assert not file_of(away).exists()


@pytest.mark.parametrize(
    ("status", "body", "code"), [(200, {"hello": 1}, 4), (404, {}, 4), (301, {}, 4), (401, {}, 5), (503, {}, 1)]
)
def test_what_is_not_opencto_or_refuses_is_a_sentence(
    away: dict[str, str], status: int, body: dict[str, object], code: int
) -> None:
    with fake_server(said(status, body)) as other:
        done = run(away, "login", other.base_url, typed="octo_x")
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert "Error" in done.stderr
    assert "Traceback" not in done.stderr
    assert not file_of(away).exists()


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        ((), "octo_x"),
        (("octo_mine",), ""),
        (("http://127.0.0.1:9", "octo_mine"), ""),
        (("opencto.example.com",), "octo_x"),
        (("https://me:octo_mine@opencto.example.com",), "octo_x"),
        (("http://127.0.0.1:9",), ""),
        (("http://127.0.0.1:9",), "two words"),
    ],
)
def test_a_wrong_line_is_a_mistake_of_usage_and_repeats_no_token(
    away: dict[str, str], arguments: tuple[str, ...], typed: str
) -> None:
    done = run(away, "login", *arguments, typed=typed)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error" in done.stderr
    assert "octo_mine" not in done.stderr
    assert not file_of(away).exists()


def test_the_environment_wins_over_the_file(away: dict[str, str], server: Program, token: str) -> None:
    signed_in(away, server, token)
    nowhere = {"OPENCTO_BASE_URL": "http://127.0.0.1:9"}
    assert run({**away, **nowhere, "OPENCTO_TOKEN": "octo_x"}, "models").returncode == 4
    assert run({**away, **nowhere}, "models").returncode == 2, "a saved token goes to no other server"
    assert run({**away, "OPENCTO_BASE_URL": server.url}, "models").returncode == 0
    assert run({**away, "OPENCTO_TOKEN": "octo_wrong"}, "models").returncode == 5
    here = run({**away, "OPENCTO_DATA_DIR": str(file_of(away).parent)}, "models")
    assert "There is no OpenCTO in" in here.stderr
    again = run({**away, "OPENCTO_TOKEN": "octo_wrong"}, "login", typed=token)
    assert (again.returncode, "OPENCTO_TOKEN" in again.stderr) == (0, True)


def test_a_file_that_others_can_read_is_refused_until_it_is_mended(
    away: dict[str, str], server: Program, token: str
) -> None:
    signed_in(away, server, token)
    file_of(away).chmod(0o640)
    done = run(away, "models")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"chmod 600 {file_of(away)}" in done.stderr
    assert token not in done.stderr
    file_of(away).chmod(0o600)
    assert run(away, "models").returncode == 0
    file_of(away).chmod(0o666)
    assert "Forgotten" in say(away, "logout")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"baseUrl": 1, "token": "octo_x"}', '{"baseUrl": "http://x"'])
def test_a_file_that_is_broken_says_what_to_do(away: dict[str, str], text: str) -> None:
    file_of(away).parent.mkdir(parents=True)
    file_of(away).write_text(text)
    file_of(away).chmod(0o600)
    done = run(away, "models")
    assert done.returncode == 1
    assert "opencto login" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_without_encryption_is_warned_of_before_the_token_is_sent(away: dict[str, str]) -> None:
    done = run(away, "login", "http://opencto.invalid", typed="")
    assert "not encrypted" in done.stderr
