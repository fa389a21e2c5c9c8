"""Completion in a real bash (zsh and fish are not everywhere), with the script that `opencto --install-completion` puts there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer._completion_shared import get_completion_script

from journeys.program import PATIENCE_SECONDS, environment
from opencto.cli import app

BASH = shutil.which("bash") or "/bin/bash"
TRY = """
source "$HOME/.bash_completions/opencto.sh"
try() { COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _opencto_completion opencto; echo "${COMPREPLY[*]}" | paste -sd' '; }
"""


def bash(home: Path, script: str) -> str:
    """What a bash prints; `opencto` on its path is the one under test."""
    folder = Path(sys.executable).parent
    done = subprocess.run(
        [BASH, "--norc", "-c", f"{script}\n:"],  # the last word, so that bash stays the parent of what it runs
        env=environment(HOME=str(home), PATH=f"{folder}:/usr/bin:/bin"),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    assert "bash completion installed" in bash(home, "opencto --install-completion")
    return home


def test_it_is_installed_where_bash_reads_it_and_is_shown(home: Path) -> None:
    assert f"source '{home}/.bash_completions/opencto.sh'" in (home / ".bashrc").read_text()
    assert bash(home, "opencto --show-completion").strip() == (home / ".bash_completions/opencto.sh").read_text()


def test_in_zsh_the_first_tab_of_a_session_completes_too() -> None:
    assert app, "its import mends what Typer has"
    names = {"prog_name": "opencto", "complete_var": "_OPENCTO_COMPLETE"}
    script = get_completion_script(**names, shell="zsh")  # noqa: S604 - which shell it is for; none is started
    assert script.rstrip().endswith('[[ $funcstack[1] == _opencto ]] && _opencto_completion "$@"')


def test_commands_their_own_commands_options_and_choices_are_completed(home: Path) -> None:
    script = 'try opencto lo\ntry opencto keys ""\ntry opencto keys set --sc\ntry opencto usage --by ""\ntry opencto nothing-li'
    offered = [line.split() for line in bash(home, TRY + script).splitlines()]
    assert offered == [
        ["login", "logout"],
        ["set", "list", "check", "delete", "verify", "rotate"],
        ["--scope"],
        ["day", "model", "project"],
        [],
    ]
