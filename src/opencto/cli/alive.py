"""Whether the server of this data directory answers, for a container's health check: `python -m opencto.cli.alive`."""

import os
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

from opencto.core.lock import LOCK_FILE, read_holder

TIMEOUT_SECONDS = 4.0


def main() -> int:
    """0 when it answers, 4 when it does not."""
    holder = read_holder(Path(os.environ.get("OPENCTO_DATA_DIR", "")) / LOCK_FILE)
    if not holder or "listens" not in holder:
        return 4
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = (
        False,
        ssl.CERT_NONE,
    )  # it names the outside; this stays on the machine
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with direct.open(f"{holder['listens']}/health", timeout=TIMEOUT_SECONDS) as answer:
            return 0 if answer.status == 200 else 4
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return 4


if __name__ == "__main__":
    sys.exit(main())
