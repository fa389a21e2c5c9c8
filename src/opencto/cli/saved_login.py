"""The server that `opencto login` signed in at: kept in a file that only its owner reads, found again, forgotten."""

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class SavedLogin:
    """Where, and with which token."""

    base_url: str
    token: str = field(repr=False)


def path() -> Path:
    """`$XDG_CONFIG_HOME/opencto/login.json`, or below `~/.config` (XDG Base Directory Specification 0.8)."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or "")
    if not home.is_absolute():  # "relative paths are to be ignored", says the specification
        home = Path.home() / ".config"
    return home / "opencto" / "login.json"


def find() -> SavedLogin | None:
    """What was saved. Raises StartError where others can read it, or it is not what was saved."""
    from opencto.core.errors import StartError

    place = path()
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        mode = os.fstat(file.fileno()).st_mode & 0o777
        if mode & 0o077:
            raise StartError(
                f"{place} holds a token and can be read by others (mode {mode:04o}). "
                f"Run: chmod 600 {place}. If others use this machine, revoke the token and run `opencto login` anew."
            )
        text = file.read()
    try:
        held = json.loads(text)
        base_url, token = held["baseUrl"], held["token"]
    except (ValueError, KeyError, TypeError):
        base_url = token = None
    if not isinstance(base_url, str) or not isinstance(token, str) or not base_url or not token:
        raise StartError(
            f"{place} is not what `opencto login` wrote. Run `opencto login URL` again, or `opencto logout`."
        )
    return SavedLogin(base_url, token)


def save(login: SavedLogin) -> Path:
    """Replace what was saved, whole or not at all. Gives the file."""
    place = path()
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"baseUrl": login.base_url, "token": login.token}, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)
    return place


def forget() -> bool:
    """Whether there was one, readable or not."""
    try:
        path().unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
