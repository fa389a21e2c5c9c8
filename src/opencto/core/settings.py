"""All settings in one class. Names that end in `_PER_MINUTE`, `_SECONDS`, `_DAYS` and `_BYTES` say their unit.

`configuration.py` reads them, `setting_values.py` says what a value may be.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from opencto.core.setting_values import (
    ApiBase,
    DatabaseUrl,
    HttpUrl,
    MasterKey,
    Networks,
    Origin,
    SecretSetting,
    Words,
    setting,
)


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
    public_url: Origin | None = setting(
        "OPENCTO_PUBLIC_URL",
        None,
        "The origin under which people reach the server; it alone makes links.",
        "Write it like https://cto.example.com.",
    )
    trusted_proxies: Networks = setting(
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
    database_url: DatabaseUrl | None = setting(
        "OPENCTO_DATABASE_URL",
        None,
        "PostgreSQL instead of SQLite in the data directory.",
        "Write it like postgresql://user:password@host/opencto.",
    )
    redis_url: str | None = setting(
        "OPENCTO_REDIS_URL", None, "Redis or Valkey for limits over many nodes.", "Write it like redis://host:6379/0."
    )
    master_key: MasterKey | None = setting(
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
    oidc_issuer: HttpUrl | None = setting(
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
    otlp_endpoint: HttpUrl | None = setting(
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
    openai_base_url: ApiBase | None = setting(
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
    approval_minutes: int = setting(
        "OPENCTO_APPROVAL_MINUTES",
        15,
        "How long a person has to approve what the assistant wants to change, in minutes.",
        "Use 1 to 1440.",
        ge=1,
        le=1440,
    )
    ledger_retention_days: int = setting(
        "OPENCTO_LEDGER_RETENTION_DAYS",
        400,
        "How long a call to OpenAI stays in the ledger, in days; 0 keeps all. The sums of the months stay.",
        "Use 0 to 36500.",
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
