"""Both clients, before the real application on a socket, or before a server that says what the test wrote down."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from client.both import Make, on_a_loop
from identity.world import Actor, World, build_world
from opencto import OpenCTO
from opencto.testing import RunningSandbox, running_sandbox
from serving import Served, serve

KEY = "sk-proj-" + "Qz7v" * 12 + "Srv1"


@dataclass
class Stage:
    """A server with people in it, and the OpenAI behind it."""

    served: Served
    world: World
    openai: RunningSandbox

    @property
    def acme(self) -> str:
        return self.world.acme.id


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("client") / "data"
    with running_sandbox() as openai:
        environ = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": openai.base_url}
        with serve(folder, port, environ) as served:
            yield Stage(served, build_world(served.app), openai)


@pytest.fixture(params=["blocking", "asyncio"])
def make(request: pytest.FixtureRequest) -> Generator[Make]:
    """Makes a client of one kind; each is closed at the end."""
    with ExitStack() as stack:
        loop = stack.enter_context(asyncio.Runner()) if request.param == "asyncio" else None

        def one(*args: Any, **options: Any) -> OpenCTO:
            made = on_a_loop(loop, *args, **options) if loop else OpenCTO(*args, **options)
            return stack.enter_context(made)

        yield one


@dataclass
class Cast:
    """A client for each person of the world."""

    stage: Stage
    make: Make
    made: dict[str, OpenCTO] = field(default_factory=dict[str, OpenCTO])

    def __getattr__(self, name: str) -> OpenCTO:
        if name not in self.made:
            who: Actor = getattr(self.stage.world, name)
            self.made[name] = self.make(self.stage.served.origin, who.token)
        return self.made[name]


@pytest.fixture
def people(stage: Stage, make: Make) -> Cast:
    return Cast(stage, make)
