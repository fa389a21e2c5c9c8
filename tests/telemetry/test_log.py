"""Every line is JSON (or pretty), comes from anywhere, and holds no secret."""

import io
import json
import logging
import sys
import threading
import warnings
from typing import Any

import pytest

from opencto.telemetry import log
from telemetry.test_scrub import PLANTED

pytestmark = pytest.mark.usefixtures("own_logging")


class Stderr:
    """What was written to standard error so far."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self._text = ""

    def getvalue(self) -> str:
        self._text += self._capture.readouterr().err
        return self._text


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Stderr:
    return Stderr(capsys)


def lines(stream: Stderr) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_whatever_it_holds(stderr: Stderr) -> None:
    log.configure("json", "info")
    log.get("identity").info(
        "person_joined", name="Ada\nLovelace\u2028", nothing=None, ratio=float("nan"), parts={"a": [1, {"b": object()}]}
    )
    (line,) = lines(stderr)
    assert (line["event"], line["logger"], line["level"]) == ("person_joined", "opencto.identity", "info")
    assert line["name"] == "Ada\nLovelace\u2028"
    assert line["ratio"] == "nan"
    assert line["timestamp"].endswith("Z")


def test_foreign_lines_take_the_same_way(stderr: Stderr) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log.configure("json", "info")
        logging.getLogger("uvicorn.error").info("Started server process [%d] with %s", 12, PLANTED["a project key"][0])
        warnings.warn(f"old {PLANTED['a client secret'][0]}", UserWarning, stacklevel=1)
    first, second = lines(stderr)
    assert first["event"] == "Started server process [12] with sk-proj-***"
    assert first["logger"] == "uvicorn.error"
    assert second["logger"] == "py.warnings"
    assert "canary" not in stderr.getvalue()


def test_debug_is_ours_alone(stderr: Stderr) -> None:
    log.configure("json", "debug")
    log.get("identity").debug("looked_up")
    for foreign in ("sqlalchemy.engine.Engine", "httpx2", "openai._base_client", "aiohttp.client", "authlib"):
        logging.getLogger(foreign).debug("parameters and headers")
    assert [line["event"] for line in lines(stderr)] == ["looked_up"]


def test_a_line_that_cannot_be_made_shows_no_argument(stderr: Stderr) -> None:
    log.configure("json", "info")
    clumsy = "two %s %s"
    logging.getLogger("clumsy").warning(clumsy, PLANTED["a project key"][0])
    (line,) = lines(stderr)
    assert (line["event"], line["logger"]) == ("log_line_failed", "clumsy")
    assert "canary" not in stderr.getvalue()


def test_what_nobody_caught_is_a_line_too(stderr: Stderr) -> None:
    log.configure("json", "info")

    def fails() -> None:
        local = PLANTED["an admin key"][0]
        raise RuntimeError(f"with {local}")

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join(5)
    try:
        fails()
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    in_thread, in_main = lines(stderr)
    assert (in_thread["event"], in_main["event"]) == ("uncaught_in_thread", "uncaught")
    assert "RuntimeError: with sk-admin-***" in in_main["exception"]
    assert "canary" not in stderr.getvalue()


@pytest.mark.parametrize("log_format", ["json", "pretty"])
@pytest.mark.parametrize("kind", PLANTED)
def test_no_planted_secret_reaches_the_log(stderr: Stderr, log_format: Any, kind: str) -> None:
    text, needle = PLANTED[kind]
    log.configure(log_format, "debug")
    ours, foreign = log.get("planted"), logging.getLogger("some.library")
    ours.info(f"event with {text}")
    ours.debug("event", text=text, nested={"list": [text, {"key": text}]}, raw=text.encode(), error=ValueError(text))
    ours.info("event %s", text)
    ours.bind(bound=text).warning("bound")
    foreign.info("args %s and %r", text, {"password": text})
    foreign.error(text, extra={"extra": text}, stack_info=True)
    log.structlog.contextvars.bind_contextvars(context=text)
    try:
        try:
            raise KeyError(text)
        except KeyError as inner:
            raise RuntimeError(text, text.encode()) from inner
    except RuntimeError as error:
        error.add_note(text)
        ours.exception("failed")
        foreign.exception("failed")
        ours.error("failed", exc_info=ExceptionGroup(text, [error]))
    finally:
        log.structlog.contextvars.clear_contextvars()
    assert stderr.getvalue().count("\n") >= 9
    assert needle not in stderr.getvalue()
    if log_format == "json":
        assert len(lines(stderr)) == 9


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("is_terminal", "environ", "is_coloured"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": ""}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": "0"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
    ],
    ids=str,
)
def test_pretty_lines_have_colours_in_a_terminal_whose_user_wants_them(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool, environ: dict[str, str], is_coloured: bool
) -> None:
    stream = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    log.configure("pretty", "info")
    log.get("identity").info("person_joined", name="Ada")
    assert "person_joined" in stream.getvalue()
    assert ("\x1b[" in stream.getvalue()) is is_coloured
