"""`opencto models` and `opencto usage` against a real server without any key: the sandbox answers, and says so."""
# ruff: noqa: ARG001 - some fixtures are wanted for their effect

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from cli.conftest import run, say
from journeys.program import Program
from opencto.cli.usage import BAR_COLUMNS, bar


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("usage") / "data"


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Program]:
    with Program(data) as program:
        yield program


@pytest.fixture
def here(server: Program, data: Path) -> dict[str, str]:
    return {"OPENCTO_DATA_DIR": str(data)}


def test_models_are_listed_with_what_they_can_and_when_they_end(here: dict[str, str]) -> None:
    found = json.loads(say(here, "models", "--json"))
    shown = say(here, "models")
    assert {one["id"] for one in found["data"]} <= set(shown.split())
    assert f"{len(found['data'])} models, as of " in shown
    assert "(the local sandbox)" in shown
    assert max(map(len, shown.splitlines())) <= 80
    realtime = json.loads(say(here, "models", "--capability", "realtime", "--json"))["data"]
    assert realtime
    assert all("realtime" in one["capabilities"] for one in realtime)


def test_a_month_is_a_row_a_day_with_bars(here: dict[str, str]) -> None:
    report = json.loads(say(here, "usage", "--json"))
    done = run(here, "usage")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:31]] == [one["date"] for one in report["buckets"]]
    assert max(map(len, lines)) <= 80
    assert "█" in done.stdout
    assert f": ${Decimal(report['totals']['cost']):,.2f} for " in done.stdout
    assert "local sandbox: nobody is billed" in done.stdout
    assert "demo data" in done.stderr


def test_by_model_it_adds_up_the_days(here: dict[str, str]) -> None:
    report = json.loads(say(here, "usage", "--by", "model", "--json"))
    groups = [group for bucket in report["buckets"] for group in bucket["groups"]]
    shown = say(here, "usage", "--by", "model")
    for model in {group["key"] for group in groups}:
        requests = sum(group["requests"] for group in groups if group["key"] == model)
        row = next(line for line in shown.splitlines() if line.startswith(f"{model} "))
        assert row.split()[1] == f"{requests:,}"


def test_csv_has_the_same_days(here: dict[str, str]) -> None:
    report = json.loads(say(here, "usage", "--json"))
    rows = list(csv.DictReader(io.StringIO(say(here, "usage", "--csv"))))
    assert [row["date"] for row in rows] == [one["date"] for one in report["buckets"]]


@pytest.mark.parametrize(
    "arguments", [("models", "--capability", "nonsense"), ("usage", "--start", "2026-02-30"), ("usage", "--by", "mood")]
)
def test_a_wrong_question_ends_with_2_and_says_why(here: dict[str, str], arguments: tuple[str, ...]) -> None:
    done = run(here, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_days_without_use_say_so(here: dict[str, str]) -> None:
    assert "Nothing was used on these days." in say(here, "usage", "--start", "2021-01-01", "--end", "2021-01-02")


@pytest.mark.parametrize("command", ["models", "usage"])
def test_without_a_server_it_says_where_it_looked(tmp_path: Path, command: str) -> None:
    done = run({"OPENCTO_DATA_DIR": str(tmp_path / "none")}, command)
    assert done.returncode in {1, 4}
    assert "opencto up" in done.stderr


def test_a_bar_is_as_long_as_its_share() -> None:
    assert len(bar("4", Decimal(4))) == BAR_COLUMNS
    assert bar("2", Decimal(4)) == "█" * (BAR_COLUMNS // 2)
    assert bar(None, Decimal(4)) == bar("0", Decimal(0)) == ""
    assert bar("0.0125", Decimal(4)) == "▏"
