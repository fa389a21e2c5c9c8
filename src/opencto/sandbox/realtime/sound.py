"""The sound of a part of an item: in memory while it is worked with, then on the conversation's shelf."""

from opencto.sandbox.realtime.shelf import Shelf


class Sound:
    """PCM that grows at its end and can be cut there."""

    def __init__(self, pcm: bytes = b"") -> None:
        self._fresh = bytearray(pcm)
        self._kept: tuple[Shelf, int] | None = None
        self._length = len(pcm)

    @classmethod
    def on(cls, shelf: Shelf, key: int | None, length: int) -> "Sound":
        """What was put there once, as `place` told it."""
        sound = cls()
        sound._kept = None if key is None else (shelf, key)
        sound._length = length
        return sound

    def __len__(self) -> int:
        """In bytes."""
        return self._length

    @property
    def bytes_in_memory(self) -> int:
        return len(self._fresh)

    @property
    def place(self) -> tuple[int | None, int]:
        """Its key on the shelf, if it was put there, and its length in bytes."""
        return None if self._kept is None else self._kept[1], self._length

    def add(self, pcm: bytes) -> None:
        """At its end. Only before it was put away."""
        assert self._kept is None, "what is finished does not grow"
        self._fresh += pcm
        self._length += len(pcm)

    def cut(self, length: int) -> None:
        """Forget what comes after so many bytes."""
        self._length = min(self._length, length)
        del self._fresh[length:]

    def read(self) -> bytes:
        if self._kept is None:
            return bytes(self._fresh)
        shelf, key = self._kept
        return shelf.sound(key)[: self._length]

    def put_away(self, shelf: Shelf) -> None:
        """Raises NoRoomError; then it stays in memory."""
        if self._fresh:
            self._kept = (shelf, shelf.put_sound(bytes(self._fresh)))
            self._fresh = bytearray()

    def drop(self) -> None:
        """Make room for other sound; it is not asked for again. Raises NoRoomError."""
        if self._kept is not None:
            shelf, key = self._kept
            shelf.drop_sound(key)
