"""What of a conversation is no longer worked with: on the disk, because an hour of talk is 170 MB of sound and 3 MB of items.

It is an SQLite file beside the sandbox's own database. Its name is taken away as soon as it is open, so that it is gone with
the process, however that ends.
"""

import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PREPARED = """
PRAGMA journal_mode = MEMORY;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA cache_size = -64;
CREATE TABLE items (
    place INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, call_id BLOB, is_system INTEGER NOT NULL,
    text_tokens INTEGER NOT NULL, sound_tokens INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX calls ON items (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX system ON items (place) WHERE is_system;
CREATE TABLE sounds (key INTEGER PRIMARY KEY, pcm BLOB NOT NULL);
"""
_INSERTED = "INSERT INTO items (id, call_id, is_system, text_tokens, sound_tokens, body) VALUES (?, ?, ?, ?, ?, ?)"
_INSERTED_AT = """
INSERT INTO items (place, id, call_id, is_system, text_tokens, sound_tokens, body) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_LAST = """
SELECT body FROM items
WHERE (is_system AND place >= ?) OR place IN (SELECT place FROM items ORDER BY place DESC LIMIT ?)
ORDER BY place
"""


class NoRoomError(Exception):
    """The disk is full, or cannot be written."""


@dataclass(frozen=True, slots=True)
class Row:
    """One item. `body` is ASCII; the names may hold any character that JSON can say, half a pair of surrogates included."""

    id: str
    call_id: str | None
    """Of a call that the model made."""
    is_system: bool
    tokens: tuple[int, int]
    """Of text and of sound."""
    body: str

    def values(self) -> tuple[object, ...]:
        call_id = None if self.call_id is None else _encoded(self.call_id)
        return _encoded(self.id), call_id, self.is_system, *self.tokens, self.body


class Shelf:
    """Opened when the first thing is put on it. What writes raises NoRoomError, and then nothing was written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: sqlite3.Connection | None = None

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    # ---- sound

    def put_sound(self, pcm: bytes) -> int:
        """Returns the key that gets it back."""
        return int(self._write("INSERT INTO sounds (pcm) VALUES (?)", (pcm,)).lastrowid or 0)

    def sound(self, key: int) -> bytes:
        for (pcm,) in self._read("SELECT pcm FROM sounds WHERE key = ?", (key,)):
            return pcm
        raise KeyError(key)

    def drop_sound(self, key: int) -> None:
        self._write("DELETE FROM sounds WHERE key = ?", (key,))

    # ---- items, in the order of the conversation

    def append(self, row: Row) -> None:
        self._write(_INSERTED, row.values())

    def insert(self, row: Row, after: str | None) -> None:
        """Behind that item, which is here; None is the front."""
        place = 0 if after is None else next(self._read("SELECT place FROM items WHERE id = ?", (_encoded(after),)))[0]
        try:
            with self._database() as database:
                database.execute("BEGIN")
                # In two steps, because a place is never that of two, not even in the middle of a statement.
                database.execute("UPDATE items SET place = -place - 1 WHERE place > ?", (place,))
                database.execute("UPDATE items SET place = -place WHERE place < 0")
                database.execute(_INSERTED_AT, (place + 1, *row.values()))
        except sqlite3.Error as error:
            raise NoRoomError(str(error)) from error

    def replace(self, row: Row) -> None:
        changed = "UPDATE items SET text_tokens = ?, sound_tokens = ?, body = ? WHERE id = ?"
        self._write(changed, (*row.tokens, row.body, _encoded(row.id)))

    def delete(self, item_id: str) -> None:
        self._write("DELETE FROM items WHERE id = ?", (_encoded(item_id),))

    def body(self, item_id: str) -> str | None:
        return next((body for (body,) in self._read("SELECT body FROM items WHERE id = ?", (_encoded(item_id),))), None)

    def last_id(self) -> str | None:
        found = self._read("SELECT id FROM items ORDER BY place DESC LIMIT 1")
        return next((_decoded(item_id) for (item_id,) in found), None)

    def has_call(self, call_id: str) -> bool:
        return any(self._read("SELECT 1 FROM items WHERE call_id = ?", (_encoded(call_id),)))

    def last(self, most: int, among: int | None = None) -> list[str]:
        """The bodies of the last so many items, and of the system's messages before them: in their order.

        `among`: of the messages, only those among the last so many items.
        """
        begin = 0 if among is None else self._begin_of_last(among)
        return [body for (body,) in self._read(_LAST, (begin, most))]

    def tokens(self) -> Iterator[tuple[int, int]]:
        """Of text and of sound, of each item: the newest first."""
        return self._read("SELECT text_tokens, sound_tokens FROM items ORDER BY place DESC")

    def _begin_of_last(self, count: int) -> int:
        found = self._read("SELECT place FROM items ORDER BY place DESC LIMIT ?", (count,))
        return min((place for (place,) in found), default=sys.maxsize)

    # ----

    def _read(self, statement: str, values: Iterable[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Nothing, before the first thing was put here."""
        if self._opened is not None:
            yield from self._opened.execute(statement, tuple(values)).fetchall()

    def _write(self, statement: str, values: Iterable[object]) -> sqlite3.Cursor:
        try:
            return self._database().execute(statement, tuple(values))
        except sqlite3.Error as error:
            raise NoRoomError(str(error)) from error

    def _database(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = _created(self._folder)
        return self._opened


def _created(folder: Path) -> sqlite3.Connection:
    try:
        handle, path = tempfile.mkstemp(prefix="talk-", suffix=".db", dir=folder)
    except OSError as error:
        raise NoRoomError(str(error)) from error
    os.close(handle)
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.executescript(_PREPARED)
    except sqlite3.Error as error:
        database.close()
        raise NoRoomError(str(error)) from error
    finally:
        Path(path).unlink()
    return database


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogatepass")
