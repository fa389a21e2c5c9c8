"""A server whose OpenAI is the strict sandbox on a real socket, and the people who ask."""

from collections.abc import Generator

import pytest
from fastapi import FastAPI

from identity.world import World, build_world
from opencto.core.configuration import load
from opencto.core.settings import Settings
from opencto.testing import ManualClock, RunningSandbox, running_sandbox


@pytest.fixture
def openai(clock: ManualClock) -> Generator[RunningSandbox]:
    """What the server under test takes for OpenAI. Ask for it before `app`."""
    with running_sandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def settings(environ: dict[str, str], openai: RunningSandbox) -> Settings:
    """The server has a key of its own and none for administration; a test may change `environ` first."""
    return load({"OPENAI_BASE_URL": openai.base_url, "OPENAI_API_KEY": "sk-server-key-0000000000", **environ}).settings


@pytest.fixture
def world(app: FastAPI) -> World:
    return build_world(app)
