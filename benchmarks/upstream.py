"""`python -m benchmarks.upstream`: what a call through OpenCTO costs beside nginx and LiteLLM, in one run.

Mint, a plain answer and a streamed one (50 chunks at once), each with everything on: token, limit, key, ledger, audit,
logs and metrics. The mock upstream and the load are on one core, the server that is measured on the other; the servers
are asked in turns. The figure to trust is CPU per request; the ratios are printed with their goals (docs/speed.md).
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import peers, stream_delay
from benchmarks.latency import added_latency
from benchmarks.peers import Target
from benchmarks.process import pinned, running
from benchmarks.seed import seed

CASES = ("mint", "respond", "respond streamed")
GOALS = {
    ("mint", "litellm"): "goal 1: at least 25, better 40",
    ("respond", "litellm"): "goal 2: at least 25, better 45",
    ("respond streamed", "litellm"): "goal 3: at least 40, better 70",
    ("mint", "nginx"): "goal 4: at most 20, better 12",
    ("mint", "ping"): "goal 5: at most 12, better 8",
}
EXPECTED = {"mint": "xpires", "respond": "Nothing waits for you", "respond streamed": "A sentence ends."}
SCRIPT = """
wrk.method = "POST"
wrk.body = %s
wrk.headers["Content-Type"] = "application/json"
%s
"""


def main() -> int:
    options = _options()
    if needed := peers.missing():
        print(f"This needs more: {needed}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="opencto-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        mock = stack.enter_context(peers.mock_upstream(folder))
        targets = [
            stack.enter_context(_ping(folder)),
            stack.enter_context(peers.nginx_proxy(folder, mock.port)),
            stack.enter_context(_opencto(folder, mock.port, name="opencto")),
        ]
        streaming = stack.enter_context(_opencto(folder, mock.port, name="streaming"))
        if not options.without_litellm:
            targets.append(stack.enter_context(peers.litellm(folder, mock.port)))
        for target in [*targets, streaming]:
            _try_out(target)
        found = _measure(targets, streaming, options, folder)
        _print(found, options)
        if options.latency:
            print()
            direct = Target("mock", mock, peers.plain_requests())
            added_latency([direct, *(one for one in targets if one.name in {"nginx", "opencto"})], options.rate)
            with ExitStack() as paced:
                upstream = paced.enter_context(stream_delay.paced_upstream(folder)).port
                print()
                stream_delay.print_delays(
                    [
                        paced.enter_context(peers.nginx_proxy(folder, upstream, name="paced-proxy")),
                        paced.enter_context(_opencto(folder, upstream, name="paced")),
                    ]
                )
        print(f"\n{_connections(targets, mock.port, folder)}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upstream", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of load for each case in each round")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rate", type=int, default=200, help="requests a second of the latency test")
    parser.add_argument("--without-litellm", action="store_true")
    parser.add_argument("--latency", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


@contextmanager
def _ping(folder: Path) -> Generator[Target]:
    with running("floor", "/ping", {}, folder / "floor.log") as server:
        yield Target("ping", server, {"mint": ("/ping", {}, "{}")})


@contextmanager
def _opencto(folder: Path, upstream: int, *, name: str) -> Generator[Target]:
    most = "100000"
    environ = {
        "OPENCTO_DATA_DIR": str(folder / name),
        "OPENCTO_LOG_FORMAT": "json",
        "OPENCTO_DRAIN_SECONDS": "0",
        "OPENCTO_SANDBOX": "off",
        "OPENAI_API_KEY": "sk-benchmark-0123456789",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream}/{'streamed/v1' if name == 'streaming' else 'v1'}",
        "RATE_LIMIT_REALTIME_PER_MINUTE": most,
        "RATE_LIMIT_VOICE_PER_MINUTE": most,
    }
    headers = {"Authorization": f"Bearer {seed(environ)}"}
    requests = {
        "mint": ("/api/v1/realtime/token", headers, "{}"),
        "respond": ("/v1/respond", headers, '{"text":"What is up?"}'),
        "respond streamed": ("/v1/respond", headers, '{"text":"What is up?","stream":true}'),
    }
    with running("opencto", "/health", environ, folder / f"{name}.log") as server:
        yield Target("opencto", server, requests, name)


def _measure(
    targets: list[Target], streaming: Target, options: argparse.Namespace, folder: Path
) -> Mapping[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = {}
    for turn in range(options.rounds + 1):
        for case in CASES:
            for target in targets:
                if case not in target.requests:
                    continue
                asked = streaming if case == "respond streamed" and target.name == "opencto" else target
                cpu = _cpu_micros(asked, case, options, folder)
                if turn:  # the first round warms up
                    found.setdefault((case, target.name), []).append(cpu)
    return found


def _try_out(target: Target) -> None:
    """One request of each case, with patience: a first one may import half a library. Raises for a wrong answer."""
    for case, (path, headers, body) in target.requests.items():
        if target.name == "opencto" and (case == "respond streamed") != (target.note == "streaming"):
            continue
        url = f"http://127.0.0.1:{target.running.port}{path}"
        request = urllib.request.Request(
            url, body.encode(), {**headers, "Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read().decode()
        if target.name != "ping" and EXPECTED[case] not in text:
            raise RuntimeError(f"{target.name} {case}: {text[:500]}")


def _cpu_micros(target: Target, case: str, options: argparse.Namespace, folder: Path) -> float:
    """With more time for a server that is slow: what is begun and not answered would be counted to what is answered."""
    for patience in (1, 4, 16):
        before = target.running.cpu_seconds()
        count = _drive(target, case, options.connections, options.seconds * patience, folder)
        if count >= options.connections * 4:
            break
    if count == 0:
        raise RuntimeError(f"{target.name} {case}: no answer in {options.seconds * 16} s")
    return (target.running.cpu_seconds() - before) / count * 1e6


def _drive(target: Target, case: str, connections: int, seconds: int, folder: Path) -> int:
    path, headers, body = target.requests[case]
    script = folder / "request.lua"
    lines = "\n".join(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items())
    script.write_text(SCRIPT % (json.dumps(body), lines))
    url = f"http://127.0.0.1:{target.running.port}{path}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(script), url]
    done = subprocess.run(pinned(0, command), capture_output=True, text=True, check=True)
    answered = re.search(r"(\d+) requests in", done.stdout)
    if "Non-2xx" in done.stdout or not answered:
        raise RuntimeError(f"{target.name} {case} was not answered well:\n{done.stdout}{done.stderr}")
    return int(answered[1])


def _print(found: Mapping[tuple[str, str], list[float]], options: argparse.Namespace) -> None:
    print(f"{options.connections} connections, {options.rounds} rounds of {options.seconds} s, medians [range]\n")
    print(f"{'case':<18}{'server':<10}{'CPU µs/request':>26}  {'ratio':<60}")
    ping = statistics.median(found["mint", "ping"])
    for case in CASES:
        ours = statistics.median(found[case, "opencto"])
        for (measured, server), figures in found.items():
            if measured != case:
                continue
            middle = statistics.median(figures)
            spread = f"{middle:.0f} [{min(figures):.0f}..{max(figures):.0f}]"
            ratio = {
                "ping": f"ours / bare ping = {ours / ping:.1f}",
                "nginx": f"ours / nginx = {ours / middle:.1f}",
                "opencto": "",
                "litellm": f"LiteLLM / ours = {middle / ours:.1f}",
            }[server]
            goal = GOALS.get((case, server))
            print(f"{case:<18}{server:<10}{spread:>26}  {ratio}{f'  ({goal})' if goal else ''}")


def _connections(targets: list[Target], mock: int, folder: Path) -> str:
    """Goal 16: connections opened upstream for 1,000 requests with 16 in flight."""
    ours = next(target for target in targets if target.name == "opencto")
    before = _accepted(mock)
    count = _drive(ours, "mint", 16, 2, folder)
    opened = _accepted(mock) - before - 1  # the one that asks is counted too
    return f"upstream connections opened: {opened} for {count} mints with 16 in flight (goal 16: at most 32 for 1,000)"


def _accepted(mock: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{mock}/connections") as answer:
        numbers = re.search(r"requests\s+(\d+)", answer.read().decode())
    assert numbers
    return int(numbers[1])


if __name__ == "__main__":
    sys.exit(main())
