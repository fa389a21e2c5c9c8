"""`python -m benchmarks.talk_browser`: the talk page in Chromium, for longer than a test may take.

Ten minutes of talk in which every answer is interrupted, questions whose tool takes four seconds, and fifty conversations one
after the other. It prints how soon an answer is silent, how exactly the service is told what was heard, whether a sample was lost
on either way, how many messages leave in a second, how long nothing is heard while a tool runs, and what fifty conversations leave
in the heap: as people have it, and in a browser that makes no machine code of what the page does often, where what is left is the
page's own.
"""

import argparse
import socket
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, expect

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from dashboard.minute import Minute
from dashboard.talking import QUESTION, Kept, KnownWords, Stage, hearing, question_file, stage, visit
from opencto.sandbox.hearing.ears import LocalEars

UNDERRUN_BYTES_PER_SECOND = 45_000
SLOW_TOOL_MS = 4_000
WARMING = 10
SHOWN = 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.talk_browser", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--waits", type=int, default=10, help="questions whose tool takes long")
    parser.add_argument("--sessions", type=int, default=50)
    options = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="opencto-bench-") as name:
        folder = Path(name)
        with stage(folder, port, LocalEars(KnownWords())) as the_stage:
            microphone = question_file(folder)
            if options.minutes:
                with hearing(microphone) as browser:
                    _talk(browser, the_stage, options.minutes)
            if options.waits:
                with hearing(microphone) as browser:
                    _waits(browser, the_stage, options.waits)
            for is_compiling in (True, False) if options.sessions else ():
                with hearing(microphone, is_compiling=is_compiling) as browser:
                    print(f"{options.sessions} conversations, {'with' if is_compiling else 'without'} machine code")
                    _sessions(browser, the_stage, options.sessions)
    return 0


def _talk(browser: Browser, the_stage: Stage, minutes: float) -> None:
    with visit(browser, the_stage, taps=True) as talker:
        talker.open(isSpoken=True)
        talker.page.evaluate("() => { window.__probe.keepsSent = [] }")
        talker.begin()
        talker.page.wait_for_timeout(minutes * 60_000 / 2)
        the_stage.wire.bytes_per_second = UNDERRUN_BYTES_PER_SECOND
        talker.page.wait_for_timeout(minutes * 60_000 / 2)
        whole = Minute.of(talker)
        the_stage.wire.bytes_per_second = None
        talker.hang_up()
    silences, errors, moves = whole.silences_ms(), whole.truncate_errors_ms(), whole.moves()
    shifts = whole.shifts()
    print(f"{minutes:g} minutes of talk, {len(silences)} interruptions, the second half with underruns")
    print(f"{'silence after speech_started, ms':<44}{_spread(silences)}")
    print(f"{'error of what was told to be heard, ms':<44}{_spread(errors)}   of {len(errors)}")
    print(f"{'samples lost from microphone to wire':<44}{max(shifts) - min(shifts):>8}")
    print(f"{'samples left out by the player':<44}{max(0, -min(moves)):>8}")
    print(f"{'samples missed by the recorder':<44}{whole.missed:>8}")
    print(f"{'silence put between, ms at most':<44}{max(moves) / 24:>8.0f}")
    print(f"{'messages in a second, at most':<44}{whole.most_messages_a_second():>8}\n")


def _waits(browser: Browser, the_stage: Stage, times: int) -> None:
    """Of a tool: from its call to something that is heard, as the page measures it, where a sentence is said meanwhile."""
    with visit(browser, the_stage) as talker:
        talker.open(isPushToTalk=True).begin()
        talker.page.evaluate("ms => { window.__probe.slowTools = ms }", SLOW_TOOL_MS)
        for number in range(times):
            talker.ask(QUESTION)
            expect(talker.said.locator(".cto.completed")).to_have_count(number + 1, timeout=60_000)
            expect(talker.page.locator(".talk-word")).to_have_text("Ready", timeout=60_000)
        talker.hang_up()
        aired = next(one for one in talker.recorded()["latency"] if one["metric"] == "tool_dead_air")
    print(f"{times} questions whose tool takes {SLOW_TOOL_MS / 1000:g} s, in writing, answered aloud")
    print(
        f"{'nothing heard while it runs, ms':<44}p50 {aired['p50']:6.0f}   p95 {aired['p95']:6.0f}   max {aired['max']:6.0f}\n"
    )


def _sessions(browser: Browser, the_stage: Stage, sessions: int) -> None:
    heaps: list[int] = []
    with visit(browser, the_stage, is_probed=False) as talker:
        talker.open(isPushToTalk=True, isSpoken=False)
        kept = Kept(talker.page)
        for _ in range(sessions):
            talker.converse()
            heaps.append(kept.heap_bytes)
    step = max(1, sessions // SHOWN)
    for number in range(step, sessions + 1, step):
        print(f"{f'heap after {number}, MB':<44}{heaps[number - 1] / 1e6:>8.2f}")
    warm = heaps[min(WARMING, sessions // 2) :]
    slope = float(np.polyfit(range(len(warm)), warm, 1)[0]) if len(warm) > 1 else 0.0
    print(f"{'growth with each, kB, after the first ten':<44}{slope / 1000:>8.1f}\n")


def _spread(values: list[float]) -> str:
    p50, p95 = np.percentile(values, [50, 95])
    return f"p50 {p50:6.1f}   p95 {p95:6.1f}   max {max(values):6.1f}"


if __name__ == "__main__":
    sys.exit(main())
