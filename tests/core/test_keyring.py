"""The per-purpose keys: files or wrapped, never mixed, never silently replaced."""

import base64
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete

from opencto.core.database import Database
from opencto.core.errors import StartError
from opencto.core.keyring import Keyring, purpose_keys
from opencto.core.secret import Secret
from opencto.testing import ManualClock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "secrets"


@pytest.fixture(autouse=True)
def nothing_was_made(folder: Path, database: Database) -> None:
    """The database of a first start, without the secrets that other tests find made."""
    shutil.rmtree(folder)
    with database.write() as tx:
        tx.execute(delete(purpose_keys))


def _master() -> Secret:
    return Secret(base64.b64encode(os.urandom(32)).decode())


def _ring(folder: Path, database: Database, master: Secret | None = None) -> Keyring:
    return Keyring(folder, master, database, ManualClock())


def test_each_purpose_has_a_key_of_its_own_kept_in_a_closed_file(folder: Path, database: Database) -> None:
    ring = _ring(folder, database)
    assert ring.key("session") != ring.key("second-factor")
    assert ring.key("session") == _ring(folder, database).key("session")
    assert [oct(path.stat().st_mode & 0o777) for path in sorted(folder.iterdir())] == ["0o600", "0o600"]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_master_key_takes_the_keys_over_and_the_clear_files_go(folder: Path, database: Database) -> None:
    clear = _ring(folder, database).key("session")
    master = _master()
    assert _ring(folder, database, master).key("session") == clear
    assert not (folder / "session.key").exists()
    assert _ring(folder, database, master).key("session") == clear
    assert clear not in (database.fetch_now("SELECT wrapped FROM purpose_keys", {})[0][0] or b"")


def test_another_master_key_is_refused(folder: Path, database: Database) -> None:
    _ring(folder, database, _master()).key("session")
    with pytest.raises(StartError, match="does not open"):
        _ring(folder, database, _master()).key("session")


def test_without_its_master_key_the_server_says_what_is_missing(folder: Path, database: Database) -> None:
    _ring(folder, database, _master()).key("session")
    with pytest.raises(StartError, match="Set OPENCTO_MASTER_KEY"):
        _ring(folder, database).key("session")


def test_a_lost_file_is_refused_instead_of_replaced(folder: Path, database: Database) -> None:
    _ring(folder, database).key("session")
    (folder / "session.key").unlink()
    with pytest.raises(StartError, match="is missing"):
        _ring(folder, database).key("session")


def test_a_file_of_another_server_is_refused(folder: Path, database: Database) -> None:
    _ring(folder, database).key("session")
    (folder / "session.key").write_bytes(os.urandom(32))
    with pytest.raises(StartError, match="not the one this database was made with"):
        _ring(folder, database).key("session")


def test_a_file_that_others_can_read_is_refused(folder: Path, database: Database) -> None:
    _ring(folder, database).key("session")
    (folder / "session.key").chmod(0o640)
    with pytest.raises(StartError, match="chmod 600"):
        _ring(folder, database).key("session")


@pytest.mark.parametrize("content", [b"", b"\0" * 32, b"x" * 64])
def test_a_file_that_is_no_key_of_ours_is_refused(folder: Path, database: Database, content: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / "session.key").write_bytes(content)
    (folder / "session.key").chmod(0o600)
    with pytest.raises(StartError, match="not a secret that OpenCTO made"):
        _ring(folder, database).key("session")


def test_processes_that_need_a_new_key_at_once_get_the_same_one(folder: Path, database: Database) -> None:
    master = _master()
    databases = [Database(database.url) for _ in range(4)]
    rings = [_ring(folder, one, master) for one in databases]
    with ThreadPoolExecutor(4) as threads:
        keys = list(threads.map(Keyring.key, rings, ["session"] * 4))
    for one in databases:
        one.close()
    assert len(set(keys)) == 1


def test_a_wrapped_key_moved_to_another_purpose_does_not_open(folder: Path, database: Database) -> None:
    master = _master()
    ring = _ring(folder, database, master)
    ring.key("session")
    ring.key("second-factor")
    with database.write() as tx:
        tx.exec_driver_sql(
            "UPDATE purpose_keys SET wrapped = (SELECT wrapped FROM purpose_keys WHERE purpose = 'session') WHERE purpose = 'second-factor'"
        )
    with pytest.raises(StartError, match="does not open"):
        _ring(folder, database, master).key("second-factor")
