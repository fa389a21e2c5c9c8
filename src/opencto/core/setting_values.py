"""What the value of a setting may be: each kind says in words what is wrong with another."""

import base64
import binascii
import ipaddress
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.fields import FieldInfo

from opencto.core.secret import Secret

_SAMPLE_SECRETS = frozenset(
    {"changeme", "change-me", "secret", "password", "t0p-s3cr3t", "your-key-here", "sk-...", "test"}
)


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


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_words)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
Origin = Annotated[str, AfterValidator(_origin)]
ApiBase = Annotated[str, AfterValidator(_api_base)]
"""An address of an API of OpenAI's kind, with or without `/v1`; it is kept with it."""
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
SecretSetting = Annotated[Secret, BeforeValidator(_secret)]
MasterKey = Annotated[Secret, BeforeValidator(_master_key)]


def setting(name: str, default: Any, help_text: str, remedy: str = "", **limits: Any) -> Any:
    """A field of `Settings`: the variable's name, what it is for, and what to do when it is wrong."""
    return Field(default, validation_alias=name, description=help_text, json_schema_extra={"remedy": remedy}, **limits)


def variable(info: FieldInfo) -> str:
    assert isinstance(info.validation_alias, str)
    return info.validation_alias


def remedy(info: FieldInfo) -> str:
    """What to do when the setting is wrong."""
    extra = cast("dict[str, str]", info.json_schema_extra)
    return extra["remedy"]
