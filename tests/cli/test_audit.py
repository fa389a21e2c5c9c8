"""`opencto audit`, run beside the data directory."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from ledger.conftest import event
from opencto.cli.audit import app
from opencto.core.database import Database
from opencto.core.settings import Settings
from opencto.house import House, open_house
from opencto.ledger.tables import audit_events
from opencto.testing import ManualClock


@pytest.fixture
def house(
    database: Database,  # noqa: ARG001 - migrated before the house opens it
    settings: Settings,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[House]:
    """A house with three rows, found through the environment."""
    monkeypatch.setenv("OPENCTO_DATA_DIR", str(settings.data_dir))
    if settings.database_url:
        monkeypatch.setenv("OPENCTO_DATABASE_URL", settings.database_url)
    house = open_house(settings, clock)
    audit = house.audit
    for number in range(3):
        with house.database.write() as tx:
            audit.record(tx, event("token.created_by_somebody_else", f"tok_01kaq3v9y8w7x6v5t4s3r2q1p{number}"))
    yield house
    house.database.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "80", "NO_COLOR": "1"})


@pytest.mark.usefixtures("house")
def test_rows_are_listed_within_80_columns() -> None:
    result = run("list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["row", "3", "2", "1"]
    assert max(len(line) for line in lines) <= 80
    assert "Ada" in lines[1]


@pytest.mark.usefixtures("house")
def test_rows_are_listed_for_programs() -> None:
    rows = json.loads(run("list", "--json", "--limit", "2").stdout)
    assert [row["seq"] for row in rows] == [3, 2]


@pytest.mark.usefixtures("house")
def test_filters_narrow_the_list() -> None:
    assert "Nothing fits" in run("list", "--actor", "usr_nobody").stdout
    assert "Nothing fits" in run("list", "--from", "2026-11-24").stdout
    assert "Nothing fits" in run("list", "--to", "2026-11-23T12:00:00+00:00").stdout
    rows = json.loads(run("list", "--json", "--from", "2026-11-23", "--to", "2026-11-23T12:01").stdout)
    assert len(rows) == 3
    assert run("list", "--from", "yesterday").exit_code == 2


def test_a_name_cannot_steer_the_terminal(house: House) -> None:
    with house.database.write() as tx:
        tx.execute(update(audit_events).values(actor_name="\x1b[2J[bold]evil[/]"))
    result = run("list")
    assert "\x1b" not in result.stdout
    assert "�[2J[bold]evi…" in result.stdout


def test_a_whole_trail_is_said_to_be_whole(house: House) -> None:
    house.audit.anchor()
    result = run("verify")
    assert result.exit_code == 0
    assert "The trail is whole: 3 rows, the last is 3." in result.stdout
    assert house.audit.public_key in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 80
    answer = json.loads(run("verify", "--json").stdout)
    assert (answer["ok"], answer["rows"], answer["publicKey"]) == (True, 3, house.audit.public_key)


def test_a_broken_trail_exits_1_and_names_the_break(house: House) -> None:
    with house.database.write() as tx:
        tx.execute(update(audit_events).where(audit_events.c.seq == 2).values(actor_name="Eve"))
    result = run("verify")
    assert result.exit_code == 1
    assert "Row 2 was edited" in result.stdout
    with house.database.write() as tx:
        tx.execute(update(audit_events).where(audit_events.c.seq == 3).values(action="x"))
    result = run("verify")
    assert "Row 2 was edited" in result.stdout
    assert "then        row_edited: Row 3 was edited" in result.stdout
    assert run("verify", "--json").exit_code == 1


@pytest.mark.usefixtures("house")
def test_an_export_is_written_and_verified(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    assert run("export", "-o", str(path)).exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert run("export").stdout.splitlines()[:4] == path.read_text().splitlines()[:4]
    told = json.loads(path.read_text().splitlines()[3])
    assert (told["action"], told["via"], told["details"]) == ("audit.exported", "cli", {"format": "jsonl"})
    result = run("verify", "--file", str(path))
    assert result.exit_code == 0
    assert "4 rows" in result.stdout
    assert "from the file itself" not in result.stdout
    path.write_text(path.read_text().replace("Ada", "Eve", 1))
    result = run("verify", "--file", str(path))
    assert (result.exit_code, "BROKEN in line 1" in result.stdout) == (1, True)
    answer = json.loads(run("verify", "--file", str(path), "--json").stdout)
    assert (answer["ok"], answer["line"]) == (False, 1)


def test_an_export_is_verified_where_there_is_no_server(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "audit.jsonl"
    run("export", "-o", str(path))
    monkeypatch.setenv("OPENCTO_DATA_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.delenv("OPENCTO_DATABASE_URL", raising=False)
    result = run("verify", "--file", str(path))
    assert (result.exit_code, "from the file itself" in result.stdout) == (0, True)
    result = run("verify", "--file", str(path), "--public-key", house.audit.public_key)
    assert (result.exit_code, "from the file itself" in result.stdout) == (0, False)


@pytest.mark.usefixtures("house")
def test_an_export_for_a_spreadsheet() -> None:
    lines = run("export", "--format", "csv", "--action", "token.created_by_somebody_else").stdout.splitlines()
    assert lines[0].startswith("seq,id,at,")
    assert len(lines) == 4


@pytest.mark.parametrize("command", ["list", "verify", "export"])
def test_help_shows_examples(command: str) -> None:
    text = run(command, "--help").stdout
    assert f"opencto audit {command}" in text
    assert max(len(line) for line in text.splitlines()) <= 80
