"""Session records and live events through both clients."""

import json
from datetime import timedelta

import pytest

from client.both import Make
from client.conftest import Cast, Stage
from opencto.client import ConflictError, InvalidArgumentError, NotFoundError, OpenCTOError
from opencto.wire.events import LiveEvent
from opencto.wire.sessions import ItemEvent
from realtime.telling import item, latency, usage


def test_a_session_is_told_read_found_exported_and_deleted(people: Cast) -> None:
    carol, now = people.carol, people.stage.served.clock.now()
    token = carol.realtime.create_token()
    session = token.session_id
    shaped = ItemEvent(event_id="e1", at=now, type="item", item_id="i1", role="user", text="marsupials everywhere")
    told = carol.sessions.record(session, [shaped, latency("e2", "connect", 120.5)])
    assert (told.accepted, told.duplicates, told.is_text_stored) == (2, 0, True)
    again = carol.sessions.record(session, [shaped, usage("e3", "r1")], idempotency_key=f"key-{session}")
    assert (again.accepted, again.duplicates) == (1, 1)
    assert carol.sessions.record(session, [shaped, usage("e3", "r1")], idempotency_key=f"key-{session}") == again
    found = carol.sessions.get(session)
    assert (found.transcript[0].text, found.usage.input_tokens, found.latency[0].p50) == (
        "marsupials everywhere",
        1200,
        120.5,
    )
    (match,) = next(iter(carol.sessions.list(q="marsupials everywhere"))).matches
    assert (match.id, match.parts[0].text, match.parts[0].is_match) == ("i1", "marsupials everywhere", True)
    for listed in (
        carol.sessions.list(since=now - timedelta(hours=1), until=now + timedelta(hours=1), limit=1),
        people.ben.sessions.list(person_id=people.stage.world.carol.id, sort="-createdAt"),
    ):
        assert session in {one.id for one in listed}
    assert session not in {one.id for one in people.vic.sessions.list()}
    assert b"".join(carol.sessions.export(session, format="markdown")).startswith(b"# Voice session")
    assert json.loads(b"".join(carol.sessions.export(session)))["id"] == session
    assert carol.sessions.end(session, "idle").end_reason == "idle"
    assert carol.sessions.delete(session).deleted
    with pytest.raises(NotFoundError):
        carol.sessions.get(session)


def test_what_is_no_event_does_not_leave_the_client(people: Cast) -> None:
    with pytest.raises(InvalidArgumentError, match="events"):
        people.carol.sessions.record("rs_1", [{**item("e1", "i1", "x"), "type": "song"}])
    with pytest.raises(InvalidArgumentError):
        people.carol.sessions.record("rs_1", [])
    with pytest.raises(InvalidArgumentError):
        people.carol.sessions.get("")


def test_live_events_come_one_by_one_and_go_on_behind_the_last(people: Cast, make: Make, stage: Stage) -> None:
    with people.carol.events(last_event_id="evt_" + "0" * 26) as events:
        reset = next(events)
    assert isinstance(reset, LiveEvent)
    assert (reset.type, reset.workspace_id) == ("reset", stage.acme)
    with people.carol.events() as events:
        session = people.carol.realtime.create_token().session_id
        heard = next(one for one in events if one.subject_id == session)
    assert heard.type == "session.started"
    people.carol.sessions.end(session)
    with people.carol.events(last_event_id=heard.id) as events:
        assert (next(events).type, heard.person_id) == ("session.ended", stage.world.carol.id)
    stranger = make(stage.served.origin, "octo_nobody")
    with pytest.raises(OpenCTOError), stranger.events() as events:
        next(events)


def test_a_closed_session_is_a_conflict_with_its_code(people: Cast) -> None:
    session = people.carol.realtime.create_token().session_id
    people.carol.sessions.end(session)
    people.stage.served.clock.advance(86_400)
    with pytest.raises(ConflictError) as closed:
        people.carol.sessions.record(session, [item("e1", "i1", "late")])
    assert closed.value.code == "SESSION_CLOSED"
