"""A sandbox that listens, and callers with and without the `openai` package."""

from collections.abc import AsyncGenerator, Generator

import httpx2
import openai
import pytest

from opencto.testing import ManualClock, RunningSandbox, running_sandbox

KEY = "sk-test-0123456789abcdef"
ADMIN_KEY = "sk-admin-0123456789abcdef"


@pytest.fixture
def sandbox(clock: ManualClock) -> Generator[RunningSandbox]:
    with running_sandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def http(sandbox: RunningSandbox) -> Generator[httpx2.Client]:
    """A plain caller with an inference key."""
    with httpx2.Client(base_url=sandbox.base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=10) as http:
        yield http


@pytest.fixture(scope="session")
def shared_http() -> Generator[httpx2.Client]:
    """For the many questions that change nothing: one sandbox for all of them."""
    with (
        running_sandbox(clock=ManualClock()) as sandbox,
        httpx2.Client(base_url=sandbox.base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=10) as http,
    ):
        yield http


@pytest.fixture(scope="session")
def shared_admin() -> Generator[httpx2.Client]:
    """The same with an admin key."""
    with (
        running_sandbox(clock=ManualClock()) as sandbox,
        httpx2.Client(base_url=sandbox.base_url, headers={"Authorization": f"Bearer {ADMIN_KEY}"}, timeout=10) as http,
    ):
        yield http


@pytest.fixture
def admin(sandbox: RunningSandbox) -> Generator[httpx2.Client]:
    """A plain caller with an admin key."""
    with httpx2.Client(base_url=sandbox.base_url, headers={"Authorization": f"Bearer {ADMIN_KEY}"}, timeout=60) as http:
        yield http


@pytest.fixture
def ai(sandbox: RunningSandbox) -> Generator[openai.OpenAI]:
    """The official package."""
    with openai.OpenAI(api_key=KEY, admin_api_key=ADMIN_KEY, base_url=sandbox.base_url, max_retries=0) as ai:
        yield ai


@pytest.fixture
async def async_ai(sandbox: RunningSandbox) -> AsyncGenerator[openai.AsyncOpenAI]:
    """The official package, asynchronous."""
    async with openai.AsyncOpenAI(api_key=KEY, admin_api_key=ADMIN_KEY, base_url=sandbox.base_url, max_retries=0) as ai:
        yield ai
