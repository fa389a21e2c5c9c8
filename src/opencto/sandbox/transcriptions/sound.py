"""Sound files: what of them can be read honestly with the standard library, which is WAV with plain samples."""

import io
import wave

import numpy as np

from opencto.sandbox.errors import ApiError, bad_request
from opencto.sandbox.ports import BYTES_PER_MS, SAMPLE_RATE

_WIDTHS = (1, 2, 3, 4)
_MOST_CHANNELS = 8
_MOST_SECONDS = 600


def pcm_of(file: bytes) -> bytes:
    """The samples as PCM16 mono of 24 kHz. Blocks. Raises ApiError."""
    try:
        with wave.open(io.BytesIO(file)) as sound:
            width, channels, rate = sound.getsampwidth(), sound.getnchannels(), sound.getframerate()
            raw = sound.readframes(sound.getnframes())
    except (wave.Error, EOFError, ValueError) as error:
        raise _unreadable() from error
    if width not in _WIDTHS or not 0 < channels <= _MOST_CHANNELS or not 4_000 <= rate <= 192_000:
        raise _unreadable()
    if len(raw) > _MOST_SECONDS * rate * width * channels:
        raise bad_request(
            f"The local sandbox hears at most {_MOST_SECONDS} seconds of sound in one file. Cut it into pieces.",
            param="file",
            code="audio_too_long",
        )
    return _resampled(_mono(raw, width, channels), rate)


def milliseconds(pcm: bytes) -> int:
    return len(pcm) // BYTES_PER_MS


def _mono(raw: bytes, width: int, channels: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    whole = raw[: len(raw) // (width * channels) * width * channels]
    match width:
        case 1:  # the only width without a sign
            samples = (np.frombuffer(whole, dtype=np.uint8).astype(np.float32) - 128) / 128
        case 2:
            samples = np.frombuffer(whole, dtype="<i2").astype(np.float32) / 2**15
        case 3:
            bytes_ = np.frombuffer(whole, dtype=np.uint8).reshape(-1, 3)
            padded = np.zeros((len(bytes_), 4), dtype=np.uint8)
            padded[:, 1:] = bytes_
            samples = padded.reshape(-1).view("<i4").astype(np.float32) / 2**31
        case _:
            samples = np.frombuffer(whole, dtype="<i4").astype(np.float32) / 2**31
    return samples.reshape(-1, channels).mean(axis=1, dtype=np.float32)


def _resampled(samples: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]", rate: int) -> bytes:
    if rate != SAMPLE_RATE:
        import soxr  # comes with the ears

        samples = soxr.resample(samples, rate, SAMPLE_RATE)
    return np.clip(samples * 32767, -32768, 32767).astype("<i2").tobytes()


def _unreadable() -> ApiError:
    return bad_request(
        "Audio file might be corrupted or unsupported. The local sandbox reads WAV files with PCM samples; add an OpenAI key for other formats.",
        param="file",
        code="invalid_value",
    )
