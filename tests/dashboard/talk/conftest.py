"""A stage, a Chromium that hears, and a page for the files of this folder: one of each for a file."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from dashboard.talking import QUIET, Stage, Talker, hearing, question_file, stage, visit
from opencto.sandbox.ports import Ears


@pytest.fixture(scope="module")
def ears() -> Ears | None:
    """Those of the sandbox, unless a file says otherwise."""
    return None


@pytest.fixture(scope="module")
def the_stage(tmp_path_factory: pytest.TempPathFactory, module_port: int, ears: Ears | None) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("talk"), module_port, ears) as the_stage:
        yield the_stage


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """With a microphone that asks the question again and again."""
    with hearing(question_file(tmp_path_factory.mktemp("microphone"))) as browser:
        yield browser


@pytest.fixture(scope="module")
def visitor(browser: Browser, the_stage: Stage) -> Iterator[Talker]:
    with visit(browser, the_stage) as visitor:
        yield visitor


@pytest.fixture
def talker(visitor: Talker) -> Iterator[Talker]:
    """The page that all share, at its beginning."""
    visitor.stage.heal()
    yield visitor.open(**QUIET)
    assert visitor.watch.complaints == [], "nothing in the console"
    visitor.stage.heal()
