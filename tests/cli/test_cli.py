"""The command line as a whole: cheap to import, help that teaches, exit codes, and sentences instead of traces."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from journeys.program import environment, opencto
from opencto import __version__
from opencto.cli import commands, run
from opencto.cli.commands import COMMANDS, Listed
from opencto.cli.failures import explain
from opencto.core.errors import DatabaseUnavailable
from opencto.core.problems import Forbidden, NotFound, Unauthenticated

HEAVY = ("fastapi", "sqlalchemy", "pydantic", "cryptography", "uvicorn", "structlog", "aiohttp", "alembic")


@pytest.mark.usefixtures("tmp_path")
def test_the_help_page_imports_nothing_heavy_and_shows_examples() -> None:
    script = (
        "import sys\nfrom opencto.cli import run\ncode = run(['--help'])\n"
        f"print('loaded:', [name for name in {HEAVY!r} if name in sys.modules])\nsys.exit(code)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True
    ).stdout
    assert "loaded: []" in shown
    assert "opencto up" in shown
    assert "Examples" in shown
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_every_listed_command_has_a_page_with_examples_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    for name, listed in COMMANDS.items():
        if importlib.util.find_spec(listed.module) is None:
            continue
        assert run([name, "--help"]) == 0
        shown = capsys.readouterr().out
        assert f"opencto {name}" in shown
        assert all(len(line) <= 80 for line in shown.splitlines())


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"opencto {__version__}\n"


def test_without_a_command_the_help_page_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "Usage: opencto" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["upp"], ["up", "--prot", "1"], ["config", "show", "extra"]])
def test_a_typing_mistake_exits_2_with_a_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr().err
    assert "Error" in shown
    assert "Traceback" not in shown


def test_a_near_miss_is_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    run(["confg"])
    assert "config" in capsys.readouterr().err


def test_the_exit_codes_follow_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(NotFound()) == 1
    assert explain(DatabaseUnavailable()) == 4
    assert explain(Unauthenticated()) == 5
    assert explain(Forbidden("Not you.")) == 5
    assert "Traceback" not in capsys.readouterr().err


def test_a_defect_of_ours_keeps_its_trace() -> None:
    with pytest.raises(ZeroDivisionError):
        explain(ZeroDivisionError())
    with pytest.raises(ModuleNotFoundError):
        explain(ModuleNotFoundError(name="opencto.nowhere"))


@pytest.mark.parametrize(
    ("module", "extra"), [("uvicorn", "server"), ("sqlalchemy.engine", "server"), ("psycopg", "postgres")]
)
def test_a_missing_extra_is_named_with_the_command_that_brings_it(
    module: str, extra: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(ModuleNotFoundError(name=module)) == 2
    assert f'pip install "opencto[{extra}]"' in capsys.readouterr().err


def test_a_module_that_is_not_there_is_not_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "COMMANDS", {**COMMANDS, "later": Listed("opencto.cli.later", "Not yet.")})
    assert run(["later"]) == 2
    assert "No such command" in capsys.readouterr().err


def test_a_reader_that_hangs_up_is_no_failure(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "opencto", "config", "show"],
        env=environment(OPENCTO_DATA_DIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()


def test_no_colour_means_none(tmp_path: Path) -> None:
    coloured = opencto("--help", data=tmp_path, FORCE_COLOR="1").stdout
    assert "\x1b[" in coloured
    plain = opencto("config", "check", data=tmp_path, FORCE_COLOR="1", NO_COLOR="1", OPENCTO_PORT="x").stderr
    assert "OPENCTO_PORT" in plain
    assert "\x1b[3" not in plain


def test_config_show_tells_value_and_source_and_hides_secrets(tmp_path: Path) -> None:
    shown = opencto("config", "show", "--json", data=tmp_path, OPENAI_API_KEY="sk-proj-canary123", OPENCTO_POTR="1")
    answer = json.loads(shown.stdout)
    rows = {row["name"]: row for row in answer["settings"]}
    assert rows["OPENAI_API_KEY"]["value"] == "***"
    assert rows["OPENAI_API_KEY"]["source"] == "environment"
    assert rows["OPENCTO_PORT"]["source"] == "default"
    assert all(row["help"] for row in answer["settings"])
    assert answer["warnings"] == ["OPENCTO_POTR is not a setting of OpenCTO. Did you mean OPENCTO_PORT?"]
    text = opencto("config", "show", data=tmp_path, OPENAI_API_KEY="sk-proj-canary123")
    assert "canary" not in shown.stdout + text.stdout + text.stderr
    assert "OPENAI_API_KEY" in text.stdout


def test_config_check_names_every_mistake_and_exits_2(tmp_path: Path) -> None:
    right = opencto("config", "check", data=tmp_path)
    assert (right.returncode, right.stderr) == (0, "")
    wrong = opencto("config", "check", data=tmp_path, OPENCTO_PORT="x", OPENCTO_TLS="y")
    assert wrong.returncode == 2
    assert "2 settings to correct" in wrong.stderr
    assert "Use off or self-signed." in wrong.stderr


def test_claim_where_nothing_was_started_says_what_to_do(tmp_path: Path) -> None:
    result = opencto("claim", data=tmp_path / "none")
    assert result.returncode == 1
    assert "opencto up" in result.stderr
    assert not (tmp_path / "none").exists()
