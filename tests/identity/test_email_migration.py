"""Addresses from before OpenCTO remembered who vouched for them."""

import shutil
from pathlib import Path

from sqlalchemy import text

from opencto.core.database import Database
from opencto.core.migrations import VERSIONS, migrate
from opencto.core.settings import Settings
from opencto.testing import ManualClock


def before(folder: Path) -> Path:
    """The migrations up to the one under test."""
    subject = next(VERSIONS.glob("*_email_verified.py")).name
    folder.mkdir()
    for path in VERSIONS.glob("[0-9]*.py"):
        if path.name < subject:
            shutil.copy(path, folder)
    return folder


PEOPLE = {
    "usr_operator": ("ada@example.com", True),
    "usr_issuer": ("grace@example.com", False),
    "usr_named": ("ben@example.com", False),
    "usr_typed": ("mallory@example.com", False),
    "usr_nobody": (None, True),
}


def test_who_was_vouched_for_is_verified_and_who_only_typed_is_not(
    settings: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database.from_settings(settings)
    migrate(database, backups=tmp_path / "backups", clock=clock, versions=before(tmp_path / "versions"))
    with database.write() as tx:
        for person, (email, is_operator) in PEOPLE.items():
            tx.execute(
                text(
                    "INSERT INTO people (id, name, email, email_key, is_operator, is_local_owner, created_at)"
                    " VALUES (:id, 'x', :email, :email, :operator, :no, 7)"
                ),
                {"id": person, "email": email, "operator": is_operator, "no": False},
            )
        tx.execute(text("INSERT INTO workspaces VALUES ('ws_1', 'one', 'One', '{}', 1, 1)"))
        tx.execute(text("INSERT INTO oidc_identities VALUES ('https://issuer', 'sub', 'usr_issuer', 1)"))
        for number, (email, accepted_by) in enumerate(
            [("Ben@Example.com", "usr_named"), (None, "usr_typed"), ("else@example.com", "usr_typed")]
        ):
            tx.execute(
                text(
                    "INSERT INTO invitations (id, secret_hash, workspace_id, role, email, created_by, created_at, expires_at, accepted_by)"
                    " VALUES (:id, :hash, 'ws_1', 'member', :email, 'usr_operator', 1, 2, :by)"
                ),
                {"id": f"inv_{number}", "hash": bytes([number]), "email": email, "by": accepted_by},
            )
    migrate(database, backups=tmp_path / "backups", clock=clock)
    with database.read() as tx:
        rows = tx.execute(text("SELECT id FROM people WHERE email_verified_at = 7 ORDER BY id")).scalars()
        assert list(rows) == ["usr_issuer", "usr_named", "usr_operator"]
    database.close()
