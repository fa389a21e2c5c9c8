"""The commands that the README shows run as they stand there, one after the other, against a server that `opencto up` started."""

import re
import shlex
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from journeys.program import PATIENCE_SECONDS, Program, environment
from opencto.testing import running_sandbox

README = Path(__file__).parents[2] / "README.md"
KEY = "sk-proj-" + "Rd7m" * 12 + "Adr1"
ADA = {"name": "Ada", "email": "ada@example.com", "password": "correct horse battery"}
HERE, ELSEWHERE = "http://127.0.0.1:8787", "https://opencto.example.com"
NEEDS_NO_SERVER = "source "
"""It puts the commands on the PATH, which `environ` has done."""


def blocks(page: str) -> list[str]:
    """The fenced blocks without a language, after the two commands at the top."""
    return re.findall(r"^```\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[1:]


def commands(page: str) -> list[str]:
    """Each command of the blocks, its continued lines joined and its comment gone."""
    joined = [line for block in blocks(page) for line in block.replace("\\\n", " ").splitlines()]
    return [re.sub(r"\s+# .*$", "", line) for line in joined if not line.startswith(NEEDS_NO_SERVER)]


@dataclass(frozen=True)
class Newcomer:
    url: str
    token: str
    environ: dict[str, str]

    def types(self, command: str) -> "subprocess.CompletedProcess[str]":
        """One line in a shell. What a prompt asks for comes through standard input."""
        asked = {"opencto keys set": KEY, f"opencto login {ELSEWHERE}": self.token}.get(command, "")
        line = command.replace(HERE, self.url).replace(ELSEWHERE, self.url)
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            env=self.environ,
            input=asked,
            capture_output=True,
            text=True,
            start_new_session=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Generator[Newcomer]:
    folder = tmp_path_factory.mktemp("readme")
    with (
        running_sandbox() as openai,
        Program(folder / "data", OPENAI_BASE_URL=openai.base_url, OPENCTO_DRAIN_SECONDS="0") as program,
    ):
        claim = {"token": program.banner["claimUrl"].rpartition("#")[2], **ADA}
        assert httpx2.post(f"{program.url}/api/v1/auth/claim", json=claim, timeout=60).status_code == 200
        binaries = Path(sys.executable).parent
        environ = environment(
            OPENCTO_DATA_DIR=str(folder / "data"),
            OPENAI_BASE_URL=openai.base_url,
            XDG_CONFIG_HOME=str(folder / "config"),
            COLUMNS="80",
            NO_COLOR="1",
        )
        environ["PATH"] = f"{binaries}:{environ['PATH']}"
        made = subprocess.run(
            [binaries / "opencto", "token", "create", "readme", "--scope", "all", "--plain"],
            env=environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        token = made.stdout.strip()
        environ["OPENCTO_TOKEN"] = token
        yield Newcomer(program.url, token, environ)


@pytest.mark.timeout(600)  # a shell for each command, on a machine that may be busy
def test_every_command_of_the_readme_does_what_it_says(newcomer: Newcomer) -> None:
    """One test, because they build on each other: the key that is saved answers the question below it."""
    ran = commands(README.read_text("utf-8"))
    assert len(ran) > 12, ran
    said: dict[str, str] = {}
    for command in ran:
        done = newcomer.types(command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, command
        assert KEY not in done.stdout + done.stderr
        said[" ".join(shlex.split(command)[:2])] = done.stdout + done.stderr
    assert "octo_" in said["opencto token"]
    assert f"{newcomer.url}/" in said["opencto people"]
    assert "sandbox" in said["opencto respond"]
    assert "gpt-realtime" in said["opencto models"]
    assert "0 failed" in said["opencto doctor"]
    assert '"data"' in said["curl -H"]
    assert "event: done" in said["curl -N"]
