"""Logs: one JSON object a line, or pretty in a terminal. A secret cannot appear: every value passes the scrubber."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal

import structlog

_SECRET_TEXT = re.compile(
    r"(?P<kind>sk-(?:proj-|svcacct-|admin-)?|ek_|octo_(?:session_|claim_|invite_|reset_)?|xox[abeprs]-|gh[opsur]_|github_pat_|AKIA)[A-Za-z0-9_-]{6,}"
    r"|(?P<auth>(?i:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}"
    r"|(?P<url>[a-z][a-z0-9+]*://[^\s:/@]+:)[^\s@/]+(?=@)"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+"
)
_SECRET_NAMES = re.compile(r"(?i)(password|passwd|secret|token|api_?key|authorization|cookie|csrf|otp|recovery)")
_HARMLESS_NAMES = frozenset(
    {"token_id", "tokens", "input_tokens", "output_tokens", "total_tokens", "cached_input_tokens"}
)


def scrub(text: str) -> str:
    """The text with everything that looks like a credential replaced by `***`."""

    def mask(match: re.Match[str]) -> str:
        return (match["kind"] or match["auth"] or match["url"] or "") + "***"

    return _SECRET_TEXT.sub(mask, text)


def scrub_value(value: Any, name: str = "", depth: int = 0) -> Any:
    """Any value of a log event, cleaned: by what it is called and by what it looks like."""
    if (
        name
        and name not in _HARMLESS_NAMES
        and not isinstance(value, (int, float, bool))
        and value is not None
        and _SECRET_NAMES.search(name)
    ):
        return "***"
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, bytes):
        return "***"
    if depth < 6 and isinstance(value, Mapping):
        return {str(key): scrub_value(item, str(key), depth + 1) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if depth < 6 and isinstance(value, (list, tuple, set, frozenset)):
        return [scrub_value(item, "", depth + 1) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if value is None or isinstance(value, (int, float, bool)):
        return value
    return scrub(str(value))


def _scrub_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: scrub_value(value, name) for name, value in event.items()}


def configure(log_format: Literal["auto", "json", "pretty"], level: str) -> None:
    """Send our own and every library's log lines through the same processors to standard error."""
    pretty = log_format == "pretty" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _scrub_event, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("uvicorn.access", "uvicorn.error", "uvicorn", "alembic", "httpx", "httpx2"):
        logger = logging.getLogger(noisy)
        logger.handlers.clear()
        logger.propagate = noisy != "uvicorn.access"
        logger.setLevel("WARNING" if noisy in {"alembic", "httpx", "httpx2"} else logging.NOTSET)


def get(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a room: `get("identity")`."""
    return structlog.get_logger(f"opencto.{name}")
