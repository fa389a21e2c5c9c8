"""`python -m benchmarks`: CPU per request of a bare ping and of OpenCTO's own routes, start-up time and memory.

The servers run side by side on one core and are asked in turns from another, so that whatever else the machine does
falls on all of them alike. CPU per request is the figure to trust; state the load with every figure.
"""

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cases import CASES, FLOOR, Case
from benchmarks.load import drive, has_wrk
from benchmarks.process import Running, get, running
from benchmarks.seed import seed

PROBES = {"floor": "/ping", "opencto": "/health", "guarded": "/health"}


@dataclass
class Figures:
    """What the rounds gave for one case."""

    cpu_micros: list[float] = field(default_factory=list[float])
    per_second: list[float] = field(default_factory=list[float])


def main() -> int:
    options = _options()
    loader = (
        "wrk" if options.loader == "auto" and has_wrk() else "asyncio" if options.loader == "auto" else options.loader
    )
    if loader == "asyncio":
        print("wrk is not used (Debian: apt-get install wrk); the small loader is slower, the CPU figures hold.\n")
    with tempfile.TemporaryDirectory(prefix="opencto-bench-") as folder, ExitStack() as stack:
        environs = {which: _environ(Path(folder), which) for which in PROBES}
        tokens = {which: seed(environ) for which, environ in environs.items()}
        starts = _starts(environs, Path(folder), options.starts)
        servers = {
            which: stack.enter_context(running(which, probe, environs[which], Path(folder) / f"{which}.log"))
            for which, probe in PROBES.items()
        }
        for which, server in servers.items():
            starts[which].append(server.seconds_to_first_answer)
        idle = {which: server.pss_mb() for which, server in servers.items()}
        found = _measure(servers, tokens, loader, options)
        _print_cases(found, options, loader)
        print(f"\n{'server':<22}{'first answer s':>16}{'idle PSS MB':>14}{'PSS after MB':>14}")
        for which, server in servers.items():
            print(f"{which:<22}{statistics.median(starts[which]):>16.2f}{idle[which]:>14.0f}{server.pss_mb():>14.0f}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of load for each case in each round")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--starts", type=int, default=3, help="how often each server is started for its start-up time")
    parser.add_argument("--loader", choices=["auto", "wrk", "asyncio"], default="auto")
    return parser.parse_args()


def _environ(folder: Path, which: str) -> dict[str, str]:
    return {
        "OPENCTO_DATA_DIR": str(folder / which),
        "OPENCTO_LOG_FORMAT": "json",
        "OPENCTO_DRAIN_SECONDS": "0",
    }


def _starts(environs: dict[str, dict[str, str]], folder: Path, times: int) -> dict[str, list[float]]:
    starts: dict[str, list[float]] = {which: [] for which in PROBES}
    for _ in range(times - 1):  # the start for the measurements is the last one
        for which, probe in PROBES.items():
            with running(which, probe, environs[which], folder / f"{which}-start.log") as server:
                starts[which].append(server.seconds_to_first_answer)
    return starts


def _measure(
    servers: dict[str, Running], tokens: dict[str, str], loader: str, options: argparse.Namespace
) -> dict[Case, Figures | None]:
    headers = {case: {"Authorization": f"Bearer {tokens[case.server]}"} if case.signed_in else {} for case in CASES}
    found: dict[Case, Figures | None] = {}
    for case in CASES:
        status = get(servers[case.server].port, case.path, headers[case])
        if status != 200 and not case.optional:
            raise RuntimeError(f"{case.name}: {case.path} answers {status}")
        found[case] = Figures() if status == 200 else None
    for turn in range(options.rounds + 1):
        for case, figures in found.items():
            if figures is None:
                continue
            server = servers[case.server]
            before = server.cpu_seconds()
            count = drive(loader, server.port, case.path, headers[case], options.seconds, options.connections)
            if turn:  # the first round warms up
                figures.cpu_micros.append((server.cpu_seconds() - before) / count * 1e6)
                figures.per_second.append(count / options.seconds)
    return found


def _print_cases(found: dict[Case, Figures | None], options: argparse.Namespace, loader: str) -> None:
    floor = found[FLOOR]
    assert floor is not None
    least = statistics.median(floor.cpu_micros)
    print(
        f"{options.connections} connections, {options.rounds} rounds of {options.seconds:g} s, {loader}; medians [range]\n"
    )
    print(f"{'case':<22}{'CPU µs/request':>26}{'× bare ping':>13}{'requests/s':>12}  route")
    for case, figures in found.items():
        if figures is None:
            print(f"{case.name:<22}{'–':>26}{'–':>13}{'–':>12}  {case.path} (this server has no such route)")
            continue
        middle = statistics.median(figures.cpu_micros)
        spread = f"{middle:.0f} [{min(figures.cpu_micros):.0f}..{max(figures.cpu_micros):.0f}]"
        rate = statistics.median(figures.per_second)
        print(f"{case.name:<22}{spread:>26}{middle / least if least else 0:>13.2f}{rate:>12.0f}  {case.path}")


if __name__ == "__main__":
    sys.exit(main())
