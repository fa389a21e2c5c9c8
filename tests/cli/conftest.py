"""The command line on the database of a test: as a process of its own, or in this one where starting one shows nothing more."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import pytest

from journeys.program import PATIENCE_SECONDS, environment
from opencto import cli

Done = subprocess.CompletedProcess[str]


def process(environ: dict[str, str], *arguments: str, typed: str = "") -> Done:
    """One command to its end, without a terminal of its own, 80 columns wide. `typed` comes through standard input."""
    return subprocess.run(
        [sys.executable, "-m", "opencto", *arguments],
        env=environment(COLUMNS="80", NO_COLOR="1", **environ),
        input=typed,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def run(environ: dict[str, str], *arguments: str, typed: str = "") -> Done:
    """The same in this process: what `python -m opencto` does after it was started."""
    out, err = io.StringIO(), io.StringIO()
    with (
        _environment(environment(COLUMNS="80", NO_COLOR="1", **environ)),
        _standard_input(typed),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        ThreadPoolExecutor(1) as thread,  # a command has an event loop of its own
    ):
        code = thread.submit(cli.run, arguments).result(PATIENCE_SECONDS)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def say(environ: dict[str, str], *arguments: str, typed: str = "") -> str:
    """What a command that succeeds prints."""
    done = run(environ, *arguments, typed=typed)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Generator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _standard_input(typed: str) -> Generator[None]:
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(typed.encode()), "utf-8")
    try:
        yield
    finally:
        sys.stdin = before


@pytest.fixture(params=["sqlite"])
def database_url() -> None:
    """What a terminal shows is the same on both databases; the rooms' own tests run on both."""
