"""One mind for all the tests of a process: the weights are read once."""

import pytest

from opencto.sandbox.mind import LocalMind
from sandbox.mind.measure import WithoutWeights


@pytest.fixture(scope="session")
def mind() -> LocalMind:
    return LocalMind()


@pytest.fixture(scope="session")
def plain_mind() -> LocalMind:
    """As where the extra `local` is not installed."""
    return LocalMind(WithoutWeights())
