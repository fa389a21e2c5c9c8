"""Another rate for sound that never ends: what came before is remembered, so that no click stands between two blocks."""

from typing import Any


class StreamRate:
    """With soxr, which comes with the extra `audio` like the devices that need it."""

    def __init__(self, rate: int, wanted: int) -> None:
        import numpy
        import soxr

        self._numpy: Any = numpy
        self._stream: Any = soxr.ResampleStream(rate, wanted, 1, dtype="int16", quality="HQ")

    def push(self, pcm: bytes) -> bytes:
        """The next block; what it becomes comes some milliseconds later."""
        samples = self._numpy.frombuffer(pcm, dtype="<i2")
        return self._stream.resample_chunk(samples).astype("<i2").tobytes()
