"""One child of `opencto up --workers N` (see supervisor.py): `python -m opencto.cli.worker FD`, not for people."""

import json
import os
import socket
import sys
import threading

from opencto.app import create_app
from opencto.cli.serving import serve
from opencto.core.configuration import restore
from opencto.core.errors import StartError
from opencto.core.problems import Problem
from opencto.telemetry import log

_PIPE = 0  # standard input, read without Python's buffer: its lock would outlive the thread that waits


def _die_with_parent() -> None:
    os.read(_PIPE, 1)  # returns when the parent is gone, however it went
    os._exit(1)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(descriptor: int) -> int:
    """Serve on an inherited socket with the settings that come through standard input."""
    with open(_PIPE, "rb", buffering=0, closefd=False) as pipe:
        first = pipe.readline()
    if not first:
        return 1
    settings = restore(json.loads(first))
    threading.Thread(target=_die_with_parent, daemon=True).start()
    log.configure(settings.log_format, settings.log_level)
    listener = socket.socket(fileno=descriptor)
    try:
        serve(create_app(settings), settings, listener, lambda: _tell("open"), is_worker=True)
    except StartError as error:
        _tell(json.dumps({"message": str(error), "exitCode": error.exit_code}))
        return error.exit_code
    except Problem as problem:
        _tell(json.dumps({"message": problem.detail, "exitCode": 4}))
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
