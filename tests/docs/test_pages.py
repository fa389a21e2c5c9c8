"""What the pages say is so."""

import re
from pathlib import Path

import pytest

from opencto.cli.commands import COMMANDS
from opencto.cli.reference import settings_page
from opencto.core.setting_values import variable
from opencto.core.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_reference_of_settings_is_fresh() -> None:
    assert (ROOT / "docs/reference/settings.md").read_text("utf-8") == settings_page(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_exists(page: Path) -> None:
    named = set(re.findall(r"(?:^|`)opencto ([a-z]+)", page.read_text("utf-8"), re.MULTILINE))
    assert named - set(COMMANDS) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_on_a_page_exists(page: Path) -> None:
    known = {variable(info) for info in Settings.model_fields.values()} | {
        "OPENCTO_TOKEN",
        "OPENCTO_BASE_URL",
        "OPENCTO_ENV_FILE",
    }
    assert set(re.findall(r"`((?:OPENCTO|OPENAI|RATE_LIMIT)_[A-Z_]+)`", page.read_text("utf-8"))) - known == set()


def test_every_task_of_the_readme_is_in_the_makefile() -> None:
    tasks = set(re.findall(r"`?make ([a-z]+)", (ROOT / "README.md").read_text("utf-8")))
    assert tasks - set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)) == set()
