"""Cut a stream of text into sentences that can be spoken while the rest is still being written.

A sentence ends at its mark when a blank follows (which then begins the next piece), unless the mark belongs to a number, an abbreviation or a list number.
Nothing is lost and nothing changed: the pieces, joined, are the text.
"""

import re

_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|(?=\n\n)|(?<=[。！？])")
_ABBREVIATIONS = frozenset(
    {
        "e.g.",
        "i.e.",
        "etc.",
        "vs.",
        "mr.",
        "mrs.",
        "ms.",
        "dr.",
        "prof.",
        "st.",
        "no.",
        "approx.",
        "ca.",
        "z.b.",
        "d.h.",
        "u.s.",
        "p.m.",
        "a.m.",
    }
)
MAX_CHARACTERS = 400
"""A sentence that does not end is cut at a blank here, so that speech can begin."""


class SentenceCutter:
    """Feed it pieces of text; it gives back whole sentences, and at the end the rest."""

    def __init__(self) -> None:
        self._pending = ""

    def feed(self, piece: str) -> list[str]:
        """The sentences that are complete now."""
        self._pending += piece
        sentences: list[str] = []
        while (cut := _cut_at(self._pending)) is not None:
            sentences.append(self._pending[:cut])
            self._pending = self._pending[cut:]
        return sentences

    def rest(self) -> str:
        """What was not yet a sentence; empties the cutter."""
        pending, self._pending = self._pending, ""
        return pending


def _cut_at(text: str) -> int | None:
    for match in _END.finditer(text):
        head = text[: match.end()]
        if head.strip() and not _goes_on(head):
            return match.end()
    if len(text) > MAX_CHARACTERS:
        blank = text.rfind(" ", 1, MAX_CHARACTERS)
        return blank + 1 if blank > 0 else MAX_CHARACTERS
    return None


def _goes_on(head: str) -> bool:
    words = head.split()
    last = words[-1].lower().lstrip("(\"'“‘[")
    is_list_number = len(words) == 1 and last[:-1].isdigit() and last.endswith(".")
    is_initial = len(last) == 2 and last[0].isalpha() and last[1] == "." and words[-1][0].isupper()
    return last in _ABBREVIATIONS or is_list_number or is_initial
