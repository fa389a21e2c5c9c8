"""Two ways to work a page: with the mouse, and with the keyboard alone. The same journey runs with each."""

from dataclasses import dataclass
from typing import Protocol

from playwright.sync_api import Locator, Page, expect

MOST_TABS = 150
_IS_FOCUSED = "element => element === document.activeElement"


class Hands(Protocol):
    """What a journey does."""

    def press(self, target: Locator) -> None: ...

    def write(self, target: Locator, text: str) -> None: ...


@dataclass
class Mouse:
    """Points and clicks."""

    page: Page

    def press(self, target: Locator) -> None:
        target.click()

    def write(self, target: Locator, text: str) -> None:
        target.click()
        target.fill(text)


@dataclass
class Keyboard:
    """Goes from element to element with Tab, so what cannot be reached that way fails."""

    page: Page

    def press(self, target: Locator) -> None:
        self._reach(target)
        is_box = target.evaluate("element => element.type === 'checkbox'")
        self.page.keyboard.press("Space" if is_box else "Enter")

    def write(self, target: Locator, text: str) -> None:
        self._reach(target)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def _reach(self, target: Locator) -> None:
        target.wait_for()
        if target.get_attribute("role") in {"menuitem", "menuitemcheckbox"}:
            self.page.get_by_role("menu").wait_for()
            for _ in range(MOST_TABS):
                if target.evaluate(_IS_FOCUSED):
                    return
                self.page.keyboard.press("ArrowDown")
        for _ in range(MOST_TABS):
            if target.evaluate(_IS_FOCUSED):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{target} cannot be reached with the keyboard")


def sorted_by(page: Page, table: str, column: str, first: str = "ascending") -> Locator:
    """Press the head; the first cells of the rows. The order stands in the address, and the head keeps the focus."""
    head = page.get_by_role("table", name=table, exact=True).get_by_role("columnheader", name=column)
    was = head.get_attribute("aria-sort")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute(
        "aria-sort", "descending" if was == "ascending" else "ascending" if was == "descending" else first
    )
    expect(head.get_by_role("button")).to_be_focused()
    return page.get_by_role("table", name=table, exact=True).locator("tbody tr td:first-child")
