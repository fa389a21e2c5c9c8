"""For commands that work beside the data directory: the house without a web server, opened and closed."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from opencto.core.database import Database
    from opencto.core.settings import Settings
    from opencto.house import House

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="The folder with database and secrets; else OPENCTO_DATA_DIR, else your home's.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@contextmanager
def open_local_house(data_dir: Path | None) -> Generator["House"]:
    """The house on this machine, also while its server runs.

    Raises StartError when there is none, when its database does not answer, or when it is of another version.
    """
    from opencto.core.configuration import load
    from opencto.core.errors import StartError
    from opencto.core.lock import LOCK_FILE, read_holder
    from opencto.core.migrations import current_version, newest_version
    from opencto.house import open_house
    from opencto.telemetry import log

    settings = load(flags={"OPENCTO_DATA_DIR": data_dir}).settings
    log.configure(settings.log_format, "warning")
    if settings.database_url is None and not settings.sqlite_path.is_file():
        raise StartError(
            f"There is no OpenCTO in {settings.data_dir} yet. Start it with `opencto up`, or name its folder with --data-dir or OPENCTO_DATA_DIR."
        )
    holder = read_holder(settings.data_dir / LOCK_FILE)
    if holder and holder.get("url"):  # links lead to the server that runs, whatever flags it was given
        settings = settings.model_copy(update={"public_url": settings.public_url or holder["url"]})
    house = open_house(settings)
    try:
        require_answer(house.database, settings)
        with house.database.read() as connection:
            version = current_version(connection)
        if version != newest_version():
            raise StartError(
                f"The database is of version {version or 'none'}, this program of {newest_version()}. Run `opencto up` of the newest OpenCTO once."
            )
        yield house
    finally:
        house.database.close()


def require_answer(database: "Database", settings: "Settings") -> None:
    """Raises StartError (exit code 4) that names host and port, never the password, when PostgreSQL does not let us in."""
    from sqlalchemy.engine import make_url

    from opencto.core.errors import DatabaseUnavailable, StartError

    try:
        database.ping()
    except DatabaseUnavailable as problem:
        if settings.database_url is None:
            raise StartError(
                f"{settings.sqlite_path} cannot be opened as a database. Bring back a copy from {settings.data_dir / 'backups'}, or name another folder."
            ) from None
        url = make_url(settings.database_url)
        raise StartError(
            f"PostgreSQL at {url.host or 'localhost'}:{url.port or 5432} {_reason(problem)} "
            "Start it, or correct OPENCTO_DATABASE_URL.",
            exit_code=4,
        ) from None


def _reason(problem: Exception) -> str:
    """What the server said, told in our words: its own may repeat what we sent."""
    said = str(problem.__cause__).lower()
    if "authentication failed" in said or "no password supplied" in said:
        return "refuses this user and password."
    if "database" in said and "does not exist" in said:
        return "has no database of this name; create it first."
    return "does not answer."
