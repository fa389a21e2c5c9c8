"""What is kept of sessions and for how long: stores nothing, retention, deletion down to the file."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from opencto.core.database import Database
from opencto.core.settings import Settings
from opencto.realtime.sessions import Sessions
from opencto.realtime.tables import voice_event_ids, voice_records, voice_sessions
from realtime.telling import SESSIONS, hits, item, latency, listed, minted, shown, tell, told, tool, usage
from surface import Surface

pytestmark = pytest.mark.anyio
DAY = 86_400


def sessions_of(surface: Surface) -> Sessions:
    return surface.app.state.sessions


async def tended(surface: Surface) -> int:
    return await asyncio.to_thread(sessions_of(surface).forget_old)


def count(database: Database, table: Any) -> int:
    with database.read() as tx:
        return tx.execute(select(func.count()).select_from(table)).scalar_one()


def whereabouts(settings: Settings, *words: str) -> list[str]:
    """Files of the database in which one of these words still stands, SQLite's log of writes included."""
    files: list[Path] = [path for path in settings.data_dir.glob("opencto.db*") if path.is_file()]
    assert files
    return [f"{word} in {path.name}" for path in files for word in words if word.encode() in path.read_bytes().lower()]


async def test_where_no_transcripts_are_stored_there_are_counts_and_usage_and_no_word(
    surface: Surface, settings: Settings, database: Database
) -> None:
    await surface.set(transcriptRetentionDays=0)
    session = await minted(surface)
    answer = await tell(
        surface,
        session,
        item("e1", "i1", "quokka", unspokenText="quokka"),
        tool("e2", "c1", "done", arguments="quokka", output="quokka"),
        {"eventId": "e3", "type": "error", "at": "2026-11-23T12:00:07Z", "code": "x", "message": "quokka"},
        {"eventId": "e4", "type": "state", "at": "2026-11-23T12:00:07Z", "state": "live", "reason": "quokka"},
        usage("e5", "r1"),
        latency("e6", "connect", 5),
    )
    assert answer.json() == {"accepted": 6, "duplicates": 0, "isTextStored": False}
    found = await shown(surface, session)
    assert found["isTextStored"] is False
    assert (found["items"], found["toolCalls"], found["errors"], found["usage"]["responses"]) == (1, 1, 1, 1)
    assert (found["transcript"][0]["text"], found["transcript"][0]["unspokenText"]) == (None, None)
    assert (found["tools"][0]["arguments"], found["tools"][0]["output"]) == (None, None)
    assert (found["failures"][0]["message"], found["states"][0]["reason"]) == (None, None)
    assert await hits(surface, "quokka") == []
    export = await surface.client.get(
        f"{SESSIONS}/{session}/export", params={"format": "text"}, headers=surface.world.carol.bearer
    )
    assert "Carol: (text is not stored)" in export.text
    await surface.set(transcriptRetentionDays=None)
    assert await told(surface, session, item("e7", "i2", "numbat")) == (1, 0)
    found = await shown(surface, session)
    assert [one["text"] for one in found["transcript"]] == [None, "numbat"], "a change is for what comes"
    assert found["isTextStored"] is True
    if database.is_sqlite:
        assert whereabouts(settings, "quokka") == []


async def test_text_of_before_goes_when_none_is_to_be_stored_any_more(surface: Surface, settings: Settings) -> None:
    session = await minted(surface)
    await told(surface, session, item("e1", "i1", "the wombat"), usage("e2", "r1"))
    await surface.set(transcriptRetentionDays=0)
    assert await tended(surface) == 1
    found = await shown(surface, session)
    assert (found["transcript"][0]["text"], found["usage"]["responses"], found["isTextStored"]) == (None, 1, False)
    assert await hits(surface, "wombat") == []
    if settings.database_url is None:
        assert whereabouts(settings, "wombat") == []
    surface.clock.advance(settings.ledger_retention_days * DAY + 1)
    await tended(surface)
    assert await listed(surface) == [], "rows without text stay as long as the ledger's"


async def test_a_session_goes_with_all_its_words_when_its_days_are_over(
    surface: Surface, settings: Settings, database: Database
) -> None:
    await surface.set(transcriptRetentionDays=3)
    old = await minted(surface)
    await told(surface, old, item("e1", "i1", "bandicoot"))
    surface.clock.advance(2 * DAY)
    young = await minted(surface)
    await told(surface, young, item("e1", "i1", "bettong"))
    assert await tended(surface) == 0
    await told(surface, old, item("e2", "i2", "still talking"))
    surface.clock.advance(DAY + 1)
    assert await tended(surface) == 0, "counted from what was told last"
    surface.clock.advance(2 * DAY)
    assert await tended(surface) == 2
    for table in (voice_sessions, voice_records, voice_event_ids):
        assert count(database, table) == 0
    if database.is_sqlite:
        assert whereabouts(settings, "bandicoot", "bettong", "talking") == []


async def test_a_deleted_session_is_nowhere_in_the_file(
    surface: Surface, settings: Settings, database: Database
) -> None:
    kept, gone = await minted(surface), await minted(surface)
    for number in range(40):
        await told(surface, kept, item(f"e{number}", f"i{number}", f"echidna {number}"))
        await told(surface, gone, item(f"e{number}", f"i{number}", f"thylacine {number} " + "potoroo " * 300))
    await told(surface, gone, item("last", "i0", "the pademelon", second=9))
    answer = await surface.client.delete(f"{SESSIONS}/{gone}", headers=surface.world.carol.bearer)
    assert answer.status_code == 200
    assert await hits(surface, "echidna 7") == [kept]
    assert await hits(surface, "thylacine 7") == await hits(surface, "pademelon") == []
    assert count(database, voice_records) == 40
    if database.is_sqlite:
        assert whereabouts(settings, "thylacin", "potoroo", "pademelon") == []
        assert whereabouts(settings, "echidna") != [], "so that this test can fail"
        with database.write() as tx:
            tx.execute(text("INSERT INTO voice_words (voice_words, rank) VALUES ('integrity-check', 1)"))


async def test_what_a_person_said_goes_with_them_and_with_their_workspace(
    surface: Surface, settings: Settings, database: Database
) -> None:
    world = surface.world
    mine, hers = await minted(surface), await minted(surface, world.zoe)
    await told(surface, mine, item("e1", "i1", "dunnart"), usage("e2", "r1"))
    await tell(surface, hers, item("e1", "i1", "kultarr"), who=world.zoe)
    gone = await surface.client.delete(f"/api/v1/people/{world.carol.id}", headers=world.ada.bearer)
    assert gone.status_code == 200, gone.text
    assert [one["id"] for one in await listed(surface, world.ben)] == []
    gone = await surface.client.delete(
        f"/api/v1/workspaces/{world.beta.id}", params={"confirm": "beta"}, headers=world.zoe.bearer
    )
    assert gone.status_code == 200, gone.text
    assert count(database, voice_sessions) == count(database, voice_records) == 0
    (call,) = await surface.ledger("realtime")
    assert call["personId"] == world.carol.id, "what was spent stays"
    await tended(surface)
    if database.is_sqlite:
        assert whereabouts(settings, "dunnart", "kultarr") == []


async def test_who_forgets_to_end_is_ended_and_an_outbox_still_has_its_day(
    surface: Surface, database: Database
) -> None:
    silent, spoken = await minted(surface), await minted(surface)
    surface.clock.advance(DAY - 10)
    await told(surface, spoken, item("e1", "i1", "here"))
    surface.clock.advance(11)
    assert await asyncio.to_thread(sessions_of(surface).end_silent) == 1
    found = await shown(surface, silent)
    assert (found["endReason"], (await shown(surface, spoken))["endReason"]) == ("silent", None)
    surface.clock.advance(DAY - 1)
    assert await told(surface, silent, item("e1", "i1", "I was offline")) == (1, 0)
    surface.clock.advance(DAY + 2)
    assert (await tell(surface, silent, item("e2", "i2", "and longer"))).status_code == 409
    assert count(database, voice_event_ids) == 2
    await tended(surface)
    assert count(database, voice_event_ids) == 1, "ids are needed as long as something may come twice"


async def test_a_session_holds_so_much_and_no_more(surface: Surface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencto.realtime.recording.MOST_EVENTS", 3)
    monkeypatch.setattr("opencto.realtime.recording.MOST_CHARACTERS", 10)
    session = await minted(surface)
    assert await told(surface, session, item("e1", "i1", "12345"), item("e2", "i2", "12345")) == (2, 0)
    full = await tell(surface, session, item("e3", "i3", "1"))
    assert (full.status_code, full.json()["code"]) == (409, "SESSION_FULL")
    assert await told(surface, session, item("e3", "i3", "")) == (1, 0)
    assert (await tell(surface, session, item("e4", "i4", ""))).status_code == 409
    assert await told(surface, session, item("e1", "i1", "12345")) == (0, 1), "what is known may be told again"
