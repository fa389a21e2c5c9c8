"""What the pages show of the SDK runs, against the real application."""

import re
import socket
from collections.abc import Generator
from pathlib import Path

import pytest

from identity.world import build_world
from opencto import OpenCTO
from opencto.client.endpoints import Resource
from opencto.testing import running_sandbox
from serving import serve

ROOT = Path(__file__).parents[2]
KEY = "sk-proj-" + "Qz7v" * 12 + "Srv1"
PAGES = ("README.md", "docs/sdk.md")


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[str, str]]:
    """Its address, and a token of somebody who may read everything in acme."""
    folder = tmp_path_factory.mktemp("docs") / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with running_sandbox() as openai:
        environ = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": openai.base_url}
        with serve(folder, port, environ) as served:
            yield served.origin, build_world(served.app).ben.token


@pytest.mark.parametrize(
    ("page", "block"),
    [pytest.param(page, block, id=f"{page}-{number}") for page in PAGES for number, block in enumerate(blocks(page))],
)
def test_a_block_of_python_runs(
    server: tuple[str, str],
    page: str,
    block: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    base_url, token = server
    monkeypatch.setenv("OPENCTO_BASE_URL", base_url)
    monkeypatch.setenv("OPENCTO_TOKEN", token)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "a page"}
    exec(compile(block.replace("octo_…", token), page, "exec"), names)  # noqa: S102 - our own pages
    assert capsys.readouterr().out.strip()
    client = names.get("client")
    if isinstance(client, OpenCTO):
        client.close()


def test_every_resource_is_on_the_page() -> None:
    page = (ROOT / "docs/sdk.md").read_text("utf-8")
    with OpenCTO("http://127.0.0.1:9", "octo_x") as client:
        resources = [name for name in dir(client) if isinstance(getattr(client, name), Resource)]
    assert resources
    assert [name for name in resources if not re.search(rf"\b{name}\b", page)] == []
