"""The sound of a conversation: in memory while it is worked with, then in a file, because an hour of talk is 170 MB."""

import errno
import os
import tempfile
from collections.abc import Iterable
from io import FileIO
from pathlib import Path

import structlog

logger = structlog.get_logger(__name__)


class Sound:
    """PCM that grows at its end and can be cut there."""

    def __init__(self, pcm: bytes = b"") -> None:
        self._fresh = bytearray(pcm)
        self._kept: tuple[FileIO, int] | None = None
        self._length = len(pcm)

    def __len__(self) -> int:
        """In bytes."""
        return self._length

    @property
    def bytes_in_memory(self) -> int:
        return len(self._fresh)

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
        file, begin = self._kept
        file.seek(begin)
        return file.read(self._length)

    def put_away(self, file: FileIO) -> None:
        """Behind what is already in `file`. Raises OSError where there is no room; then it stays in memory."""
        begin = file.seek(0, os.SEEK_END)
        if file.write(self._fresh) < len(self._fresh):  # what is not buffered may be written in part
            file.truncate(begin)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._kept = (file, begin)
        self._fresh = bytearray()


class Cellar:
    """The file of one conversation. It has no name, so that it is gone with the process, however that ends."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._file: FileIO | None = None

    def put_away(self, sounds: Iterable[Sound]) -> None:
        """Each once. What finds no room stays in memory: on a full disk, and where items came and went too often."""
        waiting = [sound for sound in sounds if sound.bytes_in_memory]
        if not waiting:
            return
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - it lives as long as the conversation
            for sound in waiting:
                if self._file.seek(0, os.SEEK_END) + len(sound) <= self._most_bytes:
                    sound.put_away(self._file)
        except OSError as error:
            logger.warning("sandbox_sound_stays_in_memory", error=str(error))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
