"""Server-sent events, bytes in, data out: split anywhere, any line end, comments, several data lines."""

from collections.abc import Iterator

MAX_EVENT_BYTES = 1_048_576


class BadStream(Exception):  # noqa: N818 - the door turns it into PROVIDER_ERROR
    """What comes is not an event stream in UTF-8, or one event has no end."""


class EventDecoder:
    """Feed it pieces, get the `data` of every event that became complete. Event names and ids are left out: OpenAI's
    chat streams have none."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._rest: bytes = b""
        self._skip_newline = False
        self._lines: list[bytes] = []
        self._size = 0
        self._at_start = True

    def feed(self, piece: bytes) -> Iterator[str]:
        """Walk it to its end. Raises BadStream, after the events that came before the bad one."""
        if not piece:
            return
        if self._skip_newline:  # the piece before ended in CR: an LF now belongs to it
            self._skip_newline = False
            piece = piece.removeprefix(b"\n")
        data = self._rest + piece
        if self._at_start:
            if len(data) < 3 and b"\xef\xbb\xbf".startswith(data):
                self._rest = data
                return
            data, self._at_start = data.removeprefix(b"\xef\xbb\xbf"), False
        self._skip_newline = data.endswith(b"\r")
        lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > self._max:
            raise BadStream
        for line in lines:
            event = self._line(line)
            if event is not None:
                yield event

    def end(self) -> list[str]:
        """What was still open when the body ended: some servers leave out the last blank line."""
        events = [self._line(self._rest), self._line(b"")]
        self._rest = b""
        return [event for event in events if event is not None]

    def _line(self, line: bytes) -> str | None:
        if not line:
            if not self._lines:
                return None
            event, self._lines, self._size = b"\n".join(self._lines), [], 0
            try:
                return event.decode()
            except UnicodeDecodeError:
                raise BadStream from None
        name, _, value = line.partition(b":")
        if name == b"data":
            self._size += len(value)
            if self._size > self._max:
                raise BadStream
            self._lines.append(value.removeprefix(b" "))
        return None
