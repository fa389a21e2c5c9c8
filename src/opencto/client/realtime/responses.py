"""Which answer is asked for when: at most one is on its way, and a wish that another answer fulfils is not asked again.

OpenAI refuses a second `response.create`, and begins answers by itself after a spoken turn. So a wish names the items that
the answer must know; an answer that begins after the server confirmed them all fulfils it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

_ALREADY_ACTIVE = "conversation_already_has_active_response"


class Sequencer:
    """`ask` sends the `response.create`; it is called when the time has come, with how it was wished (None: as usual)."""

    def __init__(self, ask: Callable[[Mapping[str, Any] | None], None]) -> None:
        self._ask = ask
        self._wished = False
        self._unconfirmed: set[str] = set()
        self._is_asked = False
        self._running: set[str] = set()
        self._foreign = False
        self._is_open = False
        self._how: Mapping[str, Any] | None = None

    @property
    def is_busy(self) -> bool:
        """An answer is on its way, or asked for."""
        return self._is_asked or bool(self._running) or self._foreign

    @property
    def running(self) -> frozenset[str]:
        return frozenset(self._running)

    def open(self) -> None:
        """A connection is ready."""
        self._is_open = True

    def close(self) -> None:
        """The connection is gone, and with it what ran. What is due is found anew in what was said."""
        self._is_open = self._is_asked = self._foreign = self._wished = False
        self._running.clear()
        self._unconfirmed.clear()

    def wish(self, items: Iterable[str] = (), how: Mapping[str, Any] | None = None) -> None:
        """An answer is wanted that knows these items, which were sent just now. Without a connection it is no wish.

        `how` is the frame that asks for it; None: as usual. Of two wishes the later one says.
        """
        if not self._is_open:
            return
        self._wished = True
        self._how = how
        self._unconfirmed |= set(items)
        self._go()

    def forget(self) -> None:
        """No answer is wanted any more."""
        self._wished = False

    def confirmed(self, item_id: str) -> None:
        self._unconfirmed.discard(item_id)

    def started(self, response_id: str) -> None:
        self._running.add(response_id)
        self._is_asked = self._foreign = False
        if not self._unconfirmed:
            self._wished = False

    def ended(self, response_id: str) -> None:
        self._running.discard(response_id)
        self._foreign = False
        self._go()

    def refused(self, code: str) -> bool:
        """An error came. Whether it was about our request: then it is asked again when what runs has ended."""
        if code != _ALREADY_ACTIVE or not self._is_asked:
            return False
        self._is_asked = False
        self._wished = True
        self._foreign = not self._running
        return True

    def _go(self) -> None:
        if self._is_open and self._wished and not self.is_busy:
            self._wished = False
            self._is_asked = True
            self._ask(self._how)
