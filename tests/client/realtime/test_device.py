"""Microphone and speaker for real: through PortAudio into a PulseAudio of the test's own, and recorded from its monitor."""

import json
import math
import os
import subprocess
import sys
import wave
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from client.realtime.pulse import RATE, sound_system
from client.realtime.sound_card import LOWEST_HERTZ
from client.realtime.test_voice import tone
from opencto.client.realtime.audio.device import DeviceError, devices
from opencto.client.realtime.audio.player import FADE_MS

TESTS = Path(__file__).parents[2]
WINDOW_MS = 16


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with sound_system(tmp_path_factory.mktemp("sound")) as found:
        yield {**os.environ, **found, "PYTHONPATH": str(TESTS)}


def loud_milliseconds(pcm: bytes) -> tuple[float, float, float]:
    """Where the recording becomes loud, where it ends to be, and how much in between is silence (that a tone has not)."""
    samples = array("h", pcm[: len(pcm) & ~1])
    loud = [place for place, sample in enumerate(samples) if abs(sample) > 200]
    gaps = sum(two - one for one, two in pairwise(loud) if two - one > 5 * RATE // 1000)
    return loud[0] * 1000 / RATE, loud[-1] * 1000 / RATE, gaps * 1000 / RATE


def last_place(pcm: bytes) -> float:
    """Milliseconds into the answer of the last sound in the recording, by its pitch: whatever is lost before it, this holds."""
    samples = np.frombuffer(pcm[: len(pcm) & ~1], "<i2").astype(np.float64)
    end = int(np.flatnonzero(np.abs(samples) > 1000)[-1]) + 1
    window = samples[end - WINDOW_MS * RATE // 1000 : end]
    spectrum = np.abs(np.fft.rfft(window * np.hanning(window.size), RATE))  # a bin for each hertz
    return float(np.argmax(spectrum)) - LOWEST_HERTZ + WINDOW_MS / 2


@dataclass(frozen=True)
class Bounds:
    """Milliseconds. A sound system that must wait for a processor tells of its own delay too late."""

    truncated: int
    given: int
    held: int


SHARED, ALONE = Bounds(150, 100, 100), Bounds(60, 20, 50)
"""Beside the other tests of a run, and where nothing else is to be done (`make bench`): what is promised."""


@pytest.mark.parametrize(
    "bounds", [pytest.param(SHARED, id="shared"), pytest.param(ALONE, id="alone", marks=pytest.mark.measured)]
)
@pytest.mark.parametrize("pace", ["even", "dry"])
def test_a_sound_card_is_heard_cut_and_spoken_into(
    sound: dict[str, str], tmp_path: Path, pace: str, bounds: Bounds
) -> None:
    """`dry`: the answer comes too late again and again, and the speaker has nothing to say for a while."""
    with ExitStack() as stack:
        recorded = stack.enter_context((tmp_path / "heard.raw").open("w+b"))
        recorder = subprocess.Popen(
            [
                "parec",
                "--device=speaker.monitor",
                f"--rate={RATE}",
                "--channels=1",
                "--format=s16le",
                "--latency-msec=20",
            ],
            env=sound,
            stdout=recorded,
        )
        stack.callback(recorder.wait, 10)
        stack.callback(recorder.terminate)
        card = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "client.realtime.sound_card", pace], env=sound, stdout=subprocess.PIPE, text=True
            )
        )
        stack.callback(card.kill)
        assert card.stdout is not None
        cut = json.loads(card.stdout.readline())
        with wave.open(str(tmp_path / "said.wav"), "wb") as said:
            said.setnchannels(1)
            said.setsampwidth(2)
            said.setframerate(24000)
            said.writeframes(tone(1500, hertz=620))
        subprocess.run(["paplay", "--device=microphone", str(tmp_path / "said.wav")], env=sound, check=True, timeout=20)
        heard = json.loads(card.stdout.readline())
        assert card.wait(20) == 0
        recorder.terminate()
        recorder.wait(10)
        recorded.seek(0)
        sink = recorded.read()
    begun, ended, silent = loud_milliseconds(sink)

    assert (cut["underruns"] >= 3) == (pace == "dry")
    assert cut["event"] == "cut"
    assert abs(cut["truncated_ms"] - last_place(sink)) <= bounds.truncated, "the server is told what was heard"
    # Where the card ran dry it put silence between, which nobody gave it.
    assert ended - begun - silent - cut["given_ms"] <= bounds.given, (
        "nothing is given to the speaker any more, but a fade"
    )
    assert cut["delay_ms"] + FADE_MS <= bounds.held, "and what it still holds is short"
    assert math.isclose(heard["hertz"], 620, rel_tol=0.03)


def test_devices_are_named_or_their_absence_is_a_sentence() -> None:
    try:
        found = devices()
    except DeviceError as error:
        assert "PortAudio" in str(error)  # noqa: PT017 - both are right, by the machine
    else:
        assert all(one.kinds for one in found)
