"""All settings in one class, read once. A mistake names every wrong variable together, each with its remedy.

Where a value comes from, first found wins: a flag of the command line, the environment, `opencto.env` in the data
directory (or the file that OPENCTO_ENV_FILE names), the default. Names that end in `_PER_MINUTE`, `_SECONDS`, `_DAYS`
and `_BYTES` say their unit.
"""

import base64
import binascii
import difflib
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from opencto.core.secret import Secret

CLIENT_VARIABLES = frozenset({"OPENCTO_BASE_URL", "OPENCTO_TOKEN", "OPENCTO_ENV_FILE"})
"""Variables of the SDK and the command line, which the server leaves alone."""

_SAMPLE_SECRETS = frozenset(
    {"changeme", "change-me", "secret", "password", "t0p-s3cr3t", "your-key-here", "sk-...", "test"}
)


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


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not a web address.")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must not contain a user, a query or a fragment.")
    return value.rstrip("/")


def _origin(value: str) -> str:
    value = _http_url(value)
    if urlsplit(value).path not in {"", "/"}:
        raise ValueError("must be an origin without a path.")
    return value


def _api_base(value: str) -> str:
    value = _http_url(value)
    return value if value.endswith("/v1") else f"{value}/v1"


def _database_url(value: str) -> str:
    for prefix in ("postgres://", "postgresql://", "postgresql+psycopg://"):
        if value.startswith(prefix):
            return "postgresql+psycopg://" + value.removeprefix(prefix)
    raise ValueError("is not a PostgreSQL address.")


def _words(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(word for word in value.replace(",", " ").split() if word)
    return value


def _network(value: str) -> str:
    ipaddress.ip_network(value, strict=False)
    return value


def _secret(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.strip().lower() in _SAMPLE_SECRETS:
        raise ValueError("is a sample, not a secret.")
    if any(character.isspace() or not character.isprintable() for character in value):
        raise ValueError("contains a blank, a line break or an unprintable character.")
    return Secret(value)


def _master_key(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        raw = base64.b64decode(value, validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != 32:
        raise ValueError("is not 32 bytes in base64.")
    if len(set(raw)) < 8:
        raise ValueError("is a sample, not a secret.")
    return Secret(value)


def _blank_is_absent(value: Any) -> Any:
    return None if value == "" else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
SecretSetting = Annotated[Secret, BeforeValidator(_secret)]


def setting(name: str, default: Any, help_text: str, remedy: str = "", **limits: Any) -> Any:
    """A field of `Settings`: the variable's name, what it is for, and what to do when it is wrong."""
    return Field(default, validation_alias=name, description=help_text, json_schema_extra={"remedy": remedy}, **limits)


class Settings(BaseModel):
    """Everything an operator can set."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, extra="ignore", populate_by_name=True)

    # Where it listens and how it is reached
    data_dir: Path = setting(
        "OPENCTO_DATA_DIR", Path(), "The folder with the database, secrets and logs.", "Name a folder you can write to."
    )
    host: str = setting(
        "OPENCTO_HOST", "127.0.0.1", "The address to listen on.", "Use 127.0.0.1, or 0.0.0.0 for all interfaces."
    )
    port: int = setting(
        "OPENCTO_PORT",
        8787,
        "The port to listen on; 0 takes a free one.",
        "Use a number from 0 to 65535.",
        ge=0,
        le=65535,
    )
    workers: int = setting(
        "OPENCTO_WORKERS", 1, "How many processes answer.", "Use a number from 1 to 64.", ge=1, le=64
    )
    public_url: Annotated[str, AfterValidator(_origin)] | None = setting(
        "OPENCTO_PUBLIC_URL",
        None,
        "The origin under which people reach the server; it alone makes links.",
        "Write it like https://cto.example.com.",
    )
    trusted_proxies: Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_words)] = setting(
        "OPENCTO_TRUSTED_PROXIES",
        (),
        "Proxies whose X-Forwarded-For counts.",
        "List addresses or networks such as 10.0.0.0/8.",
    )
    tls: Literal["off", "self-signed"] = setting(
        "OPENCTO_TLS", "off", "self-signed makes a certificate for the LAN.", "Use off or self-signed."
    )
    tls_cert: Path | None = setting(
        "OPENCTO_TLS_CERT", None, "The certificate chain, PEM.", "Name a PEM file, together with OPENCTO_TLS_KEY."
    )
    tls_key: Path | None = setting(
        "OPENCTO_TLS_KEY", None, "The certificate's key, PEM.", "Name a PEM file, together with OPENCTO_TLS_CERT."
    )
    max_body_bytes: int = setting(
        "OPENCTO_MAX_BODY_BYTES",
        1_048_576,
        "The largest request body.",
        "Use 1024 to 104857600.",
        ge=1024,
        le=104_857_600,
    )
    drain_seconds: float = setting(
        "OPENCTO_DRAIN_SECONDS",
        2.0,
        "How long /ready answers 503 before the door closes on SIGTERM.",
        "Use 0 to 300.",
        ge=0,
        le=300,
    )
    shutdown_seconds: float = setting(
        "OPENCTO_SHUTDOWN_SECONDS",
        30.0,
        "How long requests in flight may take to finish at the end.",
        "Use 1 to 3600.",
        ge=1,
        le=3600,
    )

    # Where it keeps things
    database_url: Annotated[str, AfterValidator(_database_url)] | None = setting(
        "OPENCTO_DATABASE_URL",
        None,
        "PostgreSQL instead of SQLite in the data directory.",
        "Write it like postgresql://user:password@host/opencto.",
    )
    redis_url: str | None = setting(
        "OPENCTO_REDIS_URL", None, "Redis or Valkey for limits over many nodes.", "Write it like redis://host:6379/0."
    )
    master_key: Annotated[Secret, BeforeValidator(_master_key)] | None = setting(
        "OPENCTO_MASTER_KEY",
        None,
        "Wraps the per-purpose keys, 32 bytes in base64.",
        "Make one with `openssl rand -base64 32`.",
    )

    # People
    session_days: int = setting(
        "OPENCTO_SESSION_DAYS", 30, "How long a sign-in lasts at most.", "Use 1 to 365.", ge=1, le=365
    )
    session_idle_hours: int = setting(
        "OPENCTO_SESSION_IDLE_HOURS", 168, "A sign-in unused for so long ends.", "Use 1 to 8760.", ge=1, le=8760
    )
    audit_retention_days: int = setting(
        "OPENCTO_AUDIT_RETENTION_DAYS",
        0,
        "Audit rows older than this are dropped; 0 keeps all.",
        "Use 0 to 36500.",
        ge=0,
        le=36_500,
    )
    oidc_issuer: Annotated[str, AfterValidator(_http_url)] | None = setting(
        "OPENCTO_OIDC_ISSUER",
        None,
        "Sign-in with OpenID Connect: the issuer.",
        "Write it like https://accounts.google.com.",
    )
    oidc_client_id: str | None = setting(
        "OPENCTO_OIDC_CLIENT_ID", None, "The client id at the issuer.", "Copy it from the issuer."
    )
    oidc_client_secret: SecretSetting | None = setting(
        "OPENCTO_OIDC_CLIENT_SECRET", None, "The client secret at the issuer.", "Copy it from the issuer."
    )
    oidc_name: str = setting(
        "OPENCTO_OIDC_NAME", "single sign-on", "What the button is called.", "Use up to 40 characters.", max_length=40
    )
    oidc_allow: Words = setting(
        "OPENCTO_OIDC_ALLOW",
        (),
        "Who may join by OIDC: addresses and @domains.",
        "List them like @example.com ada@example.org.",
    )
    oidc_role: Literal["admin", "member", "viewer"] = setting(
        "OPENCTO_OIDC_ROLE",
        "member",
        "The role in the default workspace for who joins by OIDC.",
        "Use admin, member or viewer.",
    )

    # What it tells
    log_format: Literal["auto", "json", "pretty"] = setting(
        "OPENCTO_LOG_FORMAT", "auto", "pretty in a terminal, json elsewhere.", "Use auto, json or pretty."
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "OPENCTO_LOG_LEVEL", "info", "The least that is logged.", "Use debug, info, warning or error."
    )
    otlp_endpoint: Annotated[str, AfterValidator(_http_url)] | None = setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        None,
        "Where traces go (OTLP over HTTP); unset sends none.",
        "Write it like http://localhost:4318.",
    )

    # OpenAI
    openai_api_key: SecretSetting | None = setting(
        "OPENAI_API_KEY", None, "The server's own key for inference.", "Copy it from platform.openai.com."
    )
    openai_admin_key: SecretSetting | None = setting(
        "OPENAI_ADMIN_KEY", None, "The server's own key for usage and costs.", "It begins with sk-admin-."
    )
    openai_base_url: Annotated[str, AfterValidator(_api_base)] | None = setting(
        "OPENAI_BASE_URL",
        None,
        "Another server that speaks OpenAI's wire, with or without /v1.",
        "Write it like http://localhost:11434/v1.",
    )
    voice_model: str = setting(
        "OPENAI_MODEL", "gpt-6-luna", "The model of the voice backend.", "Name a model id.", min_length=1
    )
    triage_model: str = setting(
        "OPENCTO_OPENAI_MODEL", "gpt-6-luna", "The model that triages.", "Name a model id.", min_length=1
    )
    agent_model: str = setting(
        "OPENCTO_AGENT_MODEL", "gpt-6.1-sol", "The model of the agents.", "Name a model id.", min_length=1
    )
    embed_model: str = setting(
        "OPENCTO_EMBED_MODEL", "text-embedding-3-small", "The model that embeds.", "Name a model id.", min_length=1
    )
    realtime_model: str = setting(
        "OPENCTO_REALTIME_MODEL", "gpt-realtime-2.1", "The model one talks with.", "Name a model id.", min_length=1
    )
    transcription_model: str = setting(
        "OPENCTO_TRANSCRIPTION_MODEL",
        "gpt-transcribe",
        "The model that writes down what one says.",
        "Name a model id.",
        min_length=1,
    )
    sandbox: Literal["auto", "off"] = setting(
        "OPENCTO_SANDBOX", "auto", "off never answers from the local sandbox.", "Use auto or off."
    )
    sandbox_demo: Literal["on", "off"] = setting(
        "OPENCTO_SANDBOX_DEMO",
        "on",
        "Whether the sandbox begins with 30 days of labelled demo usage.",
        "Use on or off.",
    )
    byok_only: bool = setting(
        "OPENCTO_BYOK_ONLY",
        False,
        "Only keys that people bring are used: never the server's own, never the sandbox.",
        "Use true or false.",
    )
    realtime_per_minute: int = setting(
        "RATE_LIMIT_REALTIME_PER_MINUTE",
        30,
        "Realtime tokens a minute, per person and workspace.",
        "Use 1 to 100000.",
        ge=1,
        le=100_000,
    )
    cto_openai_per_minute: int = setting(
        "RATE_LIMIT_CTO_OPENAI_PER_MINUTE",
        90,
        "Model and usage reads a minute, per person and workspace.",
        "Use 1 to 100000.",
        ge=1,
        le=100_000,
    )
    voice_per_minute: int = setting(
        "RATE_LIMIT_VOICE_PER_MINUTE",
        60,
        "Answers of the voice backend a minute, per person and workspace.",
        "Use 1 to 100000.",
        ge=1,
        le=100_000,
    )
    ledger_retention_days: int = setting(
        "OPENCTO_LEDGER_RETENTION_DAYS",
        400,
        "How long a call to OpenAI stays in the ledger, in days; 0 keeps all. The sums of the months stay.",
        "Use 0, or 31 to 36500.",
        ge=0,
        le=36_500,
    )
    limits_when_down: Literal["refuse", "allow"] = setting(
        "OPENCTO_LIMITS_WHEN_DOWN",
        "refuse",
        "What happens to model and usage reads while the limiter's store is down; what costs money is always refused.",
        "Use refuse or allow.",
    )

    @property
    def sqlite_path(self) -> Path:
        return self.data_dir / "opencto.db"

    @property
    def scheme(self) -> Literal["http", "https"]:
        return "https" if self.tls_cert or self.tls == "self-signed" else "http"

    @property
    def origin(self) -> str:
        """The origin of every link we make: OPENCTO_PUBLIC_URL alone, else the address we listen on."""
        return self.public_url or self.local_origin

    @property
    def local_origin(self) -> str:
        """Where this machine itself reaches the server, whatever others call it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def cookie_secure(self) -> bool:
        return self.origin.startswith("https://")


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


def variable(info: FieldInfo) -> str:
    assert isinstance(info.validation_alias, str)
    return info.validation_alias


def remedy(info: FieldInfo) -> str:
    """What to do when the setting is wrong."""
    extra = cast("dict[str, str]", info.json_schema_extra)
    return extra["remedy"]


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
