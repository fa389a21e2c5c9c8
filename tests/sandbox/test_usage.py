"""Organization usage and costs: what was used is what is shown, on however many pages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.admin.organization import UsageCompletionsResponse, UsageCostsResponse

from opencto.core.clock import millis
from opencto.sandbox import demo
from opencto.sandbox.store import Used
from opencto.testing import ManualClock, RunningSandbox, running_sandbox
from strict_openai import strictly

DAY = 86_400
START = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
USAGE = "/organization/usage/completions"
COSTS = "/organization/costs"


def used(**changes: Any) -> Used:
    values: dict[str, Any] = {
        "capability": "completions",
        "model": "gpt-6-luna",
        "project_id": "proj_a",
        "user_id": "user-1",
        "api_key_id": "key_1",
        "input_tokens": 100,
        "output_tokens": 50,
        **changes,
    }
    return Used(**values)


def pages(http: httpx2.Client, path: str, **query: Any) -> Iterator[dict[str, Any]]:
    page = None
    while True:
        answer = http.get(path, params={**query, **({"page": page} if page else {})})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        yield body
        page = body["next_page"]
        assert body["has_more"] == (page is not None)
        if page is None:
            return


@pytest.fixture
def at(clock: ManualClock) -> ManualClock:
    """A clock that stands at START."""
    clock.jump((START - clock.now()).total_seconds())
    return clock


CALLS = st.lists(
    st.tuples(
        st.integers(0, 6 * 24 * 60),  # minutes after START
        st.sampled_from(["gpt-6-luna", "gpt-6.1-sol", "gpt-realtime-2.1"]),
        st.sampled_from(["proj_a", "proj_b"]),
        st.integers(0, 5000),
        st.integers(0, 900),
    ),
    max_size=12,
)
GROUPS = st.lists(
    st.sampled_from(["model", "project_id", "user_id", "api_key_id", "batch", "service_tier"]), unique=True
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    calls=CALLS,
    width=st.sampled_from([("1h", 3600, 168), ("1d", DAY, 31)]),
    limit=st.integers(1, 31),
    groups=GROUPS,
    bracketed=st.booleans(),
    window=st.tuples(st.integers(-DAY, 3 * DAY), st.integers(1, 5 * DAY)),
)
def test_the_sum_over_all_pages_is_the_sum_of_what_was_used(
    admin: httpx2.Client,
    sandbox: RunningSandbox,
    clock: ManualClock,
    calls: list[tuple[int, str, str, int, int]],
    width: tuple[str, int, int],
    limit: int,
    groups: list[str],
    bracketed: bool,
    window: tuple[int, int],
) -> None:
    fresh(sandbox)
    for minutes, model, project, given_, written in calls:
        clock.jump((START + timedelta(minutes=minutes) - clock.now()).total_seconds())
        sandbox.sandbox.store.record(used(model=model, project_id=project, input_tokens=given_, output_tokens=written))
    clock.jump((START + timedelta(days=7) - clock.now()).total_seconds())
    begin = int(START.timestamp()) + window[0]
    end = begin + window[1]
    query = {"start_time": begin, "end_time": end, "bucket_width": width[0], "limit": limit}
    query |= {"group_by[]" if bracketed else "group_by": groups}
    inside = [call for call in calls if begin <= int(START.timestamp()) + call[0] * 60 < end]
    results: list[dict[str, Any]] = []
    borders: list[int] = []
    for body in pages(admin, USAGE, **query):
        strictly(UsageCompletionsResponse, body)
        assert len(body["data"]) <= limit
        for bucket in body["data"]:
            borders.append(bucket["start_time"])
            assert bucket["end_time"] - bucket["start_time"] == width[1]
            results += bucket["results"]
    assert borders == list(range(begin - begin % width[1], end, width[1]))
    assert sum(one["num_model_requests"] for one in results) == len(inside)
    assert sum(one["input_tokens"] for one in results) == sum(call[3] for call in inside)
    assert sum(one["output_tokens"] for one in results) == sum(call[4] for call in inside)
    for one in results:
        assert one["input_text_tokens"] + one["input_audio_tokens"] == one["input_uncached_tokens"]
        assert all((one[name] is None) != (name in groups) for name in ("model", "project_id", "batch", "service_tier"))


def fresh(sandbox: RunningSandbox) -> None:
    """Forget what was used, between the examples of one test."""
    from sqlalchemy import delete

    from opencto.sandbox import tables

    with sandbox.sandbox.store.open().write() as tx:
        tx.execute(delete(tables.usage))


def test_costs_are_the_tokens_times_the_price(admin: httpx2.Client, sandbox: RunningSandbox, at: ManualClock) -> None:
    sandbox.sandbox.store.record(
        used(
            model="gpt-realtime-2.1",
            input_tokens=3_000_000,
            input_cached_tokens=1_000_000,
            input_audio_tokens=1_000_000,
            output_tokens=2_000_000,
            output_audio_tokens=1_000_000,
        )
    )
    begin = int(at.now().timestamp()) - DAY
    [body] = pages(admin, COSTS, start_time=begin, **{"group_by[]": ["line_item"]})
    strictly(UsageCostsResponse, body)
    items = {one["line_item"]: one for bucket in body["data"] for one in bucket["results"]}
    assert {name: one["amount"]["value"] for name, one in items.items()} == {
        "gpt-realtime-2.1, input_tokens": 4.0,
        "gpt-realtime-2.1, cached_input_tokens": 0.4,
        "gpt-realtime-2.1, output_tokens": 24.0,
        "gpt-realtime-2.1, audio_input_tokens": 32.0,
        "gpt-realtime-2.1, audio_output_tokens": 64.0,
    }
    assert {(one["quantity"], one["quantity_unit"]) for one in items.values()} == {(1_000_000.0, "tokens")}
    [body] = pages(admin, COSTS, start_time=begin)
    [whole] = [one for bucket in body["data"] for one in bucket["results"]]
    assert whole["amount"] == {"value": 124.4, "currency": "usd"}
    assert (whole["quantity"], whole["line_item"], whole["project_id"]) == (None, None, None)
    [body] = pages(admin, COSTS, start_time=begin, line_items="gpt-realtime-2.1, output_tokens")
    assert sum(one["amount"]["value"] for bucket in body["data"] for one in bucket["results"]) == 24.0


def test_filters_narrow(admin: httpx2.Client, sandbox: RunningSandbox, at: ManualClock) -> None:
    for project, model in (("proj_a", "gpt-6-luna"), ("proj_b", "gpt-6-luna"), ("proj_b", "gpt-6.1-sol")):
        sandbox.sandbox.store.record(used(project_id=project, model=model))
    begin = int(at.now().timestamp()) - DAY

    def count(**query: Any) -> int:
        [body] = pages(admin, USAGE, start_time=begin, **query)
        return sum(one["num_model_requests"] for bucket in body["data"] for one in bucket["results"])

    assert count() == 3
    assert count(project_ids="proj_b") == 2
    assert count(**{"project_ids[]": ["proj_b"], "models[]": ["gpt-6.1-sol"]}) == 1
    assert count(project_ids=["proj_a", "proj_b"]) == 3
    assert count(api_key_ids="key_2") == 0
    assert count(batch="true") == 0
    assert count(batch="false") == 3


def test_a_call_through_the_sandbox_is_in_its_books(
    sandbox: RunningSandbox, admin: httpx2.Client, at: ManualClock
) -> None:
    headers = {"Authorization": "Bearer sk-test-1", "OpenAI-Project": "proj_mine"}
    body = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Hello"}]}
    whole = httpx2.post(f"{sandbox.base_url}/chat/completions", json=body, headers=headers).json()["usage"]
    httpx2.post(f"{sandbox.base_url}/chat/completions", json={**body, "stream": True}, headers=headers)
    query = {"start_time": int(at.now().timestamp()) - 60, "group_by": ["project_id", "model"]}
    [page] = pages(admin, USAGE, **query)
    [one] = [one for bucket in page["data"] for one in bucket["results"]]
    assert (one["project_id"], one["model"]) == ("proj_mine", "gpt-6-luna")
    assert one["num_model_requests"] == 2
    assert one["input_tokens"] == 2 * whole["prompt_tokens"]
    assert one["output_tokens"] == 2 * whole["completion_tokens"]


def test_a_stream_that_the_caller_leaves_is_booked_with_what_went_out(
    sandbox: RunningSandbox, http: httpx2.Client, admin: httpx2.Client, at: ManualClock
) -> None:
    sandbox.fail("stall", path="/chat/completions", value=60)
    body = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    with http.stream("POST", "/chat/completions", json=body) as answer:
        pieces = answer.iter_lines()
        assert next(pieces).startswith("data: ")
    query = {"start_time": int(at.now().timestamp()) - 60}
    results: list[dict[str, Any]] = []
    for _ in range(500):  # the server notices within milliseconds; each look is a round trip
        [page] = pages(admin, USAGE, **query)
        results = [one for bucket in page["data"] for one in bucket["results"]]
        if results:
            break
    assert [(one["num_model_requests"], one["output_tokens"]) for one in results] == [(1, 1)]


@pytest.mark.parametrize(
    "name",
    ["decisions", "moderations", "images", "audio_speeches", "audio_transcriptions", "vector_stores",
     "code_interpreter_sessions", "file_search_calls", "web_search_calls", "embeddings"],
)  # fmt: skip
def test_what_was_never_used_is_empty_buckets(shared_admin: httpx2.Client, name: str) -> None:
    now = int(ManualClock().now().timestamp())
    [body] = pages(shared_admin, f"/organization/usage/{name}", start_time=now - 2 * DAY, group_by="project_id")
    strictly(UsageCompletionsResponse, body)
    assert [bucket["results"] for bucket in body["data"]] == [[], [], []]


@pytest.mark.parametrize(
    ("path", "query", "param", "code"),
    [
        (USAGE, {}, "start_time", "missing_required_parameter"),
        (USAGE, {"start_time": "soon"}, "start_time", "invalid_type"),
        (USAGE, {"start_time": -1}, "start_time", "integer_below_min_value"),
        (USAGE, {"start_time": 10, "end_time": 10}, "end_time", "invalid_value"),
        (USAGE, {"start_time": 10, "bucket_width": "1w"}, "bucket_width", "invalid_value"),
        (USAGE, {"start_time": 10, "limit": 32}, "limit", "integer_above_max_value"),
        (USAGE, {"start_time": 10, "limit": 0}, "limit", "integer_below_min_value"),
        (USAGE, {"start_time": 10, "bucket_width": "1h", "limit": 169}, "limit", "integer_above_max_value"),
        (USAGE, {"start_time": 10, "bucket_width": "1m", "limit": 1441}, "limit", "integer_above_max_value"),
        (USAGE, {"start_time": 10, "group_by": "line_item"}, "group_by", "invalid_value"),
        (USAGE, {"start_time": 10, "page": "page_xyz"}, "page", "invalid_value"),
        (USAGE, {"start_time": 10, "bogus": 1}, "bogus", "unknown_parameter"),
        (COSTS, {"start_time": 10, "bucket_width": "1h"}, "bucket_width", "invalid_value"),
        (COSTS, {"start_time": 10, "limit": 181}, "limit", "integer_above_max_value"),
        (COSTS, {"start_time": 10, "group_by": "model"}, "group_by", "invalid_value"),
        (COSTS, {"start_time": 10, "models": "x"}, "models", "unknown_parameter"),
    ],
)  # fmt: skip
def test_a_wrong_query_is_refused(
    shared_admin: httpx2.Client, path: str, query: dict[str, Any], param: str, code: str
) -> None:
    answer = shared_admin.get(path, params=query)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, code)


def test_a_cursor_of_another_query_is_refused(shared_admin: httpx2.Client) -> None:
    now = int(ManualClock().now().timestamp())
    first = shared_admin.get(USAGE, params={"start_time": now - 9 * DAY, "limit": 1}).json()
    other = shared_admin.get(USAGE, params={"start_time": now - 8 * DAY, "limit": 1, "page": first["next_page"]})
    assert (other.status_code, other.json()["error"]["param"]) == (400, "page")


def test_the_demo_month_is_labelled_steady_and_can_be_left_out(tmp_path: Path, clock: ManualClock) -> None:
    database = tmp_path / "sandbox.db"
    query = {"start_time": int(clock.now().timestamp()) - 31 * DAY, "limit": 31, "group_by": "project_id"}
    headers = {"Authorization": "Bearer sk-admin-1"}
    seen: list[dict[str, Any]] = []
    for wants_demo in (True, True, False):
        with running_sandbox(clock=clock, database=database, demo=wants_demo) as sandbox:
            answer = httpx2.get(f"{sandbox.base_url}{COSTS}", params=query, headers=headers)
            assert (demo.HEADER in answer.headers) == wants_demo
            seen.append(answer.json())
    assert seen[0] == seen[1]
    strictly(UsageCostsResponse, seen[0])
    full = [bucket for bucket in seen[0]["data"] if bucket["results"]]
    assert len(full) == 30
    assert {one["project_id"] for bucket in full for one in bucket["results"]} == {"proj_demo"}
    assert not [bucket for bucket in seen[2]["data"] if bucket["results"]]


def test_the_demo_month_is_the_same_for_the_same_day_and_adds_up() -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    rows = list(demo.month_before(now))
    assert rows == list(demo.month_before(now + timedelta(hours=11)))
    for row in rows:
        assert row["at_ms"] < millis(now)
        assert row["input_tokens"] >= row["input_cached_tokens"] + row["input_audio_tokens"]
        assert row["output_tokens"] >= row["output_audio_tokens"]


def test_keys_of_each_kind_are_refused_in_the_place_of_the_other(http: httpx2.Client, admin: httpx2.Client) -> None:
    refused = http.get(COSTS, params={"start_time": 1})
    assert refused.status_code == 401
    assert "Missing scopes: api.usage.read" in refused.json()["error"]["message"]
    refused = admin.get("/models")
    assert refused.status_code == 403
    assert "Missing scopes: api.model.read" in refused.json()["error"]["message"]
    for path in ("/chat/completions", "/realtime/client_secrets"):
        refused = admin.post(path, json={})
        assert refused.status_code == 403
        assert "Missing scopes: model.request" in refused.json()["error"]["message"]
