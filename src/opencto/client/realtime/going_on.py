"""An answer that a noise, or a hand, cut short goes on where it stopped: the model is told what was heard of it, and nothing after."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from opencto.client.realtime import codec
from opencto.client.realtime.conversation import Conversation, Item
from opencto.client.realtime.reconnect import input_to_go_on
from opencto.client.realtime.talk import Talk, new_id

_WORD = re.compile(r"[^\W_]+")
_NO_WORD = re.compile(r"a+h+|e+h+|h+m+|m+|m+h+m+|o+h+|u+h+|h+u+h+|u+m+|äh+m*|öh+m*")
"""What a cough or a hum is written down as, where it is written down at all."""


def cut_short(conversation: Conversation) -> Item | None:
    """The answer that was cut short and has a rest that nobody heard, where nobody has said a word since.

    Something else was heard as speech, or it was stopped by hand. None: there is none, or it is not known yet what was said.
    """
    found: Item | None = None
    for item in conversation.items:
        if item.kind == "divider":
            continue
        if item.kind != "message":
            found = None
        elif item.role == "user":
            found = found if item.status == "completed" and _is_wordless(item.text) else None
        elif item.role == "assistant" and conversation.unspoken(item).strip():
            found = item
    return found


class GoingOn:
    """`stop` makes whatever is said instead fall silent; `ask` takes the frame that asks for the rest."""

    def __init__(self, talk: Talk, *, stop: Callable[[], object], ask: Callable[[Mapping[str, Any]], None]) -> None:
        self._talk = talk
        self._stop = stop
        self._ask = ask
        self._past: set[str] = set()
        """Answers that are not gone on with any more."""

    @property
    def item(self) -> Item | None:
        """The answer that can be gone on with; None: there is none, or nobody to ask for it."""
        item = cut_short(self._talk.conversation) if self._talk.state.phase == "live" else None
        return item if item is not None and item.id not in self._past else None

    def go(self) -> bool:
        """False: there is none."""
        item = self.item
        if item is None:
            return False
        self._stop()
        conversation = self._talk.conversation
        self._past |= conversation.by_id.keys()
        self._ask(codec.respond({"input": list(input_to_go_on(conversation, item.id, new_id("anchor")))}))
        return True


def _is_wordless(text: str) -> bool:
    return all(_NO_WORD.fullmatch(word) for word in _WORD.findall(text.lower()))
