"""Every resource against the real application, with both clients."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from client.both import Make
from client.conftest import Cast, Stage
from opencto import OpenCTOError
from opencto.client import AuthenticationError, ForbiddenError, InvalidArgumentError, NotFoundError
from opencto.wire.identity import Role, Scope
from opencto.wire.keys import KeyProvider
from opencto.wire.voice import RespondDone, Sentence

BYOK = "sk-proj-" + "Own4" * 12 + "Key2"


def test_a_token_for_realtime_voice(people: Cast) -> None:
    token = people.carol.realtime.create_token(ttl_seconds=90, voice="marin")
    assert token.client_secret
    assert token.websocket_url.endswith(f"?model={token.model}")
    assert token.workspace_id == people.stage.acme
    assert token.key_source == "server"


def test_an_answer_whole_and_one_that_goes_on_sentence_by_sentence(people: Cast) -> None:
    whole = people.carol.respond("Good morning", system="Be brief.", language="en")
    assert whole.text
    events = list(people.carol.respond_stream("And then?", conversation_id=whole.conversation_id))
    *sentences, done = events
    assert isinstance(done, RespondDone)
    assert done.conversation_id == whole.conversation_id
    spoken = [one.text for one in sentences if isinstance(one, Sentence)]
    assert len(spoken) == len(sentences)
    assert " ".join(spoken).split() == done.text.split()


def test_keys_are_saved_listed_and_deleted(people: Cast) -> None:
    saved = people.carol.keys.save("openai", BYOK)
    assert (saved.provider, saved.scope, saved.state) == (KeyProvider.OPENAI, "user", "ok")
    (kept,) = people.carol.keys.list(sort="-state").keys
    assert kept.key_hint == saved.key_hint
    assert BYOK not in kept.model_dump_json()
    assert people.carol.realtime.create_token().key_source == "user"
    assert people.carol.keys.check("openai").key_hint == kept.key_hint
    assert people.carol.keys.delete(KeyProvider.OPENAI).deleted
    assert not people.carol.keys.delete("openai").deleted
    assert people.carol.keys.list().keys == []


def test_limits_change_by_what_is_given_alone(people: Cast) -> None:
    acme = people.stage.acme
    before = people.ben.limits.get(workspace_id=acme)
    assert before.buckets["voice_respond"].source == "default"
    changed = people.ben.limits.update(buckets={"voice_respond": 77}, monthly_usd="250.00", workspace_id=acme)
    assert changed.buckets["voice_respond"].limit == 77
    assert changed.spend.monthly_usd == Decimal(250)
    kept = people.ben.limits.update(buckets={"voice_respond": None}, workspace_id=acme)
    assert kept.buckets["voice_respond"].limit == before.buckets["voice_respond"].limit
    assert kept.spend.monthly_usd == Decimal(250), "what was not given stays"
    assert people.ben.limits.update(monthly_usd=None, workspace_id=acme).spend.monthly_usd is None


def test_the_ledger_by_time_and_surface(people: Cast) -> None:
    people.carol.respond("Something to pay for")
    now = people.stage.served.clock.now()
    newest = next(iter(people.ben.ledger.list(surface="voice_respond", since=now - timedelta(hours=1))))
    assert (newest.person_id, newest.status) == (people.stage.world.carol.id, "done")
    assert people.ben.ledger.list(until=datetime(2020, 1, 1, tzinfo=UTC)).data == []
    totals = people.ben.ledger.totals(surface="voice_respond", since=now - timedelta(hours=1))
    assert totals.calls >= 1
    assert people.ben.ledger.totals(until=datetime(2020, 1, 1, tzinfo=UTC)).calls == 0
    shares = people.ben.ledger.shares(start=now.date(), end=now.date(), group_by="person")
    assert shares.group_by == "person"
    assert people.stage.world.carol.id in {one.key for one in shares.data}
    with people.ben.ledger.export_shares(start=now.date(), end=now.date(), group_by="person") as lines:
        assert people.stage.world.carol.id.encode() in b"".join(lines)
    day = now.date()
    by_cost = people.ben.ledger.shares(start=day, end=day, group_by="person", sort="-inputTokens").data
    assert [one.input_tokens for one in by_cost] == sorted((one.input_tokens for one in by_cost), reverse=True)
    with pytest.raises(OpenCTOError, match="sort"):
        people.ben.ledger.shares(start=day, end=day, group_by="person", sort="name")


def test_workspaces_from_their_making_to_their_end(people: Cast) -> None:
    ada = people.ada
    made = ada.workspaces.create("Payments team", slug="payments")
    assert (made.slug, made.role) == ("payments", Role.OWNER)
    assert ada.workspaces.get("payments").id == made.id
    assert ada.workspaces.rename(made.id, "Billing").name == "Billing"
    assert made.id in {one.id for one in ada.workspaces.list(limit=1)}
    assert people.stage.world.beta.id in {one.id for one in ada.workspaces.list(everyone=True)}
    assert ada.workspaces.delete(made.id, confirm="payments").ok
    with pytest.raises(NotFoundError):
        ada.workspaces.get(made.id)


def test_a_workspace_without_anybody_to_ask_is_taken_over(people: Cast) -> None:
    beta = people.stage.world.beta.id
    assert people.ada.workspaces.take_over(beta).role == Role.OWNER
    assert people.ada.members.remove(people.stage.world.ada.id, workspace_id=beta).ok


def test_settings_tell_null_from_nothing(people: Cast) -> None:
    ben, acme = people.ben.settings, people.stage.acme
    assert ben.update(transcript_retention_days=30, language="de", workspace_id=acme).transcript_retention_days == 30
    changed = ben.update(assistant_name="Otto", workspace_id=acme)
    assert (changed.transcript_retention_days, changed.assistant_name) == (30, "Otto")
    assert ben.update(transcript_retention_days=None, workspace_id=acme).transcript_retention_days is None
    assert ben.get(workspace_id=acme).language == "de"


def test_projects_of_a_workspace(people: Cast) -> None:
    ben, acme = people.ben.settings, people.stage.acme
    assert ben.update_projects(project_ids=["proj_a1"], workspace_id=acme).project_ids == ["proj_a1"]
    assert ben.get_projects(workspace_id=acme).project_ids == ["proj_a1"]
    assert ben.update_projects(project_ids=[], workspace_id=acme).project_ids == []


def test_members_change_their_role_and_leave(people: Cast) -> None:
    world = people.stage.world
    with world.house.database.write() as tx:
        guest = world.person(tx, f"Guest{datetime.now(UTC).microsecond}", world.acme, Role.VIEWER)
    assert guest.id in {one.person_id for one in people.ben.members.list(limit=2, workspace_id=world.acme.id)}
    assert people.ben.members.get(guest.id, workspace_id=world.acme.id).name == guest.name
    assert people.ben.members.change_role(guest.id, "member", workspace_id=world.acme.id).role == Role.MEMBER
    assert people.ben.members.remove(guest.id, workspace_id=world.acme.id).ok
    assert people.ben.members.list(q=guest.name, workspace_id=world.acme.id).data == []
    assert people.ada.people.get(guest.id).workspaces == []
    assert people.ada.people.update(guest.id, disabled=True).disabled_at is not None
    assert guest.id in {one.id for one in people.ada.people.list(q=guest.name)}
    assert people.ada.people.delete(guest.id).ok


def test_an_invitation_is_made_looked_at_and_withdrawn(people: Cast) -> None:
    made = people.ben.invitations.create(role="viewer", email="new@example.com", ttl_hours=2)
    token = made.url.partition("#")[2].rpartition("=")[2]
    seen = people.ben.invitations.preview(token)
    assert (seen.role, seen.email) == (Role.VIEWER, "new@example.com")
    assert made.id in {one.id for one in people.ben.invitations.list()}
    assert people.ben.invitations.revoke(made.id).ok
    with pytest.raises(OpenCTOError):
        people.ben.invitations.preview(token)


def test_tokens_from_their_making_to_their_end(people: Cast, make: Make, stage: Stage) -> None:
    made = people.carol.tokens.create("laptop", scopes=[Scope.KEYS_READ, "tokens:read"], workspace_id=stage.acme)
    assert made.expires_at is not None
    assert people.carol.tokens.get(made.id).name == "laptop"
    assert people.carol.tokens.rename(made.id, "desk").name == "desk"
    assert made.id in {one.id for one in people.carol.tokens.list(limit=1)}
    assert made.id in {one.id for one in people.ben.tokens.list(workspace_id=stage.acme)}
    bound = make(stage.served.origin, made.token)
    assert bound.keys.list().workspace_id == stage.acme
    with pytest.raises(ForbiddenError):
        bound.realtime.create_token()
    assert people.carol.tokens.revoke(made.id).ok
    with pytest.raises(AuthenticationError):
        bound.keys.list()
    assert people.carol.tokens.create("forever", scopes=["all"], expires_in_days=None).expires_at is None


def test_the_audit_trail_is_read_checked_and_taken_along(people: Cast) -> None:
    people.ben.invitations.create()
    rows = people.ben.audit.list(action="invitation.created", limit=1)
    assert rows.data[0].actor_id == people.stage.world.ben.id
    assert people.ada.audit.verify().ok
    assert people.ada.audit.list(everything=True, limit=1).data
    newest = next(iter(people.ben.audit.list()))
    assert people.ben.audit.get(newest.seq) == newest
    taken = b"".join(people.ben.audit.export(actor_id=people.stage.world.ben.id))
    actions = [json.loads(line).get("action") for line in taken.splitlines()]
    assert "invitation.created" in actions
    assert b"invitation.created" in b"".join(people.ben.audit.export(format="csv", action="invitation.created"))


def test_who_i_am_and_how_the_server_is(people: Cast) -> None:
    me = people.carol.session()
    assert me.signed_in
    assert me.person is not None
    assert me.person.id == people.stage.world.carol.id
    assert people.carol.health().status == "ok"
    assert people.carol.ready().status == "ready"


def test_the_workspace_of_the_client_counts_where_a_call_names_none(stage: Stage, make: Make) -> None:
    with stage.world.house.database.write() as tx:
        both = stage.world.person(tx, f"Both{datetime.now(UTC).microsecond}", stage.world.acme, Role.ADMIN)
        stage.world.join(tx, both.id, stage.world.beta, Role.ADMIN)
    client = make(stage.served.origin, both.token, "beta")
    assert client.realtime.create_token().workspace_id == stage.world.beta.id
    assert client.limits.get().workspace_id == stage.world.beta.id
    assert client.limits.get(workspace_id="acme").workspace_id == stage.acme
    with pytest.raises(InvalidArgumentError, match="Say which workspace"):
        make(stage.served.origin, both.token).limits.get()
    with pytest.raises(OpenCTOError) as refused:
        make(stage.served.origin, both.token).realtime.create_token()
    assert getattr(refused.value, "code", None) == "WORKSPACE_REQUIRED"


def test_models_with_what_they_can_do(people: Cast) -> None:
    found = people.carol.models.list()
    assert found.key_source == "server"
    voices = people.carol.models.list(capability="realtime").data
    assert voices
    assert {one.id for one in voices} < {one.id for one in found.data}
    assert all("realtime" in one.capabilities for one in voices)
    searched = [one.id for one in people.carol.models.list(q="REALTIME", sort="-id").data]
    assert searched
    assert searched == sorted((one.id for one in found.data if "realtime" in one.id), reverse=True)


def test_usage_and_costs_as_figures_and_as_a_file(people: Cast) -> None:
    people.carol.respond("Something to pay for")
    today = people.stage.served.clock.now().date()
    report = people.ben.usage.get(start=today, end=today.isoformat(), group_by="model")
    assert (report.source, report.start, report.end) == ("ledger", today, today)
    assert report.totals.requests >= 1
    assert report.buckets[0].groups
    week = people.ben.usage.get(start=today - timedelta(days=6), sort="-key")
    assert week.buckets[0].date == today
    lines = b"".join(people.ben.usage.export(start=today, end=today)).decode().splitlines()
    assert lines[0].startswith("date,")
    assert lines[1].startswith(today.isoformat())
    whole = b"".join(people.ben.usage.export(start=today, end=today, group_by="model", rows_of="range")).decode()
    assert whole.startswith("start,end,key,")
    assert len(whole.splitlines()) == 1 + len(report.groups)


def test_the_figures_of_the_runbook(people: Cast) -> None:
    people.carol.respond("Count this")
    status = people.ada.status()
    buckets = {one.bucket: one for one in status.buckets}
    assert {"realtime_token", "cto_openai_proxy"} <= set(buckets)
    assert buckets["voice_respond"].windows[0].requests >= 1
    hours = {one.bucket: one.hours for one in people.ada.status_hours().buckets}
    assert hours["voice_respond"][-1].requests >= 1


def test_tools_are_listed_and_the_same_call_runs_once(people: Cast) -> None:
    assert "get_limits_status" in {one.name for one in people.vic.tools.list().data}
    first = people.carol.tools.call("get_limits_status", call_id="call_sdk")
    assert (first.status, first.code) == ("done", None)
    assert people.carol.tools.call("get_limits_status", call_id="call_sdk") == first
    assert people.carol.tools.call("get_limits_status").call_id != first.call_id
    wrong = people.carol.tools.call("list_openai_models", {"capability": "flying"})
    assert (wrong.status, wrong.code) == ("failed", "INVALID_ARGUMENTS")
