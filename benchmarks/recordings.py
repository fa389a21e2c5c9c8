"""What the ears are measured on: sentences that people said, and questions in four synthetic voices; each with where it is spoken.

People are ten recordings of Debian's package pocketsphinx-testdata (cards and LibriVox), fetched with `apt-get download`, its
hash pinned, kept nowhere. A synthetic voice is silent outside of its words, so there the edge of the sound is the truth. A
recording of people has a room in it, whose noise is as loud as a soft consonant: where its words begin and end is what
`benchmarks.align` found, a recogniser that has nothing to do with the ears of the sandbox.
"""

import asyncio
import hashlib
import re
import shutil
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import soxr
from numpy.typing import NDArray

from opencto.sandbox.ports import SAMPLE_RATE
from opencto.sandbox.speech.pico import Pico

Samples = NDArray[np.float32]
PACKAGE = "pocketsphinx-testdata"
SHA256 = "eaeb7a01d54f20b799d1a81ef110ec544b2cb47ea006614078220737a33019f0"
SPOKEN_MS = {
    "001": (100, 950),
    "002": (60, 1720),
    "003": (60, 1270),
    "004": (180, 1250),
    "005": (190, 3260),
    "0870": (200, 6790),
    "0880": (210, 2790),
    "0890": (270, 5090),
    "0920": (220, 5830),
    "0930": (210, 3030),
}
"""The first and the last moment of the words in each recording of people, in ms: `python -m benchmarks.align`."""
QUESTIONS = (
    "What did we spend last week?",
    "Which models do we have?",
    "Is anything broken right now?",
    "Show me the open incidents.",
    "Please roll back the last release.",
    "How many requests failed yesterday?",
    "Remember that the database moves on Friday.",
    "Who approved the deployment this morning?",
)
VOICES = ("pico", "espeak-ng", "flite slt", "flite rms")


@dataclass(frozen=True)
class Sentence:
    source: str
    words: str
    sound: Samples
    """24 kHz, without silence before and after."""
    whole: Samples
    """With the room around it; a tenth of a second of silence for a synthetic voice."""
    begin_ms: int
    """Where in `whole` the first word begins."""
    end_ms: int


def people() -> list[Sentence]:
    """What people said. Empty, and said so, where Debian's package is not to be had."""
    with tempfile.TemporaryDirectory() as folder:
        root = fetched(Path(folder))
        if root is None:
            print("no people were heard")
            return []
        found: list[Sentence] = []
        for name, words, path in spoken_lines(root):
            whole = _loud(_read(path))
            begin_ms, end_ms = SPOKEN_MS[path.stem.rpartition("-")[2]]
            found.append(Sentence(f"people {name[:5]}", words, _loud(_trimmed(whole)), whole, begin_ms, end_ms))
        return found


def fetched(folder: Path) -> Path | None:
    """Where the recordings lie, in the folder; None, and said why, where Debian's package is not to be had."""
    try:
        subprocess.run(["apt-get", "download", "-q", PACKAGE], cwd=folder, check=True, capture_output=True)
        [deb] = folder.glob("*.deb")
    except (OSError, subprocess.CalledProcessError, ValueError):
        print(f"{PACKAGE} cannot be fetched (apt-get update; apt-get download {PACKAGE})")
        return None
    if hashlib.sha256(deb.read_bytes()).hexdigest() != SHA256:
        print(f"{deb.name} is not the package that was measured")
        return None
    subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
    return folder / "usr" / "share" / "pocketsphinx" / "test" / "data"


def spoken_lines(root: Path) -> list[tuple[str, str, Path]]:
    """The collection, the words and the file of each recording."""
    return [
        (name, match[1], root / name / f"{match[2]}.wav")
        for name, file in (("cards", "cards.transcription"), ("librivox", "transcription"))
        for line in (root / name / file).read_text("utf-8").splitlines()
        if (match := re.fullmatch(r"<s> (.*?)\s*</s> \((.*)\)", line.strip()))
    ]


def synthetic() -> list[Sentence]:
    found: list[Sentence] = []
    for voice in VOICES:
        program = voice.split()[0]
        if program != "pico" and shutil.which(program) is None:
            print(f"{program} is not installed (apt-get install {program}): its voice is left out")
            continue
        for text in QUESTIONS:
            sound = _loud(_trimmed(_said(voice, text)))
            silence = np.zeros(SAMPLE_RATE // 10, np.float32)
            whole = np.concatenate([silence, sound, silence])
            found.append(Sentence(voice, text, sound, whole, 100, 100 + len(sound) * 1000 // SAMPLE_RATE))
    return found


def _said(voice: str, text: str) -> Samples:
    if voice == "pico":
        return _floats(asyncio.run(_pico(text)), SAMPLE_RATE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        program, *name = voice.split()
        command = (
            [program, "-w", path, text]
            if program == "espeak-ng"
            else [program, "-voice", *name, "-t", text, "-o", path]
        )
        subprocess.run(command, check=True, capture_output=True)
        return _read(path)


async def _pico(text: str) -> bytes:
    return b"".join([piece.pcm async for piece in Pico().speak(text, voice="marin")])


def _read(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        return _floats(file.readframes(file.getnframes()), file.getframerate())


def _floats(pcm: bytes, rate: int) -> Samples:
    samples: Samples = (np.frombuffer(pcm, dtype="<i2") / 32768).astype(np.float32)
    return cast("Samples", soxr.resample(samples, rate, SAMPLE_RATE)) if rate != SAMPLE_RATE else samples


def _trimmed(samples: Samples) -> Samples:
    """From the first to the last hundredth of a second that is within 35 dB of the loudest one."""
    size = SAMPLE_RATE // 100
    energy = np.square(samples[: len(samples) // size * size]).reshape(-1, size).mean(axis=1)
    loud = np.flatnonzero(energy > energy.max() * 10**-3.5)
    return samples[loud[0] * size : (loud[-1] + 1) * size]


def _loud(samples: Samples) -> Samples:
    """As loud as any other."""
    return (samples * (0.5 / np.abs(samples).max())).astype(np.float32)


def noise(sound: Samples, level: float, seed: int) -> Samples:
    return (sound + np.random.default_rng(seed).normal(0, level, len(sound))).astype(np.float32)


def pcm(samples: Samples) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def room(samples: Samples, length: int) -> Samples:
    """The quietest tenth of a second, to and fro, for as long: what is heard there while nobody speaks."""
    tenth = SAMPLE_RATE // 10
    energy = np.convolve(np.square(samples.astype(np.float64)), np.ones(tenth), "valid")
    quiet = samples[(at := int(energy.argmin())) : at + tenth]
    return np.resize(np.concatenate([quiet, quiet[::-1]]), length)
