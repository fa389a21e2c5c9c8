"""The sound that a client sends, until it is committed. Inside it is PCM16 at 24 kHz, whatever it came as."""

import base64
import binascii
from collections.abc import Callable

from opencto.sandbox.errors import bad_request, invalid_value
from opencto.sandbox.ports import BYTES_PER_MS
from opencto.sandbox.realtime import g711
from opencto.sandbox.session import Format, Pcm

MIN_COMMIT_MS = 100
MAX_BUFFER_BYTES = 32 * 1024 * 1024
"""More than ten minutes. Nobody speaks for as long in one turn, and a client that never commits must not fill the memory."""

Codec = Callable[[bytes], bytes]


def decoder(audio_format: Format) -> Codec:
    """From the format to PCM. One for each stream: it remembers what came before."""
    return bytes if isinstance(audio_format, Pcm) else g711.Decoder(audio_format.type)


def encoder(audio_format: Format) -> Codec:
    """From PCM to the format."""
    return bytes if isinstance(audio_format, Pcm) else g711.Encoder(audio_format.type)


def decode(audio: str, audio_format: Format, param: str) -> bytes:
    """Sound out of base64, in whole samples, still in its format. Raises ApiError."""
    try:
        sound = base64.b64decode(audio, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid_value(param, f"Invalid '{param}': expected base64-encoded audio bytes.") from error
    if isinstance(audio_format, Pcm) and len(sound) % 2:
        raise invalid_value(param, f"Invalid '{param}': 16-bit samples need an even number of bytes.")
    return sound


class InputBuffer:
    """Appended sound in its order, on the clock of all samples that ever came in."""

    def __init__(self) -> None:
        self._sound = bytearray()
        self._begin = 0  # bytes that came before those that are kept

    @property
    def end_ms(self) -> int:
        return (self._begin + len(self._sound)) // BYTES_PER_MS

    def append(self, pcm: bytes) -> None:
        """Raises ApiError when the buffer is full."""
        if len(self._sound) + len(pcm) > MAX_BUFFER_BYTES:
            raise bad_request(
                f"The local sandbox keeps at most {MAX_BUFFER_BYTES // BYTES_PER_MS // 1000} seconds of sound in the input audio buffer. Commit or clear it.",
                param="audio",
                code="input_audio_buffer_full",
            )
        self._sound += pcm

    def take(self) -> bytes:
        """What there is, leaving nothing. Raises ApiError when that is less than 100 ms."""
        if len(self._sound) < MIN_COMMIT_MS * BYTES_PER_MS:
            raise bad_request(
                f"Error committing input audio buffer: buffer too small. Expected at least {MIN_COMMIT_MS}ms of audio, but buffer only has {len(self._sound) / BYTES_PER_MS:.2f}ms of audio.",
                code="input_audio_buffer_commit_empty",
            )
        sound = bytes(self._sound)
        self.clear()
        return sound

    def cut(self, start_ms: int, end_ms: int) -> bytes:
        """The sound between the two, and nothing before `end_ms` stays."""
        self.forget_before(start_ms)
        sound = bytes(self._sound[: max(0, end_ms * BYTES_PER_MS - self._begin)])
        self.forget_before(end_ms)
        return sound

    def since(self, start_ms: int) -> bytes:
        return bytes(self._sound[max(0, start_ms * BYTES_PER_MS - self._begin) :])

    def forget_before(self, moment_ms: int) -> None:
        surplus = min(moment_ms * BYTES_PER_MS - self._begin, len(self._sound))
        if surplus > 0:
            del self._sound[:surplus]
            self._begin += surplus

    def clear(self) -> None:
        self._begin += len(self._sound)
        self._sound.clear()
