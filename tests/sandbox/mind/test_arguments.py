"""Arguments out of words, for tools whose right one is known: no weights are needed for it."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from opencto.sandbox.mind.arguments import fill
from opencto.sandbox.ports import Tool
from sandbox.mind import labelled, strangers
from sandbox.mind.measure import NOW, is_right

BERLIN = NOW.astimezone(ZoneInfo("Europe/Berlin"))


def cannot_tell(_word: str, _values: tuple[str, ...]) -> int | None:
    return None


def filled(text: str, now: datetime = BERLIN, required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return dict(fill(Tool("look", "Look something up.", parameters), text, now, cannot_tell).values)


def test_nearly_all_labelled_wordings_get_exactly_their_arguments() -> None:
    sets = {**labelled.SETS, **strangers.SETS}
    wrong: list[str] = []
    for name, text, wanted_tool, wanted in [*labelled.CASES, *strangers.CASES]:
        tool = next(one for one in sets[name] if one.name == wanted_tool)
        found = fill(tool, text, BERLIN, cannot_tell).values
        if not is_right(wanted, found):
            wrong.append(f"{text}: {dict(found)}")
    assert len(wrong) <= 4, "\n".join(wrong)


def test_the_days_are_those_of_the_speakers_time_zone() -> None:
    evening = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)
    day = {"type": "string", "format": "date"}
    assert filled("what happened yesterday", evening, day=day) == {"day": "2026-11-17"}
    assert filled("what happened yesterday", evening.astimezone(ZoneInfo("Asia/Tokyo")), day=day) == {
        "day": "2026-11-18"
    }


def test_times_and_durations_take_the_form_that_the_schema_wants() -> None:
    moment = {"type": "string", "format": "date-time"}
    assert filled("look tomorrow at half past four pm", at=moment) == {"at": "2026-11-19T16:30:00+01:00"}
    assert filled("look at the last two hours", minutes={"type": "integer"}) == {"minutes": 120}
    assert filled("look at the last 14 days", days={"type": "integer"}) == {"days": 14}
    window = {"type": "string", "description": "Window such as 15m or 24h."}
    assert filled("look at the last 6 hours", window=window) == {"window": "6h"}
    month = {"type": "string", "description": "Month, YYYY-MM."}
    assert filled("look at last month", month=month) == {"month": "2026-10"}


def test_numbers_are_put_where_they_belong() -> None:
    whole = {"type": "integer"}
    assert filled("the top twenty five on page three", limit=whole, page=whole) == {"limit": 25, "page": 3}
    assert filled("look at issue #42", issue_number=whole) == {"issue_number": 42}
    assert filled("scale to five replicas", replicas={"type": "integer", "maximum": 3}) == {}


def test_choices_are_found_by_their_words() -> None:
    state = {"type": "string", "enum": ["in_progress", "done", "open"]}
    assert filled("which ones are in progress", state=state) == {"state": "in_progress"}
    assert filled("does it work", state=state) == {}
    states = {"type": "array", "items": state}
    assert filled("the open and the done ones", state=states) == {"state": ["open", "done"]}
    place = {"type": "string", "enum": ["staging", "production"]}
    assert filled("what runs on prod", environment=place) == {"environment": "production"}


def test_switches_are_heard_with_their_no() -> None:
    switch = {"type": "boolean"}
    assert filled("look without archived ones", include_archived=switch) == {"include_archived": False}
    assert filled("look, archived ones too", include_archived=switch) == {"include_archived": True}
    assert filled("turn it off", enabled=switch) == {"enabled": False}


def test_what_is_required_and_not_said_is_missing_unless_the_schema_says_what_then() -> None:
    tool = Tool(
        "look", "", {"type": "object", "properties": {"a": {"type": "string", "format": "email"}}, "required": ["a"]}
    )
    assert [one.name for one in fill(tool, "look there", BERLIN, cannot_tell).missing] == ["a"]
    asked = {"a": {"type": ["integer", "null"]}, "b": {"type": "string", "default": "x", "format": "uri"}}
    assert filled("look", BERLIN, ("a", "b"), **asked) == {"a": None, "b": "x"}


HOSTILE: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}, "required": ["a"]},
    {"type": "object", "properties": {"a": {"anyOf": [{"anyOf": [{"anyOf": []}]}]}}, "required": ["a"]},
    {"properties": []},
    {"type": 7, "properties": {"a": None, "b": 3, "c": {"enum": "x", "type": ["null"], "items": []}}, "required": "a"},
    {"$ref": "#/$defs/x", "$defs": {"x": {"$ref": "#/$defs/x"}}},
    {"type": "object", "properties": {"a": {"type": "string", "pattern": "(a+)+$"}}, "required": ["a"]},
    {"type": "object", "properties": {f"p{n}": {"type": "string", "enum": [f"v{m}" for m in range(300)]} for n in range(100)}},
]  # fmt: skip


@pytest.mark.parametrize("parameters", HOSTILE, ids=lambda one: json.dumps(one)[:40])
def test_a_hostile_schema_neither_raises_nor_hangs(parameters: dict[str, Any]) -> None:
    found = fill(
        Tool("do_it", "Do it.", parameters),
        "do it with aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab to v7",
        BERLIN,
        cannot_tell,
    )
    json.dumps(dict(found.values))
