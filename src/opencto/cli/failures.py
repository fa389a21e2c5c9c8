"""From an exception to a sentence and an exit code. What is a defect of ours is raised again, with its trace."""

import os
import sys
from typing import TYPE_CHECKING

from opencto.cli import output

if TYPE_CHECKING:
    from opencto.client.errors import OpenCTOError

FAILED, USAGE, ALREADY_RUNNING, NOT_REACHABLE, REFUSED, INTERRUPTED = 1, 2, 3, 4, 5, 130
_EXTRAS = {
    "psycopg": "postgres",
    "psycopg_pool": "postgres",
    "redis": "redis",
    "limits": "redis",
    "sounddevice": "audio",
}


def explain(error: Exception) -> int:
    """Say what happened and what to do on standard error. Gives the exit code."""
    if isinstance(error, ModuleNotFoundError):
        return _explain_missing(error)
    if isinstance(error, BrokenPipeError):
        # The reader (`| head`) has enough. Python flushes at exit and would complain: give it a place to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, OSError) and error.filename is not None:
        output.error(f"{error.filename}: {error.strerror}.")
        return FAILED
    return _explain_ours(error)


def _explain_ours(error: Exception) -> int:
    from opencto.core.problems import Forbidden, Problem, Unauthenticated, Unavailable

    if isinstance(error, Problem):
        output.error(error.detail)
        if isinstance(error, Unavailable):
            return NOT_REACHABLE
        return REFUSED if isinstance(error, (Forbidden, Unauthenticated)) else FAILED
    from opencto.core.errors import StartError

    if isinstance(error, StartError):
        output.error(str(error))
        return error.exit_code
    from opencto.client.errors import OpenCTOError

    if isinstance(error, OpenCTOError):
        return _explain_server(error)
    from opencto.core.configuration import SettingsError

    if isinstance(error, SettingsError):
        output.mistakes(error)
        return USAGE
    raise error


def _explain_server(error: "OpenCTOError") -> int:
    """What a server elsewhere said, or that it said nothing. Ends as it would beside the data directory."""
    from opencto.client import errors

    if isinstance(error, errors.APIStatusError):
        output.error(output.printable(_ours(error.detail)))
        if error.status in {401, 403}:
            return REFUSED
        return USAGE if error.code == "INVALID_REQUEST" else FAILED
    output.error(output.printable(_ours(str(error))))
    return NOT_REACHABLE if isinstance(error, (errors.APIConnectionError, errors.BadAnswerError)) else USAGE


def _ours(text: str) -> str:
    """The words of the SDK in those of the command line."""
    return text.replace("Is base_url right?", "Is the address right?").replace("base_url", "OPENCTO_BASE_URL")


def _explain_missing(error: ModuleNotFoundError) -> int:
    package = (error.name or "").partition(".")[0]
    if package in {"", "opencto"}:
        raise error
    extra = _EXTRAS.get(package, "server")
    output.error(
        f'This needs the extra "{extra}", which is not installed ({package} is missing). Run: pip install "opencto[{extra}]"'
    )
    return USAGE
