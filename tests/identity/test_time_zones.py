"""Time zones without the help of the operating system."""

import os
import subprocess
import sys

CHECK = """
import zoneinfo
from opencto.core.problems import Invalid
from opencto.identity.workspaces import _require_time_zone

assert zoneinfo.TZPATH == (), zoneinfo.TZPATH
_require_time_zone("Europe/Vienna")
try:
    _require_time_zone("Europe/Nowhere")
except Invalid:
    print("known by name")
"""


def test_a_container_without_a_time_zone_database_knows_every_zone() -> None:
    environ = {**os.environ, "PYTHONTZPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", CHECK], env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "known by name\n", done.stderr
