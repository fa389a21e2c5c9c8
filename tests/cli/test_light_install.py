"""The base install: the packages that `pip install opencto` brings and no other, in an environment of its own.

They are linked from the environment of the tests, so that no network is needed; what else is asked for is not there.
"""

import importlib.metadata
import os
import subprocess
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import opencto
from client.fakes import fake_server, said


def base_packages() -> dict[str, importlib.metadata.Distribution]:
    """What the base install needs, with what that needs."""
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = ["opencto"]
    while waiting:
        for line in importlib.metadata.requires(waiting.pop()) or []:
            wanted = Requirement(line)
            name = canonicalize_name(wanted.name)
            if name not in found and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
                found[name] = importlib.metadata.distribution(name)
                waiting.append(name)
    return found


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the base packages and our sources."""
    folder = tmp_path_factory.mktemp("light")
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for distribution in base_packages().values():
        tops = {path.parts[0] for path in distribution.files or [] if path.parts[0] not in {"..", "__pycache__"}}
        for top in tops:
            (packages / top).symlink_to(Path(str(distribution.locate_file(top))))
    (packages / "opencto").symlink_to(Path(opencto.__file__).parent)
    return folder / "bin" / "python"


def run(light: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "COLUMNS": "80", **environ}
    return subprocess.run([light, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_it_is_light(light: Path) -> None:
    heavy = {"fastapi", "sqlalchemy", "cryptography", "aiohttp", "openai", "uvicorn", "numpy"}
    assert not heavy & set(base_packages())
    assert run(light, "-c", "import fastapi").returncode == 1, "else the tests below prove nothing"


def test_help_and_version_need_no_more(light: Path) -> None:
    shown = run(light, "-m", "opencto", "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Start the server." in shown.stdout
    assert run(light, "-m", "opencto", "--version").stdout == f"opencto {opencto.__version__}\n"


@pytest.mark.parametrize(
    "command",
    ["up", "claim", "config show", "people list", "token list", "audit list", "sandbox", "doctor"],
)
def test_a_command_of_the_server_names_the_extra_that_it_needs(light: Path, tmp_path: Path, command: str) -> None:
    refused = run(light, "-m", "opencto", *command.split(), OPENCTO_DATA_DIR=str(tmp_path / "data"))
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert 'pip install "opencto[server]"' in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "data").exists()


LOADED = "import sys; before = set(sys.modules); import opencto; print(*sorted(set(sys.modules) - before))"


def test_importing_the_package_loads_nothing_else(light: Path) -> None:
    assert run(light, "-c", LOADED).stdout.split() == ["opencto"]


SHARED = """
import importlib, pkgutil, opencto.wire
for found in pkgutil.walk_packages(opencto.wire.__path__, "opencto.wire."):
    importlib.import_module(found.name)
    print(found.name)
"""


def test_the_shapes_that_the_sdk_shares_need_no_more(light: Path) -> None:
    imported = run(light, "-c", SHARED)
    assert imported.returncode == 0, imported.stderr
    assert "opencto.wire.identity" in imported.stdout


SDK = """
from opencto import OpenCTO
with OpenCTO(max_retries=0) as client:
    print(client.keys.list().workspace_id)
"""


def test_the_sdk_needs_no_more(light: Path) -> None:
    with fake_server(said(200, {"workspaceId": "ws_light", "keys": []})) as server:
        used = run(light, "-W", "error", "-c", SDK, OPENCTO_BASE_URL=server.base_url, OPENCTO_TOKEN="octo_x")
    assert (used.stdout, used.stderr) == ("ws_light\n", "")


ELSEWHERE = """
import sys
from opencto.cli import run
for command in sys.argv[1:]:
    print(f"{command}: {run(command.split())}", file=sys.stderr)
"""


def test_a_server_elsewhere_needs_no_more(light: Path, tmp_path: Path) -> None:
    """One process for them all, and the answers in the order in which they are asked for."""
    person: dict[str, object] = {"id": "usr_1", "name": "Ada", "email": None, "disabledAt": None}
    person |= {"createdAt": "2026-11-23T12:00:00Z"} | dict.fromkeys(
        ("emailVerified", "isOperator", "secondFactor"), True
    )
    room = {"workspaceId": "ws_1", "slug": "acme", "name": "Acme", "role": "owner"}
    session = said(200, {"signedIn": True, "claimed": True, "person": person, "workspaces": [room]})
    totals = {"calls": 0, "inputTokens": 0, "outputTokens": 0, "cost": "0", "unknownCost": 0}
    keys, sums = said(200, {"workspaceId": "ws_1", "keys": []}), said(200, totals)
    people, empty = said(200, {"data": [person], "nextCursor": None}), said(200, {"data": [], "nextCursor": None})
    asked = {
        "keys list": (0, session, keys),
        "ledger": (0, session, empty, sums),
        "ledger --csv": (0, session, empty),
        "people list": (0, people),
        "token list": (0, empty),
        "audit list": (0, empty, empty),
        "keys rotate": (2,),
    }
    with fake_server(*(answer for _, *answers in asked.values() for answer in answers)) as server:
        where = {"OPENCTO_BASE_URL": server.base_url, "OPENCTO_TOKEN": "octo_x", "HOME": str(tmp_path)}
        used = run(light, "-c", ELSEWHERE, *asked, **where)
    ended = [
        line for line in used.stderr.splitlines() if not line.startswith("Error: `opencto keys rotate` works beside")
    ]
    assert ended == [f"{command}: {code}" for command, (code, *_) in asked.items()]
    for told in ("There is no key in acme yet.", "No call in acme fits.", "upstreamRequestId", "Ada", "Nothing fits."):
        assert told in used.stdout
