"""From an exception to a sentence and an exit code. What is a defect of ours is raised again, with its trace."""

import os
import sys

from opencto.cli import output

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
    from opencto.core.configuration import SettingsError

    if isinstance(error, SettingsError):
        output.mistakes(error)
        return USAGE
    raise error


def _explain_missing(error: ModuleNotFoundError) -> int:
    package = (error.name or "").partition(".")[0]
    if package in {"", "opencto"}:
        raise error
    extra = _EXTRAS.get(package, "server")
    output.error(
        f'This needs the extra "{extra}", which is not installed ({package} is missing). Run: pip install "opencto[{extra}]"'
    )
    return USAGE
