"""Reading the settings: from where, first found wins, and every mistake named together, each with its remedy.

A flag of the command line, the environment, `opencto.env` in the data directory (or the file that OPENCTO_ENV_FILE
names), the default.
"""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError

from opencto.core.secret import Secret
from opencto.core.setting_values import remedy, variable
from opencto.core.settings import Settings

CLIENT_VARIABLES = frozenset({"OPENCTO_BASE_URL", "OPENCTO_TOKEN", "OPENCTO_ENV_FILE"})
"""Variables of the SDK and the command line, which the server leaves alone."""


@dataclass(frozen=True)
class Mistake:
    """One wrong setting."""

    name: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem} {self.remedy}"


class SettingsError(Exception):
    """Every wrong setting at once."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """`$XDG_DATA_HOME/opencto`, or `~/.local/share/opencto` (XDG Base Directory Specification 0.8)."""
    home = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".local/share")
    return Path(home) / "opencto"


def _blank_is_absent(value: Any) -> Any:
    return None if value == "" else value


@dataclass(frozen=True)
class Sourced:
    """One setting for `opencto config show`: its value as text (secrets masked) and where it came from."""

    name: str
    value: str
    source: str
    help: str


@dataclass(frozen=True)
class Configuration:
    """The settings, and for each where it came from."""

    settings: Settings
    sources: Mapping[str, str]
    warnings: tuple[str, ...]

    def rows(self) -> list[Sourced]:
        rows: list[Sourced] = []
        for field, info in Settings.model_fields.items():
            name = variable(info)
            rows.append(
                Sourced(name, _shown(getattr(self.settings, field), name), self.sources[name], info.description or "")
            )
        return rows


def snapshot(settings: Settings) -> dict[str, Any]:
    """Every value by variable name, secrets in clear: for the pipe to a worker process and for nothing else."""
    return {variable(info): _plain(getattr(settings, field)) for field, info in Settings.model_fields.items()}


def restore(values: Mapping[str, Any]) -> Settings:
    """The opposite of `snapshot`."""
    return Settings.model_validate(values)


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    return str(value) if isinstance(value, Path) else value


def _shown(value: Any, name: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, tuple):
        return " ".join(str(item) for item in value) or "–"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if name.endswith("_URL") and isinstance(value, str) and "@" in value:
        scheme, _, rest = value.partition("://")
        user, _, host = rest.rpartition("@")
        return f"{scheme}://{user.partition(':')[0]}:***@{host}"
    return str(value)


def load(environ: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None) -> Configuration:
    """Read the settings. `flags` are by variable name and win.

    Raises SettingsError with every mistake when any value is wrong.
    """
    environ = os.environ if environ is None else environ
    flags = {name: value for name, value in (flags or {}).items() if value is not None}
    data_dir = (
        Path(flags.get("OPENCTO_DATA_DIR") or environ.get("OPENCTO_DATA_DIR") or default_data_dir(environ))
        .expanduser()
        .absolute()
    )
    env_file = Path(environ["OPENCTO_ENV_FILE"]) if environ.get("OPENCTO_ENV_FILE") else data_dir / "opencto.env"
    from_file = _read_env_file(env_file)

    values: dict[str, Any] = {"OPENCTO_DATA_DIR": data_dir}
    sources: dict[str, str] = {"OPENCTO_DATA_DIR": "default"}
    known = [variable(info) for info in Settings.model_fields.values()]
    layers: list[tuple[str, Mapping[str, Any]]] = [
        (str(env_file), from_file),
        ("environment", environ),
        ("flag", flags),
    ]
    for name in known:
        sources.setdefault(name, "default")
        for label, layer in layers:
            value = _blank_is_absent(layer.get(name))
            if value is None or (name == "OPENCTO_DATA_DIR" and label not in {"environment", "flag"}):
                continue
            values[name] = data_dir if name == "OPENCTO_DATA_DIR" else value
            sources[name] = label
    mistakes = _combinations(values)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError([*_mistakes(error), *mistakes]) from None
    if mistakes:
        raise SettingsError(mistakes)
    return Configuration(settings, sources, tuple(_unknown({*environ, *from_file}, known)))


def _read_env_file(path: Path) -> dict[str, str]:
    try:
        return (
            {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}
            if path.is_file()
            else {}
        )
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            [Mistake(str(path), f"cannot be read ({type(error).__name__}).", "Make it a readable UTF-8 file.")]
        ) from None


def _mistakes(error: ValidationError) -> list[Mistake]:
    remedies = {variable(info): remedy(info) for info in Settings.model_fields.values()}
    found: dict[str, Mistake] = {}
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        message = item["msg"].removeprefix("Value error, ")
        name = str(item["loc"][0])
        problem = message if message.endswith(".") else f"{message[0].lower()}{message[1:]}."
        found.setdefault(name, Mistake(name, problem, remedies.get(name, "")))
    return list(found.values())


def _combinations(values: Mapping[str, Any]) -> list[Mistake]:
    """Settings that are right alone and wrong together; looked for in the raw values, so that nothing hides them."""
    mistakes: list[Mistake] = []
    if bool(values.get("OPENCTO_TLS_CERT")) != bool(values.get("OPENCTO_TLS_KEY")):
        mistakes.append(Mistake("OPENCTO_TLS_CERT", "and OPENCTO_TLS_KEY belong together.", "Set both or neither."))
    if values.get("OPENCTO_TLS_CERT") and values.get("OPENCTO_TLS") == "self-signed":
        mistakes.append(
            Mistake("OPENCTO_TLS", "is self-signed although a certificate is given.", "Leave one of them out.")
        )
    if values.get("OPENCTO_OIDC_ISSUER"):
        missing = [
            name
            for name in ("OPENCTO_OIDC_CLIENT_ID", "OPENCTO_OIDC_CLIENT_SECRET", "OPENCTO_OIDC_ALLOW")
            if not values.get(name)
        ]
        if missing:
            mistakes.append(
                Mistake("OPENCTO_OIDC_ISSUER", f"needs {', '.join(missing)} too.", "Set them, or leave the issuer out.")
            )
    return mistakes


def _unknown(names: set[str], known: list[str]) -> list[str]:
    warnings: list[str] = []
    for name in sorted(names):
        if not name.startswith(("OPENCTO_", "RATE_LIMIT_")) or name in known or name in CLIENT_VARIABLES:
            continue
        close = difflib.get_close_matches(name, known, n=1)
        warnings.append(f"{name} is not a setting of OpenCTO." + (f" Did you mean {close[0]}?" if close else ""))
    return warnings
