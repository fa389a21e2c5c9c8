"""`python -m benchmarks.weight`: what the server weighs idle and after a written talk on its own sandbox.

In an install without the extra `local` (`make setup LOCAL=no` in a clone of its own) it is the figure for a small machine:
150 MB wanted. Memory is PSS of the server's processes, on Linux.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.process import running

TYPED = (
    "Good morning\nHow much did we spend last week?\nWhich realtime models do we have?\nWhat is left of our limits?\n"
)
WANTED_MB = 150
TALKS = 3


def main() -> int:
    opencto = str(Path(sys.executable).with_name("opencto"))
    has_local = importlib.util.find_spec("py_nanotts") is not None
    print(
        f"the extra `local` is {'there' if has_local else 'left out'}; PSS in MB, wanted under {WANTED_MB} without it\n"
    )
    with tempfile.TemporaryDirectory(prefix="opencto-weight-") as name:
        environ = {"OPENCTO_DATA_DIR": f"{name}/data", "OPENCTO_LOG_FORMAT": "json"}
        with running("opencto", "/health", environ, Path(name) / "up.log") as server:
            print(f"{'idle':<24}{server.pss_mb():>6.0f}")
            for talk in range(1, TALKS + 1):
                done = subprocess.run(
                    [opencto, "talk", "--text", "--json"],
                    env={**os.environ, **environ},
                    input=TYPED,
                    capture_output=True,
                    text=True,
                    check=True,
                )
                answers = json.loads(done.stdout)["usage"]["responses"]
                print(f"{f'after talk {talk}':<24}{server.pss_mb():>6.0f}   {answers} answers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
