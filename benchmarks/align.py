"""`python -m benchmarks.align`: where the words of the recorded people begin and end, for `recordings.SPOKEN_MS`.

Forced alignment by PocketSphinx 5 (`pip install pocketsphinx`; no part of OpenCTO): it knows the words and looks for their
sounds. Each recording is put between pieces of its own quietest tenth of a second, so that silence can be found at its edges;
where that is differs a little with the length of the pieces, and the median of five is taken.
"""

import re
import statistics
import sys
import tempfile
import wave
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.recordings import fetched, spoken_lines

_RATE = 16_000
_TENTH = _RATE // 10
_PADDING = (2, 3, 4, 5, 7)
"""Tenths of a second."""
_NO_WORDS = re.compile(r"<.*>|\[.*\]")


def main() -> int:
    pocketsphinx: Any = import_module("pocketsphinx")
    with tempfile.TemporaryDirectory() as folder:
        root = fetched(Path(folder))
        if root is None:
            return 1
        for _, words, path in spoken_lines(root):
            with wave.open(str(path)) as file:
                sound: NDArray[np.int16] = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
            found = [_aligned(pocketsphinx, words, sound, tenths) for tenths in _PADDING]
            begin, end = (statistics.median_low(one[side] for one in found) for side in (0, 1))
            print(f'    "{path.stem.rpartition("-")[2]}": ({begin}, {end}),  # of {found}')
    return 0


def _aligned(pocketsphinx: Any, words: str, sound: NDArray[np.int16], tenths: int) -> tuple[int, int]:
    energy = np.convolve(np.square(sound.astype(np.float64)), np.ones(_TENTH), "valid")
    quiet = sound[(at := int(energy.argmin())) : at + _TENTH]
    room = np.concatenate([quiet, quiet[::-1]] * tenths)[: tenths * _TENTH]
    decoder = pocketsphinx.Decoder(lm=None, loglevel="FATAL")
    decoder.set_align_text(words)
    decoder.start_utt()
    decoder.process_raw(np.concatenate([room, sound, room]).tobytes(), full_utt=True)
    decoder.end_utt()
    heard = [one for one in decoder.seg() if not _NO_WORDS.fullmatch(one.word)]
    return heard[0].start_frame * 10 - tenths * 100, (heard[-1].end_frame + 1) * 10 - tenths * 100


if __name__ == "__main__":
    sys.exit(main())
