"""The alert rules and the dashboard: they name what there is, Prometheus understands them, and a burst fires them."""

import json
import re
import shutil
import subprocess
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
import yaml
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from identity.world import World, build_world
from opencto.core.configuration import load
from opencto.core.settings import Settings
from opencto.telemetry import names
from opencto.testing import ManualClock, RunningSandbox, running_sandbox

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy" / "alerts.yml"
RULES = [
    rule
    for group in cast("dict[str, Any]", yaml.safe_load(ALERTS.read_text("utf-8")))["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "opencto.json").read_text("utf-8"))
PANEL_QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
QUERIES = [*(rule["expr"] for rule in RULES), *PANEL_QUERIES]
RECORDED = {"opencto:requests:rate5m": {"status", "origin", "bucket"}}


def labels_of(metric: str) -> set[str]:
    """The labels that a metric of a query has. Fails for one that nobody exposes."""
    if metric in RECORDED:
        return RECORDED[metric]
    known = {one.name: one for one in names.ALL}
    plain = re.sub("_(bucket|sum|count)$", "", metric)
    found = known.get(metric) or known.get(plain)
    assert found is not None, f"{metric} is not in telemetry/names.py"
    return {*found.labels, *({"le"} if metric.endswith("_bucket") else ())}


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_names_metrics_and_labels_that_exist(query: str) -> None:
    metrics = set(re.findall(r"opencto[a-z0-9_:]+", re.sub(r'"[^"]*"', "", query)))
    assert metrics
    having = {label for one in metrics for label in labels_of(one)}
    used = {label for group in re.findall(r"{([^}]*)}", query) for label in re.findall(r"([a-z_]+)\s*[=!]", group)}
    used |= {one for group in re.findall(r"(?:by|on) \(([^)]*)\)", query) for one in group.split(", ")}
    assert used - having == set()


def test_each_figure_of_the_runbook_is_one_query_of_the_dashboard() -> None:
    titles = [panel["title"] for panel in DASHBOARD["panels"]]
    for bucket in ("realtime_token", "cto_openai_proxy"):
        for kind in ("429", "5xx"):
            (panel,) = [one for one in DASHBOARD["panels"] if one["title"] == f"{bucket}: {kind} per second"]
            assert len(panel["targets"]) == 1
    assert len(titles) == len(set(titles))


def promtool(*arguments: str, folder: Path) -> str:
    program = shutil.which("promtool")
    assert program, "scripts/services installs it, with Debian's package prometheus"
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_understands_the_rules_and_every_query_of_the_dashboard(tmp_path: Path) -> None:
    promtool("check", "rules", str(ALERTS), folder=tmp_path)
    rules = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, query in enumerate(PANEL_QUERIES)
    ]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", "panels.yml", folder=tmp_path)


# ---- a burst


@pytest.fixture
def openai(clock: ManualClock) -> Generator[RunningSandbox]:
    with running_sandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def database_url() -> None:
    """SQLite alone: the subject is what the metrics say."""


@pytest.fixture
def settings(environ: dict[str, str], openai: RunningSandbox) -> Settings:
    return load({"OPENAI_BASE_URL": openai.base_url, "OPENAI_API_KEY": "sk-server-000000", **environ}).settings


async def burst(client: httpx2.AsyncClient, world: World, openai: RunningSandbox) -> None:
    """Refused by OpenAI, failed by OpenAI, and refused by us."""
    for fault in ("quota", "error_500"):
        openai.fail(fault)
        for _ in range(3):
            await client.post("/api/v1/realtime/token", json={}, headers=world.carol.bearer)
            await client.get("/api/v1/cto/openai/models", headers=world.carol.bearer)
        openai.heal()
    limits = {"buckets": {"realtime_token": {"limit": 6}, "cto_openai_proxy": {"limit": 6}}}
    await client.put("/api/v1/workspaces/acme/limits", json=limits, headers=world.ada.bearer)
    for _ in range(3):
        await client.post("/api/v1/realtime/token", json={}, headers=world.carol.bearer)
        await client.get("/api/v1/cto/openai/models", headers=world.carol.bearer)


async def counts(client: httpx2.AsyncClient) -> dict[str, float]:
    """The series of requests as Prometheus would write them."""
    text = (await client.get("/metrics")).text
    return {
        _series(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "opencto_http_requests_total"
    }


def _series(name: str, labels: Mapping[str, str]) -> str:
    return f"{name}{{{','.join(f'{one}={json.dumps(value)}' for one, value in sorted(labels.items()))}}}"


def fired(folder: Path, series: dict[str, float], expected: list[tuple[str, str, str]]) -> None:
    """With these counts added in each of ten minutes, exactly the expected alerts fire: name, bucket, origin."""
    test = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "30s",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": f"0+{value:g}x10"} for name, value in series.items()],
                "promql_expr_test": [
                    {
                        "expr": 'count by (alertname, bucket, origin) (ALERTS{alertstate="firing"})',
                        "eval_time": "10m",
                        "exp_samples": [
                            {"labels": f'{{alertname="{alert}", bucket="{bucket}", origin="{origin}"}}', "value": 1}
                            for alert, bucket, origin in expected
                        ],
                    }
                ],
            }
        ],
    }
    (folder / "test.yml").write_text(yaml.safe_dump(test))
    promtool("test", "rules", "test.yml", folder=folder)


@pytest.mark.anyio
async def test_an_induced_burst_of_429_and_5xx_fires_the_alerts_and_quiet_does_not(
    app: FastAPI, client: httpx2.AsyncClient, openai: RunningSandbox, tmp_path: Path
) -> None:
    world = build_world(app)
    await client.post("/api/v1/realtime/token", json={}, headers=world.carol.bearer)
    await client.get("/health")
    fired(tmp_path, await counts(client), [])
    app.state.house.clock.advance(120)
    await burst(client, world, openai)
    everywhere = [("realtime_token", "openai"), ("cto_openai_proxy", "openai")]
    fired(
        tmp_path,
        await counts(client),
        [
            *(("OpenctoRateLimited", bucket, origin) for bucket, origin in everywhere),
            *(("OpenctoRateLimited", bucket, "opencto") for bucket, _ in everywhere),
            *(("OpenctoFailing", bucket, origin) for bucket, origin in everywhere),
        ],
    )
