"""`python -m benchmarks.hearing`: how well the sandbox's own ears hear, and how exactly they find where somebody speaks.

Words: the word error rate on what people said and on questions in four synthetic voices (`recordings.py`), clean, with white
noise, at 0.9 of the speed, and played backwards, where nothing may be understood: who finds the words there has looked them
up. Activity: `activity.py`. Needs the extra `local`; a voice that is not installed is named and left out (Debian: espeak-ng,
flite).
"""

import argparse
import asyncio
import re
import sys
from typing import cast

import numpy as np
import soxr

from benchmarks.activity import report
from benchmarks.recordings import Samples, Sentence, noise, pcm, people, synthetic
from opencto.sandbox.hearing.whisper import Whisper

BACKWARDS = "backwards"
_NUMBERS = dict(
    zip(
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"],
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
        strict=True,
    )
)
_SAME = {"mr": "mister", "ok": "okay"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snr", type=float, nargs="*", default=[10.0], help="decibels of speech over noise")
    parser.add_argument("--only", choices=["words", "activity"])
    parser.add_argument("--each", action="store_true", help="print where each sentence was found")
    options = parser.parse_args()
    sentences = [*people(), *synthetic()]
    if options.only != "activity":
        asyncio.run(_words(sentences, options.snr))
    if options.only != "words":
        asyncio.run(report(sentences, is_long=options.each))
    return 0


async def _words(sentences: list[Sentence], snrs: list[float]) -> None:
    ways = ["clean", *(f"{snr:g} dB" for snr in snrs), "0.9x", BACKWARDS]
    print(
        f"\nword error rate, % of words (wrong, missing and surplus ones)\n\n{'':14}{'words':>6}"
        + "".join(f"{way:>11}" for way in ways)
    )
    whisper = Whisper()
    for source in dict.fromkeys(one.source for one in sentences):
        own = [one for one in sentences if one.source == source]
        rates: list[float] = []
        for way in ways:
            wrong = 0
            for index, one in enumerate(own):
                sound = pcm(_changed(one.sound, way, index))
                wrong += errors(one.words, (await whisper.transcribe(sound, is_final=True)).text)
            rates.append(100 * wrong / sum(len(plain(one.words)) for one in own))
        count = sum(len(plain(one.words)) for one in own)
        print(f"{source:14}{count:>6}" + "".join(f"{rate:>11.1f}" for rate in rates), flush=True)


def _changed(sound: Samples, way: str, seed: int) -> Samples:
    if way == BACKWARDS:
        return sound[::-1]
    if way == "0.9x":
        return cast("Samples", soxr.resample(sound, 9, 10))  # a tape that runs slow: the pitch sinks too
    if way.endswith("dB"):
        level = float(np.sqrt(np.square(sound).mean())) / 10 ** (float(way.split(maxsplit=1)[0]) / 20)
        return noise(sound, level, seed)
    return sound


def plain(text: str) -> list[str]:
    """The words that count, whatever their commas and figures."""
    words = re.findall(r"[a-z0-9']+", text.lower().replace("-", " "))
    return [_SAME.get(word) or _NUMBERS.get(word) or word for word in words]


def errors(wanted: str, heard: str) -> int:
    """How many words must be put in, taken out or changed (Levenshtein)."""
    left, right = plain(wanted), plain(heard)
    row = list(range(len(right) + 1))
    for index, word in enumerate(left, 1):
        before, row = row, [index]
        for at, other in enumerate(right, 1):
            row.append(min(before[at] + 1, row[at - 1] + 1, before[at - 1] + (word != other)))
    return row[-1]


if __name__ == "__main__":
    sys.exit(main())
