"""Prometheus metrics, right with several workers.

With one process the values live in memory. With several, each writes files of its own under `run/metrics` in the data
directory (prometheus-client's multiprocess mode), and whichever worker is asked adds them up: a worker that was killed
keeps its counts, and its gauges end with it. The library decides between the two when it is first imported, from an
environment variable: hence `prepare`, and hence no import of it at the top of this module.
"""

import fcntl
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from starlette.types import Scope

from opencto import __version__
from opencto.telemetry import names

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_FILE_BYTES = {"counter": 1 << 20, "gauge_livesum": 1 << 16, "histogram": 1 << 22}
"""Room taken at the start: a memory-mapped file that cannot grow on a full disk kills the process with SIGBUS."""


def prepare(data_dir: Path, workers: int) -> None:
    """Called by the parent before it starts its workers (and before anything imports prometheus_client).

    Sets what the workers inherit and removes what dead processes of earlier runs left behind.
    """
    folder = data_dir / "run" / "metrics"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in [*folder.glob("*.db"), *folder.glob("*.alive")]:
        if not _is_alive(file):
            file.unlink(missing_ok=True)
    if workers > 1:
        os.environ[VARIABLE] = str(folder)
    else:
        os.environ.pop(VARIABLE, None)


class Metrics:
    """The metrics of one application: an observer of the edge, and what `/metrics` shows."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Gauge, Histogram, values
        from prometheus_client.registry import CollectorRegistry

        shared = bool(getattr(values.ValueClass, "_multiprocess", False))
        self._folder = Path(os.environ[VARIABLE]) if shared else None
        self._alive = _show_life(self._folder) if self._folder else None
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(names.REQUESTS.name, names.REQUESTS.help, names.REQUESTS.labels, registry=registry)
        self._duration = Histogram(
            names.DURATION.name,
            names.DURATION.help,
            names.DURATION.labels,
            buckets=names.DURATION.buckets,
            registry=registry,
        )
        self._own = Histogram(
            names.OWN.name, names.OWN.help, names.OWN.labels, buckets=names.OWN.buckets, registry=registry
        )
        self._in_flight = Gauge(
            names.IN_FLIGHT.name, names.IN_FLIGHT.help, multiprocess_mode="livesum", registry=registry
        )
        self._in_flight.set(0)  # a file of a dead process with our id may have left another number
        self._limits = Counter(
            names.LIMIT_DECISIONS.name, names.LIMIT_DECISIONS.help, names.LIMIT_DECISIONS.labels, registry=registry
        )
        self._upstream_calls = Counter(
            names.UPSTREAM_CALLS.name, names.UPSTREAM_CALLS.help, names.UPSTREAM_CALLS.labels, registry=registry
        )
        self._upstream_times = Histogram(
            names.UPSTREAM_DURATION.name,
            names.UPSTREAM_DURATION.help,
            names.UPSTREAM_DURATION.labels,
            buckets=names.UPSTREAM_DURATION.buckets,
            registry=registry,
        )
        # Looking a child up by its labels costs more than the count itself: keep what was looked up.
        self._counts: dict[tuple[str, str, int, str], Counter] = {}
        self._times: dict[tuple[str, str], tuple[Histogram, Histogram]] = {}
        self._decisions: dict[tuple[str, str], Counter] = {}
        self._calls: dict[tuple[str, str], tuple[Counter, Histogram]] = {}

    def begun(self, scope: Scope) -> None:
        if scope["type"] == "http":
            self._in_flight.inc()

    def finished(self, scope: Scope, status: int, seconds: float, upstream_seconds: float) -> None:
        state: Mapping[str, Any] = scope["state"]
        route: str = state["route"]
        is_http = scope["type"] == "http"
        method = method_label(scope["method"]) if is_http else names.WEBSOCKET
        key = (route, method, status, state.get("origin") or names.OURS)
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = self._requests.labels(*map(str, key))
        count.inc()
        if not is_http:
            return  # how long somebody talked is no measure of ours
        self._in_flight.dec()
        times = self._times.get((route, method))
        if times is None:
            times = self._times[route, method] = (self._duration.labels(route, method), self._own.labels(route))
        times[0].observe(seconds)
        times[1].observe(max(0.0, seconds - upstream_seconds))

    def failed(self, scope: Scope, error: Exception, /) -> None:
        """Counted by its status in `finished`."""

    def close(self) -> None:
        """The process ends, or a test is over: its gauges count no more."""
        if self._alive is not None:
            os.close(self._alive)
            self._alive = None

    def limit_decided(self, bucket: str, decision: str) -> None:
        """A limiter decided. Both are words of our own, never what a caller sent."""
        count = self._decisions.get((bucket, decision))
        if count is None:
            count = self._decisions[bucket, decision] = self._limits.labels(bucket, decision)
        count.inc()

    def called_upstream(self, operation: str, outcome: str, seconds: float) -> None:
        """A call to OpenAI ended. `operation` and `outcome` are words of the door."""
        known = self._calls.get((operation, outcome))
        if known is None:
            children = self._upstream_calls.labels(operation, outcome), self._upstream_times.labels(operation)
            known = self._calls[operation, outcome] = children
        known[0].inc()
        known[1].observe(seconds)

    def expose(
        self, accept: str, parts: Mapping[str, bool], model_days: Mapping[str, int] | None = None
    ) -> tuple[bytes, str]:
        """The exposition and its content type. `parts` says of each part whether it answers now, `model_days` of each
        setting how many days its model has left.

        Reads files with several workers: call it in a thread.
        """
        from prometheus_client.exposition import choose_encoder
        from prometheus_client.registry import CollectorRegistry

        registry = CollectorRegistry()
        for collector in (self._values, lambda: _facts(parts, model_days or {}), self._processes):
            registry.register(_Collector(collector))
        encode, content_type = choose_encoder(accept)
        return encode(registry), content_type

    def _values(self) -> "Iterable[Metric]":
        if self._folder is None:
            return self._registry.collect()
        from prometheus_client.multiprocess import MultiProcessCollector

        files = [
            str(file) for file in self._folder.glob("*.db") if not file.name.startswith("gauge_live") or _is_alive(file)
        ]
        merge: Callable[[list[str]], Iterable[Metric]] = cast("Any", MultiProcessCollector).merge
        return merge(files)

    def _processes(self) -> "Iterable[Metric]":
        from prometheus_client.process_collector import ProcessCollector

        pids = {os.getpid()}
        if self._folder is not None:
            pids |= {_pid(file) for file in self._folder.glob("*.alive") if _is_alive(file)}
        merged: dict[str, Metric] = {}
        for pid in sorted(pids):
            for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():
                whole = merged.setdefault(metric.name, metric)
                samples = [
                    sample._replace(labels={**sample.labels, names.PROCESS_LABEL: str(pid)})
                    for sample in metric.samples
                ]
                whole.samples = samples if whole is metric else [*whole.samples, *samples]
        return merged.values()


class _Collector:
    """A function as the library's collector. Describes nothing, so that registering it collects nothing."""

    def __init__(self, collect: Any) -> None:
        self.collect = collect

    def describe(self) -> "Iterable[Metric]":
        return []


def _facts(parts: Mapping[str, bool], model_days: Mapping[str, int]) -> "Iterable[Metric]":
    from prometheus_client.metrics_core import GaugeMetricFamily

    build = GaugeMetricFamily(names.BUILD.name, names.BUILD.help, labels=names.BUILD.labels)
    build.add_metric([__version__, platform.python_version()], 1)
    up = GaugeMetricFamily(names.PART_UP.name, names.PART_UP.help, labels=names.PART_UP.labels)
    for part, is_up in parts.items():
        up.add_metric([part], float(is_up))
    days = GaugeMetricFamily(names.MODEL_DAYS.name, names.MODEL_DAYS.help, labels=names.MODEL_DAYS.labels)
    for setting, left in model_days.items():
        days.add_metric([setting], left)
    return [build, up, days]


def method_label(method: str) -> str:
    """A method that a stranger invents is no label of its own."""
    return method if method in names.METHODS else names.OTHER_METHOD


def _pid(file: Path) -> int:
    return int(file.stem.rpartition("_")[2])


def _show_life(folder: Path) -> int:
    """Lock a file of this process; the kernel lets go of it when the process ends, however it ends."""
    for kind, size in _FILE_BYTES.items():
        descriptor = os.open(folder / f"{kind}_{os.getpid()}.db", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
        finally:
            os.close(descriptor)
    descriptor = os.open(folder / f"process_{os.getpid()}.alive", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _is_alive(file: Path) -> bool:
    """Whether the process that wrote the file lives; not a later one that was given the same number."""
    try:
        descriptor = os.open(file.with_name(f"process_{_pid(file)}.alive"), os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ValueError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
