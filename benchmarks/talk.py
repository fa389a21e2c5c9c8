"""`python -m benchmarks.talk`: a spoken question and its spoken answer on this machine, with no key: how long a person waits
for the first sound, and what the server weighs before and after it has heard somebody.

The server is `opencto up` on one core with its own sandbox; the questions are spoken by Pico into files, and `opencto talk
--in --out --json` asks them from another core in real time, so that the wait is the one that a person has: from the end of
their last word (facts/voice.md 2.3, `eos_to_first_sound`) to the first sound of the answer. It holds the silence that the
turn detection waits for (500 ms). Needs the extra `local`. Memory is PSS of the server's processes.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import wave
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.process import Running, pinned, running
from opencto.sandbox.speech.pico import Pico

QUESTIONS = (
    "How much money did we spend last week?",
    "Which realtime models do we have?",
    "What is left of our limits?",
)
METRICS = ("connect", "eos_to_first_sound", "ttfa_model", "tool_wall")
EARS = re.compile(r"onnxruntime|ctranslate2|whisper", re.IGNORECASE)
WANTED = {"without": 150, "with": 600, "first sound": 1500}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.talk", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each of the three questions is asked")
    options = parser.parse_args()
    waits: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="opencto-talk-") as name:
        folder = Path(name)
        environ = {"OPENCTO_DATA_DIR": str(folder / "data"), "OPENCTO_LOG_FORMAT": "json"}
        for number, question in enumerate(QUESTIONS):
            _write(folder / f"{number}.wav", asyncio.run(_spoken(question)))
        with running("opencto", "/health", environ, folder / "up.log") as server:
            _ask(environ, ["--text"], typed="Good morning\nHow much did we spend last week?\n")
            silent, has_ears = server.pss_mb(), _has_ears(server)
            for _ in range(options.rounds):
                for number in range(len(QUESTIONS)):
                    answer = str(folder / "answer.wav")
                    found = _ask(environ, ["--in", str(folder / f"{number}.wav"), "--out", answer])
                    for metric in METRICS:
                        if told := found["latency"].get(metric):
                            waits[metric].append(told["p50"])
            heard = server.pss_mb()
    print(f"{'milliseconds':<22}{'times':>7}{'p50':>8}{'worst':>8}")
    for metric, values in waits.items():
        print(f"{metric:<22}{len(values):>7}{statistics.median(values):>8.0f}{max(values):>8.0f}")
    print(
        f"first sound wanted under {WANTED['first sound']} ms on an idle machine; load now {os.getloadavg()[0]:.1f}\n"
    )
    if has_ears:
        print("The ears were loaded before anybody spoke: the first figure is not one without `local`.")
    print(f"{'PSS in MB':<36}{'is':>7}{'wanted':>8}")
    print(f"{'server, text alone, no ears loaded':<36}{silent:>7.0f}{WANTED['without']:>8}")
    print(f"{'server, after it has heard':<36}{heard:>7.0f}{WANTED['with']:>8}")
    return 0


async def _spoken(text: str) -> bytes:
    return b"".join([piece.pcm async for piece in Pico().speak(text, voice="marin")])


def _write(path: Path, pcm: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24000)
        file.writeframes(pcm)


def _ask(environ: dict[str, str], arguments: list[str], typed: str | None = None) -> dict[str, Any]:
    """One conversation, as its own program tells it. Raises where it failed."""
    command = [str(Path(sys.executable).with_name("opencto")), "talk", "--json", *arguments]
    done = subprocess.run(
        pinned(0, command), env={**os.environ, **environ}, input=typed, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def _has_ears(server: Running) -> bool:
    """Whether a library that hears is mapped into the server."""
    return bool(EARS.search(Path(f"/proc/{server.process.pid}/maps").read_text()))


if __name__ == "__main__":
    sys.exit(main())
