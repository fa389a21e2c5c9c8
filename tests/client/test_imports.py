"""The client comes quickly and alone: counted by what it loads, not by a clock."""

import importlib.resources
import subprocess
import sys

import opencto

FIRST = """
import sys; before = set(sys.modules)
from opencto import OpenCTO, AsyncOpenCTO, OpenCTOError
print(*sorted(set(sys.modules) - before))
"""
USED = """
import sys
from opencto import OpenCTO
with OpenCTO("http://127.0.0.1:9", "octo_x") as client:
    [getattr(client, name) for name in dir(client)]
    client.respond_stream("Hello").close()
print(*sys.modules)
"""
SERVER = {
    "fastapi",
    "starlette",
    "uvicorn",
    "sqlalchemy",
    "aiohttp",
    "openai",
    "cryptography",
    "structlog",
    "typer",
    "rich",
}


def loaded(program: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_naming_the_client_loads_neither_the_connection_nor_the_shapes() -> None:
    names = loaded(FIRST)
    assert "opencto.client.client" in names, "else nothing was looked at"
    assert {one for one in names if one.partition(".")[0] in {"httpx2", "pydantic", "ssl", "asyncio"}} == set()
    assert {one for one in names if one.startswith("opencto.wire")} == set()


def test_using_it_loads_the_wire_and_nothing_of_the_server() -> None:
    names = loaded(USED)
    rooms = {".".join(one.split(".")[:2]) for one in names if one.startswith("opencto.")}
    assert rooms == {"opencto.client", "opencto.wire"}
    assert {one.partition(".")[0] for one in names} & SERVER == set()


def test_it_is_offered_where_one_looks() -> None:
    assert {"OpenCTO", "AsyncOpenCTO", "OpenCTOError", "__version__"} <= set(dir(opencto))
    assert not hasattr(opencto, "ClosedCTO")


def test_type_checkers_are_told_that_it_is_typed() -> None:
    assert (importlib.resources.files(opencto) / "py.typed").is_file()
