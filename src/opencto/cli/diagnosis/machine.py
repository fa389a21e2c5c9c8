"""What can be seen of a server on its own machine: who may read its secrets, and how much room is left."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from opencto.cli.diagnosis.finding import Finding, failed, passed, warned

WARN_BYTES, FAIL_BYTES = 1_000_000_000, 100_000_000
_OTHERS = 0o077


def secrets(data_dir: Path) -> Finding:
    """Modes of the folders and files with secrets, and whether a master key wraps these."""
    folder = data_dir / "secrets"
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
        open_files = list(_open_to_others([*files, data_dir / "opencto.env"]))
        open_folders = list(_open_to_others([data_dir, folder]))
    except OSError as error:
        return failed(
            "secrets", f"{error.filename}: {error.strerror}.", "Run this as the user who owns the data directory."
        )
    if open_files:
        told = ", ".join(f"{path.name} ({_mode(path)})" for path in open_files)
        return failed("secrets", f"Others can read {told}.", _chmod("600", open_files))
    if open_folders:
        told = ", ".join(f"{path.name} ({_mode(path)})" for path in open_folders)
        return warned("secrets", f"Others can look into {told}.", _chmod("700", open_folders))
    clear = [path for path in files if path.suffix == ".key"]
    if clear:
        return passed(
            "secrets",
            f"{len(clear)} lie in files that only their owner reads, not wrapped: who copies the data directory has them. "
            "OPENCTO_MASTER_KEY would wrap them.",
        )
    return passed(
        "secrets",
        "None lies in a file: with OPENCTO_MASTER_KEY they are wrapped in the database, and before the first start there are none.",
    )


def disk(data_dir: Path) -> Finding:
    """Room where the data directory is."""
    try:
        return room(shutil.disk_usage(data_dir).free)
    except OSError as error:
        return failed("disk", f"{error.filename}: {error.strerror}.", "Run this as the user who owns the directory.")


def room(free_bytes: int) -> Finding:
    """What so many free bytes mean."""
    free = f"{free_bytes / 1e9:,.1f} GB" if free_bytes >= WARN_BYTES else f"{free_bytes / 1e6:,.0f} MB"
    remedy = "Make room: look at backups/ of the data directory first, or move it to a larger disk."
    if free_bytes < FAIL_BYTES:
        return failed("disk", f"Only {free} are free: writes are about to fail.", remedy)
    if free_bytes < WARN_BYTES:
        return warned("disk", f"Only {free} are free.", remedy)
    return passed("disk", f"{free} are free.")


def _open_to_others(paths: list[Path]) -> Iterator[Path]:
    return (path for path in paths if path.exists() and path.stat().st_mode & _OTHERS)


def _mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:04o}"


def _chmod(mode: str, paths: list[Path]) -> str:
    return f"Run: chmod {mode} {' '.join(map(os.fspath, paths))}"
