"""Notes on a long conversation, by the model itself and for itself.

A new connection is told the last turns alone, and these in the place of all before. They are written aside of the conversation,
in a quiet moment, each time that it has grown by much.
"""

from collections.abc import Callable, Mapping
from typing import Any

from opencto.client.realtime import codec, events
from opencto.client.realtime.conversation import Conversation
from opencto.client.realtime.events import Event
from opencto.client.realtime.reconnect import KEPT_CHARACTERS
from opencto.client.realtime.talk import new_id

EVERY_CHARACTERS = KEPT_CHARACTERS // 2
"""Half of what a new connection is told: so nothing leaves that window that was not in it when notes were written."""
RETRY_CHARACTERS = EVERY_CHARACTERS // 4
"""What failed is tried again when so much more was said."""
INSTRUCTIONS = (
    "Write notes on this conversation for yourself, who will go on with it without having heard it: what was asked, found and "
    "decided, with names and figures, and what is open. Notes on earlier turns among it are to be kept. At most 200 words, and "
    "nothing else."
)
MOST_TOKENS, MOST_CHARACTERS = 500, 4_000
PURPOSE = "notes"


class Notes:
    """`send` takes a frame to the server."""

    def __init__(self, send: Callable[[Mapping[str, Any]], None]) -> None:
        self._send = send
        self.text = ""
        """The last ones that came whole; empty where none were needed yet."""
        self._looked: Conversation | None = None
        self._written_at = 0
        self._asks_at: int | None = None
        """How long the conversation was, in characters, when those that are on their way were asked for."""
        self._request = ""
        self._response_id: str | None = None
        self._pieces = ""

    def look(self, conversation: Conversation) -> None:
        """Whenever nothing is due and nothing is heard."""
        if self._asks_at is not None or conversation is self._looked:
            return
        self._looked = conversation
        characters = sum(len(item.text) + len(item.arguments) for item in conversation.by_id.values())
        if characters - self._written_at < EVERY_CHARACTERS:
            return
        self._asks_at, self._request = characters, new_id("notes")
        response = {
            "conversation": "none",
            "instructions": INSTRUCTIONS,
            "output_modalities": ["text"],
            "tools": [],
            "tool_choice": "none",
            "max_output_tokens": MOST_TOKENS,
            "metadata": {"purpose": PURPOSE},
        }
        self._send({**codec.respond(response), "event_id": self._request})

    def takes(self, event: Event) -> bool:
        """True: the event is of them, and the conversation is not concerned."""
        match event:
            case events.ResponseStarted() if event.is_aside and event.metadata.get("purpose") == PURPOSE:
                if self._asks_at is None:
                    self._send(codec.cancel(event.response_id))
                else:
                    self._response_id = event.response_id
                return True
            case events.Refused() if self._asks_at is not None and event.about == self._request:
                self._written(is_whole=False)
                return True
            case events.ResponseEnded() if event.response_id == self._response_id:
                self._written(is_whole=event.status == "completed" and bool(self._pieces.strip()))
                return True
            case events.SaidDelta() if event.response_id == self._response_id:
                self._pieces += event.delta
                return True
            case _:
                return self._response_id is not None and getattr(event, "response_id", None) == self._response_id

    def lost(self) -> None:
        """The connection is gone."""
        self._asks_at = self._response_id = None
        self._pieces = ""

    def _written(self, *, is_whole: bool) -> None:
        if is_whole:
            self.text = self._pieces.strip()[:MOST_CHARACTERS]
        self._written_at = (self._asks_at or 0) - (0 if is_whole else EVERY_CHARACTERS - RETRY_CHARACTERS)
        self.lost()
