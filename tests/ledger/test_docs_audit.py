"""docs/audit.md is true: its programs, run by a stranger, accept an export and refuse a tampered one."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.conftest import event, write
from opencto.core.database import Database
from opencto.ledger.audit import AuditLog
from opencto.ledger.repository import Filters
from opencto.wire.audit import AuditBreak

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()


def program(name: str) -> str:
    found = re.search(rf"```python {name}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def run(name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", "-c", program(name), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture
def exported(trail: AuditLog, database: Database, tmp_path: Path) -> Path:
    write(trail, database, 3)
    with database.write() as tx:
        trail.record(
            tx, event(target="tök_\x7f\u2028🙂", note='quote " back \\ slash / tab\t ü', list=["a", "ß"], yes=True)
        )
    write(trail, database, 2)
    path = tmp_path / "audit.jsonl"
    path.write_text("".join(trail.export_jsonl(Filters())), encoding="utf-8")
    return path


def test_a_stranger_accepts_an_export(exported: Path) -> None:
    result = run("verify-export", str(exported))
    assert (result.returncode, result.stderr) == (0, "")


def test_a_stranger_finds_an_edited_row(exported: Path) -> None:
    lines = exported.read_text(encoding="utf-8").splitlines()
    lines[2] = lines[2].replace("Ada", "Eve")
    exported.write_text("\n".join(lines), encoding="utf-8")
    result = run("verify-export", str(exported))
    assert (result.returncode, "row 3 was edited" in result.stderr) == (1, True)


def test_a_stranger_finds_a_removed_row(exported: Path) -> None:
    lines = exported.read_text(encoding="utf-8").splitlines()
    exported.write_text("\n".join([*lines[:2], *lines[3:]]), encoding="utf-8")
    result = run("verify-export", str(exported))
    assert (result.returncode, "row 4 does not follow" in result.stderr) == (1, True)


def test_a_stranger_checks_the_signatures(exported: Path, trail: AuditLog, anchors: Path) -> None:
    trail.anchor()
    statements = {"export": exported.read_text(encoding="utf-8").splitlines()[-1], "anchor": anchors.read_text()}
    for kind, statement in statements.items():
        assert run("verify-signature", trail.public_key, kind, statement).returncode == 0
        forged = json.dumps({**json.loads(statement), "at": "never"})
        assert run("verify-signature", trail.public_key, kind, forged).returncode == 1


def test_every_kind_of_break_is_on_the_page() -> None:
    kinds = AuditBreak.model_json_schema()["properties"]["kind"]["enum"]
    assert [kind for kind in kinds if f"`{kind}`" not in PAGE] == []
