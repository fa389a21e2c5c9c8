"""A server that is killed again and again: everything is imported once, and each life is a fork that serves.

It writes its URL, then the process id of a life for every line that it reads.
"""

import os
import sys

from opencto.app import create_app
from opencto.cli.serving import serve
from opencto.cli.start import prepared


def main() -> None:
    with prepared({"OPENCTO_PORT": "0"}, lambda _: None) as started:
        sys.stdout.write(f"{started.settings.origin}\n")
        sys.stdout.flush()
        while os.read(0, 1):
            child = os.fork()
            if child == 0:
                serve(create_app(started.settings), started.settings, started.listener, _tell)
                os._exit(0)
            os.waitpid(child, 0)


def _tell() -> None:
    os.write(1, f"{os.getpid()}\n".encode())


if __name__ == "__main__":
    main()
