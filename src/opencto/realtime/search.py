"""Full-text search in session records: where a phrase stands, and the words around it.

What a person types is one phrase and never a query language. Both databases split text into words alike for most
languages (a run of Chinese or Japanese without blanks is one word to them); case does not matter, accents do on
PostgreSQL alone.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, TextualSelect, bindparam, column, text

from opencto.core import plain
from opencto.core.database import Database
from opencto.wire.sessions import SnippetPart

MOST_MATCHES = 3
"""Places that are shown of one session."""
AROUND = 60
"""Characters shown before and after what was found."""
MERGE_PAGES = 200
"""How much of the index one step tidies up: others may write between two steps."""
MOST_STEPS = 10_000

_MARKS = "“”„‟‘’‚‛«»‹›…–—―·•‐‑¿¡"
"""What stands between words and is none; PostgreSQL under the locale C takes every letter beyond ASCII for one of a word."""
_SPACES = " " * len(_MARKS)
_POSTGRES_MATCH = (
    f"to_tsvector('simple', translate(COALESCE(r.text, '') || ' ' || COALESCE(r.more_text, ''), '{_MARKS}', '{_SPACES}')) "
    f"@@ phraseto_tsquery('simple', translate(:words, '{_MARKS}', '{_SPACES}'))"
)
IN_SQLITE = (
    "SELECT r.session_id FROM voice_words w JOIN voice_records r ON r.id = w.rowid WHERE voice_words MATCH :words"
)
IN_POSTGRES = " ".join(("SELECT r.session_id FROM voice_records r WHERE r.workspace_id = :within AND", _POSTGRES_MATCH))
_PLACES = """
    SELECT session_id, kind, name, at, body, text, more_text FROM (
      SELECT r.session_id, r.kind, r.name, r.first_at AS at, r.body, r.text, r.more_text,
        ROW_NUMBER() OVER (PARTITION BY r.session_id ORDER BY r.first_at, r.id) AS place
      FROM {source} AND r.session_id IN ({{sessions}})
    ) AS found WHERE place <= {most} ORDER BY session_id, place
"""
_PLACES_SQLITE = _PLACES.format(
    source="voice_words w JOIN voice_records r ON r.id = w.rowid WHERE voice_words MATCH :words", most=MOST_MATCHES
)
_PLACES_POSTGRES = _PLACES.format(source=f"voice_records r WHERE {_POSTGRES_MATCH}", most=MOST_MATCHES)
_LEARN = text(
    """
    INSERT INTO voice_words (rowid, workspace_id, text, more_text) SELECT id, workspace_id, text, more_text
    FROM voice_records WHERE session_id = :session AND name IN :names AND (text <> '' OR more_text <> '')
    """
).bindparams(bindparam("names", expanding=True))
_FORGET = """
    INSERT INTO voice_words (voice_words, rowid, workspace_id, text, more_text)
    SELECT 'delete', id, workspace_id, text, more_text
    FROM voice_records WHERE {which} AND (text <> '' OR more_text <> '')
"""
_FORGET_NAMED = text(_FORGET.format(which="session_id = :session AND name IN :names")).bindparams(
    bindparam("names", expanding=True)
)
_FORGET_SESSION = text(_FORGET.format(which="session_id = :session"))
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Place:
    """One record in which the phrase stands."""

    session_id: str
    kind: str
    name: str
    at: int
    body: str
    text: str | None
    more_text: str | None


def learn(tx: Connection, session_id: str, names: Sequence[str]) -> None:
    """Take the words of these records into the index. PostgreSQL does so by itself, here and below."""
    if tx.dialect.name == "sqlite":
        tx.execute(_LEARN, {"session": session_id, "names": list(names)})


def forget(tx: Connection, session_id: str, names: Sequence[str] | None = None) -> None:
    """Take the words of these records, or of the whole session, out of it. Before the records change or go."""
    if tx.dialect.name != "sqlite":
        return
    if names is None:
        tx.execute(_FORGET_SESSION, {"session": session_id})
    else:
        tx.execute(_FORGET_NAMED, {"session": session_id, "names": list(names)})


def sessions_with(tx: Connection, workspace_id: str, phrase: str) -> TextualSelect:
    """The ids of the sessions in which it stands, for an IN."""
    if tx.dialect.name == "sqlite":
        found = text(IN_SQLITE).bindparams(words=_match(workspace_id, phrase))
    else:
        found = text(IN_POSTGRES).bindparams(words=phrase, within=workspace_id)
    return found.columns(column("session_id"))


def places(tx: Connection, workspace_id: str, phrase: str, session_ids: list[str]) -> list[Place]:
    """The first places in each of these sessions, which are in the workspace."""
    if not session_ids:
        return []
    is_sqlite = tx.dialect.name == "sqlite"
    # bound one by one, and the names of the parameters are ours
    names = {f"s{chr(97 + number // 26)}{chr(97 + number % 26)}": one for number, one in enumerate(session_ids)}
    statement = _PLACES_SQLITE if is_sqlite else _PLACES_POSTGRES
    sql = statement.format(sessions=", ".join(f":{name}" for name in names))
    words = _match(workspace_id, phrase) if is_sqlite else phrase
    return [Place(*row) for row in plain.rows(tx, sql, {**names, "words": words})]


def _match(workspace_id: str, phrase: str) -> str:
    """In FTS5's language: within the workspace, these words in this order. A quote is doubled, so nothing gets out."""
    return f"workspace_id : {_quoted(workspace_id)} AND {{text more_text}} : {_quoted(phrase)}"


def _quoted(phrase: str) -> str:
    return '"' + phrase.replace('"', '""') + '"'


def snippet(said: str, phrase: str) -> list[SnippetPart]:
    """The words around the first place where the phrase stands; the beginning where it is not found again."""
    found = _span(said, [_folded(word) for word in _WORD.findall(phrase)])
    if found is None:
        cut = said[: 2 * AROUND]
        return [SnippetPart(text=f"{cut}…" if len(said) > len(cut) else cut, is_match=False)] if cut else []
    start, end = found
    before, after = said[max(0, start - AROUND) : start], said[end : end + AROUND]
    before = f"…{before}" if start > AROUND else before
    after = f"{after}…" if end + AROUND < len(said) else after
    parts = [(before, False), (said[start:end], True), (after, False)]
    return [SnippetPart(text=one, is_match=is_match) for one, is_match in parts if one]


def _span(said: str, words: list[str]) -> tuple[int, int] | None:
    if not words:
        return None
    spoken = [(match.start(), match.end(), _folded(match[0])) for match in _WORD.finditer(said)]
    for first in range(len(spoken) - len(words) + 1):
        if all(spoken[first + offset][2] == word for offset, word in enumerate(words)):
            return spoken[first][0], spoken[first + len(words) - 1][1]
    return None


def _folded(word: str) -> str:
    plain_letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(one for one in plain_letters if not unicodedata.combining(one))


def tidy(database: Database) -> None:
    """Make what was deleted leave the file, too: SQLite's index keeps deleted words until its parts are merged, and the
    log of writes until a checkpoint. In short steps. PostgreSQL does the like by itself (autovacuum)."""
    if not database.is_sqlite:
        return
    pages = -MERGE_PAGES  # negative: everything into one part; positive goes on with that
    for _ in range(MOST_STEPS):
        with database.write() as tx:
            before = _changes(tx)
            plain.run(tx, "INSERT INTO voice_words (voice_words, rank) VALUES ('merge', :pages)", {"pages": pages})
            if pages > 0 and _changes(tx) - before < 2:  # as the manual of FTS5 says: nothing is left to merge
                break
        pages = MERGE_PAGES
    database.checkpoint()


def _changes(tx: Connection) -> int:
    return plain.rows(tx, "SELECT total_changes()", {})[0][0]
