"""Logs: one JSON object a line, or pretty in a terminal. A secret cannot appear: every value passes the scrubber.

Whatever writes to the log (our rooms, uvicorn, SQLAlchemy, warnings, an exception that nobody caught) goes through one
handler. Values of local variables are never shown, and the libraries below us never log more than `info`: their debug
lines hold headers, bodies and the parameters of statements.
"""

import asyncio
import contextlib
import json
import logging
import os
import sys
import threading
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, Literal

import structlog

from opencto.telemetry.scrub import scrub, scrub_value

ROOT = "opencto"
HOLD_SECONDS = 0.1
"""How long a line of the access log may wait for company; so much of it is lost with a process that is killed."""
_QUIET = (
    "aiosqlite",
    "alembic",
    "asyncio",
    "authlib",
    "httpcore2",
    "httpx",
    "httpx2",
    "openai",
    "opentelemetry",
    "sqlalchemy",
    "urllib3",
    "websockets",
)
"""Libraries whose `info` is our `debug`."""


class Handler(logging.StreamHandler[Any]):
    """Writes to standard error. A line that cannot be made is told of without its arguments."""

    def __init__(self, *, pretty: bool, formatter: logging.Formatter) -> None:
        super().__init__(sys.stderr)
        self._waiting: list[str] = []
        self.pretty = pretty
        self.setFormatter(formatter)

    def write(self, line: str) -> None:
        """Take a finished, clean line (of the access log). It leaves with the others of the next tenth of a second, or
        before the next line of any other kind: one system call for many requests.
        """
        self._waiting.append(line + self.terminator)
        if len(self._waiting) > 1:
            return
        try:
            asyncio.get_running_loop().call_later(HOLD_SECONDS, self.flush)
        except RuntimeError:
            self.flush()

    def flush(self) -> None:
        with self.lock or contextlib.nullcontext():
            waiting, self._waiting = self._waiting, []
            try:
                self.stream.write("".join(waiting))
                self.stream.flush()
            except (OSError, ValueError):
                return  # as in `handleError`: standard error is gone

    def emit(self, record: logging.LogRecord) -> None:
        if self._waiting:
            self.flush()
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is the standard library's
        """The standard one prints the arguments as they are; they may hold a secret."""
        kind = getattr(sys.exc_info()[0], "__name__", "error")
        line = {"event": "log_line_failed", "level": "error", "logger": record.name, "error": kind, "at": record.lineno}
        try:
            self.stream.write(json.dumps(line) + self.terminator)
        except (OSError, ValueError):
            return  # standard error itself is gone: there is nobody left to tell


def _scrub_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {scrub(name): scrub_value(value, name) for name, value in event.items()}


def configure(log_format: Literal["auto", "json", "pretty"], level: str) -> None:
    """Send our own and every library's log lines through the same processors to standard error."""
    pretty = log_format == "pretty" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=_may_colour(), exception_formatter=structlog.dev.plain_traceback)
        if pretty
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _scrub_event, renderer],
    )
    root = logging.getLogger()
    root.handlers[:] = [Handler(pretty=pretty, formatter=formatter)]
    root.setLevel("INFO" if level == "debug" else level.upper())
    logging.getLogger(ROOT).setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # ours has the request id and no query string
    for name in _QUIET:
        logging.getLogger(name).setLevel("ERROR" if level == "error" else "WARNING")
    logging.captureWarnings(capture=True)
    _catch_the_uncaught()


def _may_colour() -> bool:
    """Colours are for a terminal whose user did not switch them off (no-color.org)."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def get(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a room: `get("identity")`."""
    return structlog.get_logger(f"{ROOT}.{name}")


def _catch_the_uncaught() -> None:
    """What nobody caught is printed by Python as it is; let it take the way of every other line."""
    logger = logging.getLogger(f"{ROOT}.process")

    def in_main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            logger.critical("uncaught", exc_info=(kind, error, trace))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            logger.error("uncaught_in_thread", exc_info=args.exc_value)

    def unraisable(args: "sys.UnraisableHookArgs") -> None:
        logger.error("unraisable", exc_info=args.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = in_main, in_thread, unraisable
