"""Exports verify without the database."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.conftest import SIGNING_KEY, event, write
from opencto.core.database import Database
from opencto.ledger import export
from opencto.ledger.audit import AuditLog
from opencto.ledger.chain import content_hash
from opencto.ledger.export import FileVerification, verify_file
from opencto.ledger.repository import Filters
from opencto.ledger.signing import Signer

Lines = list[str]


@pytest.fixture
def lines(trail: AuditLog, database: Database, monkeypatch: pytest.MonkeyPatch) -> Lines:
    """An export of six rows, read in batches of two."""
    monkeypatch.setattr(export, "BATCH_ROWS", 2)
    write(trail, database, 6)
    return list(trail.export_jsonl(Filters()))


def check(tmp_path: Path, lines: Lines, key: str | None) -> FileVerification:
    path = tmp_path / "export.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    return verify_file(path, key)


def test_an_export_verifies(trail: AuditLog, lines: Lines, tmp_path: Path) -> None:
    key = trail.public_key
    assert check(tmp_path, lines, key) == FileVerification(6, 1, 6, True, key)
    assert check(tmp_path, lines, None).public_key == key


@pytest.mark.usefixtures("lines")
def test_an_export_with_a_filter_verifies_though_rows_are_left_out(
    trail: AuditLog, database: Database, tmp_path: Path
) -> None:
    with database.write() as tx:
        trail.record(tx, event("member.added", "usr_ä", "ws_1"))
    write(trail, database, 1)
    with database.write() as tx:
        trail.record(tx, event("member.added", "usr_b", "ws_1"))
    some = list(trail.export_jsonl(Filters(workspace_id="ws_1")))
    result = check(tmp_path, some, trail.public_key)
    assert (result.ok, result.rows, result.is_whole) == (True, 2, False)
    assert not check(tmp_path, some[1:], trail.public_key).ok
    assert check(tmp_path, list(trail.export_jsonl(Filters(action="none.such"))), trail.public_key).ok


def edit(lines: Lines) -> Lines:
    return [lines[0].replace("Ada", "Eve"), *lines[1:]]


def edit_and_rehash(lines: Lines) -> Lines:
    row = json.loads(lines[2])
    row.pop("hash")
    row["actorName"] = "Eve"
    return [*lines[:2], json.dumps({**row, "hash": content_hash(row)}) + "\n", *lines[3:]]


TAMPERINGS: dict[str, tuple[Callable[[Lines], Lines], int, str]] = {
    "edited": (edit, 1, "row 1 was edited"),
    "edited with its hash": (edit_and_rehash, 4, "row 4 is not chained to row 3"),
    "last row edited with its hash": (lambda ls: [*edit_and_rehash(ls)[:3], ls[6]], 4, "speaks of 6 rows, here are 3"),
    "removed": (lambda ls: [*ls[:2], *ls[3:]], 6, "speaks of 6 rows, here are 5"),
    "reordered": (lambda ls: [ls[1], ls[0], *ls[2:]], 2, "row 1 stands behind row 2"),
    "inserted": (lambda ls: [*ls[:3], ls[2], *ls[3:]], 4, "row 3 stands behind row 3"),
    "cut off": (lambda ls: ls[:4], 5, "the end of the file was cut off"),
    "empty": (lambda _: [], 1, "the end of the file was cut off"),
    "continued": (lambda ls: [*ls, ls[0]], 8, "behind the signed last line"),
    "seal edited": (lambda ls: [*ls[:6], ls[6].replace('"rows":6', '"rows":7')], 7, "not signed with the key"),
    "seal not signed": (lambda ls: [*ls[:6], '{"rowsDigest":""}'], 7, "not signed with the key"),
    "no JSON": (lambda ls: [ls[0], "{\n", *ls[1:]], 2, "not JSON"),
    "no object": (lambda ls: [ls[0], "[]\n", *ls[1:]], 2, "no row"),
    "no row": (lambda ls: [ls[0], "{}\n", *ls[1:]], 2, "no row"),
    "endless": (lambda ls: [ls[0], '"' + "x" * 1_000_001, *ls[1:]], 2, "longer than any row"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_with_a_file_is_named_with_its_line(trail: AuditLog, lines: Lines, tmp_path: Path, name: str) -> None:
    tamper, line, problem = TAMPERINGS[name]
    result = check(tmp_path, tamper(lines), trail.public_key)
    assert result.problem is not None
    assert problem in result.problem
    assert (result.ok, result.line) == (False, line)


def test_a_file_signed_by_somebody_else_is_refused(lines: Lines, tmp_path: Path) -> None:
    result = check(tmp_path, lines, Signer(bytes(32)).public_key)
    assert "not signed with the key" in (result.problem or "")
    for nonsense in ("no key", "AAAA"):
        assert "not an Ed25519 key" in (check(tmp_path, lines, nonsense).problem or "")


@pytest.mark.usefixtures("lines")
def test_a_file_that_claims_to_be_whole_and_has_a_gap_is_refused(trail: AuditLog, tmp_path: Path) -> None:
    signer = Signer(SIGNING_KEY)
    rows = trail.list(Filters(), beyond=None, limit=10)[::-1]
    forged = list(export.jsonl([rows[0], rows[2]], signer, "now", is_whole=True))
    assert check(tmp_path, forged, trail.public_key).is_whole is False
    seal = json.loads(forged[-1])
    content = {**{name: value for name, value in seal.items() if name != "signature"}, "whole": True}
    forged[-1] = json.dumps({**content, "signature": signer.sign("export", content)})
    assert "missing in the middle" in (check(tmp_path, forged, trail.public_key).problem or "")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n-1"])
def test_csv_holds_no_formula(trail: AuditLog, database: Database, text: str) -> None:
    one = event(target=text)
    object.__setattr__(one, "actor_name", text)
    with database.write() as tx:
        trail.record(tx, one)
    header, row = list(csv.reader(io.StringIO("".join(trail.export_csv(Filters())))))
    cells = dict(zip(header, row, strict=True))
    assert cells["at"] == "2026-11-23T12:00:00.000Z"
    for name in ("actor_name", "target_id"):
        assert cells[name][:1] not in {"=", "+", "-", "@", "\t", "\r", "\n", " "}


@pytest.mark.usefixtures("lines")
def test_damaged_rows_are_exported_as_they_are(trail: AuditLog) -> None:
    row = trail.list(Filters(), beyond=None, limit=1)[0]
    object.__setattr__(row, "at", "yesterday")
    assert export.exported(row) == {"seq": 6, "unreadable": True, "hash": row.hash}
    assert "yesterday" in list(export.csv_lines([row]))[1]
