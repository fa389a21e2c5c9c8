"""`GET /api/v1/cto/openai/usage`: OpenAI's figures of the workspace's own projects, else the ledger's, and it says which."""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import anyio
import httpx2
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from sqlalchemy import insert

from identity.world import World, build_world
from opencto.app import create_app
from opencto.core.clock import millis
from opencto.core.configuration import load
from opencto.core.database import Database
from opencto.core.ids import new_id
from opencto.ledger.usage_tables import calls
from opencto.ops.usage import DEMO_PROJECT
from opencto.sandbox import demo
from opencto.testing import ManualClock, RunningSandbox, listening
from ops.organization import Organization, billed, worked

pytestmark = pytest.mark.anyio
PATH = "/api/v1/cto/openai/usage"
MINE, OTHER, FOREIGN = "proj_mine", "proj_other", "proj_foreign"
ADMIN = {"OPENAI_ADMIN_KEY": "sk-admin-server-000000"}


class Server:
    """A server under test and its people."""

    def __init__(self, app: FastAPI, client: httpx2.AsyncClient, database: Database) -> None:
        self.app = app
        self.database = database
        self.client = client
        self.world: World = build_world(app)

    async def ask(self, query: str = "", **headers: str) -> httpx2.Response:
        with anyio.fail_after(30):
            return await self.client.get(f"{PATH}?{query}", headers={**self.world.vic.bearer, **headers})

    async def report(self, query: str = "") -> dict[str, Any]:
        answer = await self.ask(query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def pin(self, *projects: str, owns: bool = False) -> None:
        change = {"openaiProjectIds": list(projects), "ownsOpenaiOrganization": owns}
        done = await self.client.patch("/api/v1/workspaces/acme/settings", json=change, headers=self.world.ada.bearer)
        assert done.status_code == 200, done.text

    def called(self, at: datetime, workspace: str | None = None, **values: Any) -> None:
        """A row of the ledger."""
        row = {
            "id": new_id("led"),
            "at": millis(at),
            "workspace_id": workspace or self.world.acme.id,
            "surface": "voice_respond",
            "model": "gpt-6-luna",
            "key_source": "server",
            "status": "done",
            "is_estimate": False,
            "request_id": "req_1",
            **values,
        }
        with self.database.write() as tx:
            tx.execute(insert(calls).values(row))


Serve = Callable[..., Any]


@pytest.fixture
async def serve(environ: dict[str, str], database: Database, clock: ManualClock) -> AsyncGenerator[Serve]:
    """Starts a server whose OpenAI is at an address, with more environment."""

    async with AsyncExitStack() as stack:

        async def start(origin: str | None, **more: str) -> Server:
            base = {"OPENAI_BASE_URL": f"{origin}/v1"} if origin else {}
            app = create_app(load({**base, "OPENAI_API_KEY": "sk-server-000000", **more, **environ}).settings, clock)
            await stack.enter_async_context(LifespanManager(app))
            transport = httpx2.ASGITransport(app, client=("127.0.0.1", 50000))
            client = httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787")
            return Server(app, await stack.enter_async_context(client), database)

        yield start


@pytest.fixture
def organization() -> Organization:
    empty: dict[str, dict[str, list[dict[str, Any]]]] = {
        kind: {}
        for kind in ("completions", "embeddings", "moderations", "audio_speeches", "audio_transcriptions", "images")
    }
    return Organization({**empty, "costs": {}})


@pytest.fixture
def origin(organization: Organization) -> Generator[str]:
    with listening(organization.app()) as origin:
        yield origin


def days(first: str, count: int) -> list[str]:
    begin = datetime.fromisoformat(first)
    return [f"{begin + timedelta(days=n):%Y-%m-%d}" for n in range(count)]


async def test_three_pages_with_gaps_doubles_a_429_and_foreign_rows_add_up_to_the_cent(
    serve: Serve, organization: Organization, origin: str
) -> None:
    written = [day for n, day in enumerate(days("2026-09-01", 80)) if n % 7 != 3]  # gaps
    organization.doubled = organization.unfiltered = True
    organization.page_days = 28
    for n, day in enumerate(written):
        organization.books["completions"][day] = [
            worked(MINE, "gpt-6-luna", 2, 100 + n, 10, input_cached_tokens=5, input_audio_tokens=3),
            worked(MINE, "gpt-6.1-sol", 1, 7, 1, input_cached_audio_tokens=2, output_audio_tokens=1),
            worked(FOREIGN, "gpt-6-luna", 1000, 10**9, 10**9),
            worked(None, "gpt-6-luna", 1000, 10**9, 10**9),
        ]
        organization.books["embeddings"][day] = [
            {
                "object": "organization.usage.embeddings.result",
                "project_id": OTHER,
                "model": "text-embedding-3-small",
                "num_model_requests": 4,
                "input_tokens": 50,
            }
        ]
        organization.books["images"][day] = [
            {
                "object": "organization.usage.images.result",
                "project_id": MINE,
                "model": "gpt-image-2",
                "images": 1,
                "num_model_requests": 1,
                "size": "1024",
                "source": "image.generation",
            }
        ]
        organization.books["costs"][day] = [
            billed(MINE, 0.1),
            billed(MINE, 0.07, "gpt-6.1-sol, output"),
            billed(OTHER, 1e-7, "text-embedding-3-small"),
            billed(FOREIGN, 999.99),
        ]
    organization.failing = {"completions": [429], "costs": [500]}
    server = await serve(origin, **ADMIN)
    await server.pin(MINE, OTHER)
    report = await server.report("start=2026-09-01&end=2026-11-19")
    count = len(written)
    assert (report["source"], report["currency"], report["asOf"]) == ("openai", "usd", "2026-11-23T12:00:00.000Z")
    assert Decimal(report["totals"]["cost"]) == count * (Decimal("0.17") + Decimal("0.0000001"))
    assert {name: value for name, value in report["totals"].items() if name != "cost"} == {
        "inputTokens": sum(100 + n for n in range(count)) + count * (7 + 50),
        "cachedInputTokens": 5 * count,
        "outputTokens": 11 * count,
        "inputAudioTokens": 5 * count,
        "outputAudioTokens": count,
        "requests": 8 * count,
    }
    assert [one["date"] for one in report["buckets"]] == days("2026-09-01", 80)
    gap = report["buckets"][3]
    assert (gap["date"], gap["cost"], gap["requests"], gap["groups"]) == ("2026-09-04", "0", 0, [])
    assert any("no project of this workspace" in note for note in report["notes"])
    assert any("decisions" in note for note in report["notes"]), "a kind that this server does not have"
    pages = [given for kind, given in organization.asked if kind == "completions"]
    assert len(pages) == 4, "three pages, and the one that was answered with 429"
    assert all(given["project_ids"] == [MINE, OTHER] and given["limit"] == ["31"] for given in pages)


async def test_groups_are_of_models_or_of_projects(serve: Serve, organization: Organization, origin: str) -> None:
    organization.books["completions"]["2026-11-01"] = [
        worked(MINE, "gpt-6-luna", 3, 30),
        worked(OTHER, "gpt-6-luna", 1, 5),
    ]
    organization.books["costs"]["2026-11-01"] = [
        billed(MINE, 0.25),
        billed(MINE, 0.5, "gpt-6-luna, output"),
        billed(OTHER, 2.0, "web search tool calls"),
    ]
    server = await serve(origin, **ADMIN)
    await server.pin(owns=True)

    async def groups(by: str) -> list[tuple[str, int, str]]:
        report = await server.report(f"start=2026-11-01&end=2026-11-01&groupBy={by}")
        return [(one["key"], one["requests"], one["cost"]) for one in report["buckets"][0]["groups"]]

    assert await groups("day") == []
    assert await groups("model") == [("web search tool calls", 0, "2"), ("gpt-6-luna", 4, "0.75")]
    assert await groups("project") == [(OTHER, 1, "2"), (MINE, 3, "0.75")]
    assert "project_ids" not in organization.asked[0][1], "the workspace owns the organization"


async def test_groups_and_days_are_sorted_as_asked_and_an_unknown_cost_is_last(serve: Serve) -> None:
    server = await serve(None)
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    server.called(noon, model="gpt-b", input_tokens=30, output_tokens=1, cost_picos=2 * 10**12)
    server.called(noon, model="gpt-C", input_tokens=10, output_tokens=3, cost_picos=10**13)
    server.called(noon, model="gpt-C", input_tokens=10, output_tokens=0, cost_picos=0)
    server.called(noon, model="gpt-a", input_tokens=5, output_tokens=2, cost_picos=None)
    server.called(noon - timedelta(days=1), model="gpt-b", input_tokens=1, output_tokens=9, cost_picos=10**14)

    async def order(of: str, sort: str) -> list[str]:
        report = await server.report(f"start=2026-11-19&end=2026-11-20&groupBy={of}{sort}")
        return [one["date"][-2:] for one in report["buckets"]] + [one["key"] for one in report["buckets"][1]["groups"]]

    both = await server.report("start=2026-11-19&end=2026-11-20&groupBy=model&sort=key")
    added = [(one["key"], one["requests"], one["inputTokens"], one["cost"]) for one in both["groups"]]
    assert added == [("gpt-a", 1, 5, None), ("gpt-b", 2, 31, "102"), ("gpt-C", 2, 20, "10")]
    assert (await server.report("start=2026-11-19&end=2026-11-20&sort=key"))["groups"] == []
    calendar = ["19", "20"]
    assert await order("model", "") == [*calendar, "gpt-C", "gpt-b", "gpt-a"]
    assert await order("model", "&sort=cost") == [*calendar, "gpt-b", "gpt-C", "gpt-a"]
    assert await order("model", "&sort=-cost") == [*calendar, "gpt-C", "gpt-b", "gpt-a"]
    assert await order("model", "&sort=key") == [*calendar, "gpt-a", "gpt-b", "gpt-C"]
    assert await order("model", "&sort=-requests") == [*calendar, "gpt-C", "gpt-b", "gpt-a"]
    assert await order("model", "&sort=inputTokens") == [*calendar, "gpt-a", "gpt-C", "gpt-b"]
    assert await order("model", "&sort=-outputTokens") == [*calendar, "gpt-C", "gpt-a", "gpt-b"]
    assert await order("day", "") == calendar
    assert await order("day", "&sort=-key") == ["20", "19"]
    assert await order("day", "&sort=cost") == ["20", "19"]


async def test_without_projects_the_admin_key_shows_nothing_and_nothing_is_asked_or_counted(
    serve: Serve, organization: Organization, origin: str
) -> None:
    server = await serve(origin, **ADMIN)
    answer = await server.ask()
    assert (answer.status_code, answer.json()["code"]) == (409, "PROJECTS_NOT_CONFIGURED")
    assert "openaiProjectIds" in answer.json()["detail"]
    assert organization.asked == []
    await server.pin(MINE)
    assert (await server.ask()).headers["ratelimit"].startswith('"cto_openai_proxy";r=89')


@pytest.mark.parametrize("change", [{"openaiProjectIds": [FOREIGN]}, {"ownsOpenaiOrganization": True}])
async def test_with_the_servers_admin_key_only_operators_say_what_belongs_to_a_workspace(
    serve: Serve, origin: str, change: dict[str, Any]
) -> None:
    server = await serve(origin, **ADMIN)
    path, ben = "/api/v1/workspaces/acme/settings", server.world.ben.bearer
    refused = await server.client.patch(path, json=change, headers=ben)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert (await server.client.patch(path, json={"voice": "cedar"}, headers=ben)).status_code == 200
    assert (await server.client.patch(path, json=change, headers=server.world.ada.bearer)).status_code == 200


async def test_without_one_the_admins_of_the_workspace_do(serve: Serve, origin: str) -> None:
    server = await serve(origin)
    change = {"projectIds": [MINE], "ownsOrganization": True}
    done = await server.client.patch("/api/v1/workspaces/acme/projects", json=change, headers=server.world.ben.bearer)
    assert done.status_code == 200


async def test_it_is_read_once_a_minute_and_one_row_stands_in_the_ledger(
    serve: Serve, organization: Organization, origin: str, clock: ManualClock
) -> None:
    server = await serve(origin, **ADMIN)
    await server.pin(MINE)
    await asyncio.gather(*(server.report() for _ in range(5)))
    once = len(organization.asked)
    await server.report("groupBy=project")
    assert len(organization.asked) == once == 8
    clock.advance(61)
    assert (await server.report())["asOf"] == "2026-11-23T12:01:01.000Z"
    assert len(organization.asked) == 2 * once
    rows = (await server.client.get("/api/v1/ledger", headers=server.world.ada.bearer)).json()["data"]
    assert [(row["surface"], row["status"], row["cost"]) for row in rows] == [("cto_openai_proxy", "done", "0")] * 2


async def test_while_openai_fails_the_last_figures_stand_and_say_of_when_they_are(
    serve: Serve, organization: Organization, origin: str, clock: ManualClock
) -> None:
    server = await serve(origin, **ADMIN)
    await server.pin(MINE)
    await server.report()
    organization.failing = {"costs": [500] * 50}
    clock.advance(120)
    report = await server.report()
    assert report["asOf"] == "2026-11-23T12:00:00.000Z"
    assert any("PROVIDER_ERROR" in note for note in report["notes"])
    clock.advance(3_600)
    gone = await server.ask()
    assert (gone.status_code, gone.json()["code"], gone.json()["origin"]) == (502, "PROVIDER_ERROR", "openai")


@pytest.mark.parametrize(
    ("query", "path", "word"),
    [
        ("start=2026-11-02&end=2026-11-01", "start", "after the end"),
        ("end=2026-11-24", "end", "future"),
        ("start=2026-01-01&end=2026-06-30", "start", "2026-01-02 or later"),
        ("start=2019-12-31&end=2020-01-05", "start", "2020-01-01"),
        ("start=1700000000", "start", "2026-11-01"),
        ("start=2026-02-30", "start", ""),
        ("groupBy=person", "groupBy", "project"),
        ("format=xml", "format", "csv"),
        ("sort=groups", "sort", "cost, inputTokens, key"),
        ("sort=--cost", "sort", "hyphen"),
        ("rowsOf=week", "rowsOf", "range"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_what_can(serve: Serve, query: str, path: str, word: str) -> None:
    server = await serve(None, OPENCTO_SANDBOX="off")
    answer = await server.ask(query)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert answer.json()["errors"][0]["path"] == path
    assert word in answer.json()["detail"]


async def test_180_days_and_the_usual_30_are_taken(serve: Serve) -> None:
    server = await serve(None)
    longest = await server.report("start=2026-05-28&end=2026-11-23")
    assert len(longest["buckets"]) == 180
    usual = await server.report()
    assert (usual["start"], usual["end"]) == ("2026-10-25", "2026-11-23")


async def test_without_an_admin_key_the_ledger_answers_and_says_so(serve: Serve) -> None:
    server = await serve(None)
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    tokens = {"input_tokens": 100, "cached_input_tokens": 40, "output_tokens": 10}
    server.called(noon, **tokens, cost_picos=250_000_000_000)
    server.called(noon.replace(hour=0, minute=0), **tokens, model="gpt-6.1-sol", cost_picos=1)
    server.called(noon.replace(hour=23, minute=59), **tokens, cost_picos=None, is_estimate=True, status="failed")
    server.called(noon, cost_picos=0, surface="realtime_token", model="gpt-realtime-2.1")
    server.called(noon, status="failed", code="PROVIDER_ERROR")
    server.called(noon, status="intent")
    server.called(noon, **tokens, cost_picos=0, key_source="sandbox")
    server.called(noon, workspace=server.world.beta.id, **tokens, cost_picos=10**15)
    server.called(noon - timedelta(days=1), **tokens, cost_picos=10**15)
    report = await server.report("start=2026-11-20&end=2026-11-21&groupBy=model")
    assert report["source"] == "ledger"
    assert report["totals"] == {
        "inputTokens": 300,
        "cachedInputTokens": 120,
        "outputTokens": 30,
        "inputAudioTokens": 0,
        "outputAudioTokens": 0,
        "requests": 3,
        "cost": "0.250000000001",
    }
    assert [(one["key"], one["cost"]) for one in report["buckets"][0]["groups"]] == [
        ("gpt-6-luna", "0.25"),
        ("gpt-6.1-sol", "0.000000000001"),
        ("gpt-realtime-2.1", "0"),
    ]
    assert report["metered"] is None
    for part in ("openai-admin", "1 call in the ledger without a known price", "estimated", "never came to an end"):
        assert any(part in note for note in report["notes"]), part


async def test_a_cost_that_is_not_known_is_null_and_never_zero(serve: Serve) -> None:
    server = await serve(None)
    server.called(datetime(2026, 11, 20, tzinfo=UTC), input_tokens=5, output_tokens=5, model="unheard-of")
    report = await server.report("start=2026-11-20&end=2026-11-21")
    assert report["totals"]["cost"] is None
    assert [one["cost"] for one in report["buckets"]] == [None, "0"]


async def test_what_we_metered_stands_beside_what_openai_billed(
    serve: Serve, organization: Organization, origin: str
) -> None:
    organization.books["costs"] = {
        "2026-11-10": [billed(MINE, 1.0)],  # 0.40 of it metered
        "2026-11-22": [billed(MINE, 0.1)],  # 0.30 metered: the rest is late
    }
    server = await serve(origin, **ADMIN)
    await server.pin(MINE)
    for day, picos in ((10, 400_000_000_000), (11, 50_000_000_000), (22, 300_000_000_000)):
        server.called(datetime(2026, 11, day, 12, tzinfo=UTC), input_tokens=10, output_tokens=1, cost_picos=picos)
    server.called(datetime(2026, 11, 10, tzinfo=UTC), input_tokens=10, output_tokens=1)
    report = await server.report("start=2026-11-01&end=2026-11-23")
    assert report["totals"]["cost"] == "1.1"
    metered = report["metered"]
    assert (metered["cost"], metered["requests"], metered["unpricedCalls"]) == ("0.75", 4, 1)
    assert [metered[name] for name in ("explained", "unexplained", "late", "unbilled")] == ["0.5", "0.6", "0.2", "0.05"]
    assert any("2026-11-21 on may still grow" in note for note in report["notes"])
    assert (await server.report("start=2026-11-01&end=2026-11-20"))["notes"] != report["notes"]


async def test_ones_own_admin_key_is_used_and_a_revoked_one_is_told(
    serve: Serve, openai: RunningSandbox, clock: ManualClock
) -> None:
    server = await serve(openai.base_url.removesuffix("/v1"))
    await server.pin(MINE)
    path = "/api/v1/llm/keys/openai-admin"
    saved = await server.client.put(path, json={"apiKey": "sk-admin-vics-own"}, headers=server.world.carol.bearer)
    assert saved.status_code == 200
    answer = await server.client.get(PATH, headers=server.world.carol.bearer)
    assert answer.json()["source"] == "openai"
    assert {one.headers["authorization"] for one in openai.seen("/organization/costs")} == {"Bearer sk-admin-vics-own"}
    assert (await server.report())["source"] == "ledger", "somebody else's key is not Vic's"
    openai.fail("unauthorized", path="/organization")
    clock.advance(100)
    refused = await server.client.get(PATH, headers=server.world.carol.bearer)
    assert (refused.status_code, refused.json()["code"]) == (502, "PROVIDER_KEY_REJECTED")


@asynccontextmanager
async def _nothing_configured(
    environ: dict[str, str], clock: ManualClock, database: Database
) -> AsyncGenerator[Server]:
    app = create_app(load(environ).settings, clock)
    async with LifespanManager(app):
        transport = httpx2.ASGITransport(app, client=("127.0.0.1", 50000))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
            yield Server(app, client, database)


async def test_with_nothing_configured_the_sandbox_answers_and_its_demo_is_labelled(
    environ: dict[str, str], database: Database, clock: ManualClock
) -> None:
    assert DEMO_PROJECT == demo.PROJECT_ID
    async with _nothing_configured(environ, clock, database) as server:
        report = await server.report("groupBy=model")
        assert report["source"] == "sandbox"
        assert Decimal(report["totals"]["cost"]) > 0
        assert any("demo data" in note for note in report["notes"])
        by_model = sum(Decimal(one["cost"]) for day in report["buckets"] for one in day["groups"])
        assert by_model == Decimal(report["totals"]["cost"])
        assert sum(Decimal(one["cost"]) for one in report["groups"]) == by_model
        longest = await server.report("start=2026-05-28&end=2026-11-23&groupBy=model")
        assert longest["buckets"][-30:] == report["buckets"], "six pages of the sandbox are as good as one"


async def test_csv_is_given_to_who_asks_for_it(serve: Serve, organization: Organization, origin: str) -> None:
    organization.books["costs"]["2026-11-01"] = [billed(MINE, 1.5, '=HYPERLINK("x"), y'), billed(MINE, 2.0)]
    server = await serve(origin, **ADMIN)
    await server.pin(MINE)
    answer = await server.ask("start=2026-11-01&end=2026-11-02&groupBy=model", Accept="text/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="usage-by-model-2026-11-01-2026-11-02.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["date"], row["key"], row["cost"], row["source"]) for row in rows] == [
        ("2026-11-01", "gpt-6-luna", "2", "openai"),
        ("2026-11-01", '\'=HYPERLINK("x")', "1.5", "openai"),
    ]
    whole = await server.ask("start=2026-11-01&end=2026-11-02&groupBy=model&sort=cost&format=csv&rowsOf=range")
    assert [(row["start"], row["end"], row["key"], row["cost"]) for row in csv.DictReader(io.StringIO(whole.text))] == [
        ("2026-11-01", "2026-11-02", '\'=HYPERLINK("x")', "1.5"),
        ("2026-11-01", "2026-11-02", "gpt-6-luna", "2"),
    ]
    summed = await server.ask("start=2026-11-01&end=2026-11-02&format=csv&rowsOf=range")
    assert [(row["key"], row["cost"]) for row in csv.DictReader(io.StringIO(summed.text))] == [("", "3.5")]
    daily = await server.ask("start=2026-11-01&end=2026-11-02&format=csv")
    assert [row["cost"] for row in csv.DictReader(io.StringIO(daily.text))] == ["3.5", "0"]
    as_asked = await server.ask("format=json", Accept="text/csv")
    assert as_asked.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "row",
    [
        billed(MINE, 1.0) | {"amount": {"value": "a lot"}},
        billed(MINE, 1.0) | {"amount": None},
    ],
)
async def test_garbage_is_a_problem_and_not_a_wrong_sum(
    serve: Serve, organization: Organization, origin: str, row: dict[str, Any]
) -> None:
    organization.books["costs"]["2026-11-01"] = [row]
    server = await serve(origin, **ADMIN)
    await server.pin(MINE)
    answer = await server.ask()
    assert (answer.status_code, answer.json()["cause"]) == (502, "garbage")


async def test_other_money_is_not_added_to_dollars(serve: Serve, organization: Organization, origin: str) -> None:
    organization.books["costs"]["2026-11-01"] = [billed(MINE, 1.0), billed(MINE, 7.0, currency="eur")]
    server = await serve(origin, **ADMIN)
    await server.pin(MINE)
    report = await server.report()
    assert report["totals"]["cost"] == "1"
    assert any("EUR" in note for note in report["notes"])
