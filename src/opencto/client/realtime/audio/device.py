"""Microphone and speaker of this machine, through PortAudio (extra `audio`).

Their callbacks run in a thread of PortAudio's own: they copy a block and are done. What was heard is reckoned from what was
given, less what the device still holds, and never more than time has passed.
"""

import asyncio
import ctypes
import functools
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Self

from opencto.client.realtime.audio.base import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, RATE, Heard
from opencto.client.realtime.audio.player import FADE_MS, Player
from opencto.client.realtime.audio.stream_rate import StreamRate

FRAMES = RATE * FRAME_MS // 1000
MOST_WAIT_MS = 100.0
MOST_HELD_MS = 60.0
"""More than this beyond its usual delay, and a device is cleared when an answer is stopped."""
KEPT_FRAMES = 3_000
"""One minute of microphone that nobody has fetched yet, while the conversation is being connected."""


class DeviceError(Exception):
    """No such device, none at all, or none that may be used; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Device:
    number: int
    name: str
    inputs: int
    outputs: int
    is_default: bool

    @property
    def kinds(self) -> str:
        return " and ".join(word for word, has in (("microphone", self.inputs), ("speaker", self.outputs)) if has)

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "name": self.name,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "isDefault": self.is_default,
        }


def _portaudio() -> Any:
    """`sounddevice`. Raises DeviceError without its library, ModuleNotFoundError without the extra."""
    try:
        import sounddevice
    except OSError:
        raise DeviceError(
            "PortAudio is missing on this machine. Install it (Debian: `apt install libportaudio2`)."
        ) from None
    _silence_alsa()
    return sounddevice


@functools.cache
def _silence_alsa() -> Callable[..., None] | None:
    """ALSA writes each underrun on standard error, in the middle of what stands on the screen. It is counted here anyhow
    (`Player.underruns`). Kept for the life of the process, because ALSA keeps the address. None where there is no ALSA."""
    if sys.platform != "linux":
        return None
    text, number = ctypes.c_char_p, ctypes.c_int
    handler = ctypes.CFUNCTYPE(None, text, number, text, number, text)(lambda *_: None)
    try:
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(handler)
    except (OSError, AttributeError):
        return None
    return handler


def devices() -> list[Device]:
    """All that can hear or speak. Raises DeviceError."""
    library = _portaudio()
    default = set(library.default.device)
    return [
        Device(
            int(one["index"]),
            str(one["name"]),
            int(one["max_input_channels"]),
            int(one["max_output_channels"]),
            int(one["index"]) in default,
        )
        for one in library.query_devices()
        if one["max_input_channels"] or one["max_output_channels"]
    ]


def _chosen(wanted: str | None, *, is_input: bool) -> int | None:
    """The number of a device; None is the machine's default. Raises DeviceError."""
    word = "microphone" if is_input else "speaker"
    fitting = [one for one in devices() if (one.inputs if is_input else one.outputs)]
    if not fitting:
        raise DeviceError(f"There is no {word} on this machine.")
    if wanted is None:
        return None
    for one in fitting:
        if wanted == str(one.number) or wanted.lower() in one.name.lower():
            return one.number
    raise DeviceError(f'There is no {word} "{wanted}". `opencto talk --devices` lists them.')


def _opened(make: Callable[[int], Any], device: int | None, *, is_input: bool) -> tuple[Any, int]:
    """A stream that runs, at our rate or else at the device's own. Raises DeviceError."""
    library = _portaudio()
    try:
        own = int(library.query_devices(device, "input" if is_input else "output")["default_samplerate"])
    except (ValueError, library.PortAudioError):
        own = RATE
    failure: Exception | None = None
    for rate in dict.fromkeys((RATE, own)):
        try:
            stream = make(rate)
            stream.start()
        except library.PortAudioError as error:
            failure = error
        else:
            return stream, rate
    word = "microphone" if is_input else "speaker"
    raise DeviceError(
        f"The {word} cannot be opened ({failure}). Another program may hold it, or this one may not use it: check the "
        "system's sound and privacy settings."
    )


class Microphone:
    """Made by `opened`; hears from then on."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque(maxlen=KEPT_FRAMES)
        self._news: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stream: Any = None
        self._rate: StreamRate | None = None
        self._rest = b""
        self._is_closed = False
        self.overflows = 0

    @classmethod
    def opened(cls, wanted: str | None = None) -> Self:
        """`wanted`: a number or a part of the name. Raises DeviceError."""
        library, device, made = _portaudio(), _chosen(wanted, is_input=True), cls()

        def make(rate: int) -> Any:
            return library.RawInputStream(
                samplerate=rate,
                blocksize=rate * FRAME_MS // 1000,
                device=device,
                channels=1,
                dtype="int16",
                latency="low",
                callback=made.heard,
            )

        made._stream, rate = _opened(make, device, is_input=True)
        made._rate = None if rate == RATE else StreamRate(rate, RATE)
        return made

    def heard(self, block: Any, _count: int, _times: Any, status: Any) -> None:
        """Called by PortAudio."""
        if status and status.input_overflow:
            self.overflows += 1
        self._frames.append(bytes(block))
        if self._loop is not None and self._news is not None and not self._is_closed:
            self._loop.call_soon_threadsafe(self._news.set)

    async def frames(self) -> AsyncIterator[bytes]:
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        while not self._is_closed:
            while self._frames:
                block = self._frames.popleft()
                self._rest += block if self._rate is None else self._rate.push(block)
                while len(self._rest) >= FRAME_BYTES:
                    yield self._rest[:FRAME_BYTES]
                    self._rest = self._rest[FRAME_BYTES:]
            await self._news.wait()
            self._news.clear()

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._stream.abort()
        self._stream.close()
        if self._loop is not None and self._news is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)


class Speaker:
    """Made by `opened`; plays silence until there is something to say.

    Some systems take seconds of sound and say that they hold milliseconds. So what is held is reckoned by time: since the
    stream began, no more can have been heard than time has passed, and what was handed over beyond that is not heard yet.
    """

    def __init__(self) -> None:
        self._player = Player(time.monotonic)
        self._stream: Any = None
        self._rate: StreamRate | None = None
        self._rest = b""
        self._handed_ms = 0.0
        self._zero = 0.0
        """When the first sample of the stream was heard, as far as is known."""
        self._blocks: deque[tuple[float, str, str]] = deque(maxlen=500)
        """The last blocks with sound: where each ends in what was handed over, and whose it is."""
        self._is_closed = False

    @classmethod
    def opened(cls, wanted: str | None = None) -> Self:
        """`wanted`: a number or a part of the name. Raises DeviceError."""
        library, device, made = _portaudio(), _chosen(wanted, is_input=False), cls()

        def make(rate: int) -> Any:
            made._rate = None if rate == RATE else StreamRate(RATE, rate)
            return library.RawOutputStream(
                samplerate=rate,
                blocksize=rate * FRAME_MS // 1000,
                device=device,
                channels=1,
                dtype="int16",
                latency="low",
                callback=made.wanted,
            )

        made._zero = time.monotonic()
        made._stream, _ = _opened(make, device, is_input=False)
        # What the device holds back. PortAudio's own time stamps are 0 or unsteady on some systems; this is steady.
        made._player.delay_ms = float(made._stream.latency) * 1000
        return made

    def wanted(self, block: Any, _count: int, _times: Any, _status: Any) -> None:
        """Called by PortAudio."""
        size, now = len(block), time.monotonic()
        if self._handed_ms < (now - self._zero) * 1000:
            self._zero = now - self._handed_ms / 1000  # it had nothing for a while: its clock stood still
        ahead_ms = self.held_ms - self.delay_ms - FRAME_MS
        if ahead_ms > 0:
            # Some systems ask for seconds in advance, which nobody could stop any more. They are kept to the pace of time.
            time.sleep(min(ahead_ms, MOST_WAIT_MS) / 1000)
        playing = self._player.playing
        if self._rate is None:
            block[:] = self._player.read(size)
            self._handed_ms += size / BYTES_PER_MS
        else:
            while len(self._rest) < size:
                self._rest += self._rate.push(self._player.read(FRAME_BYTES))
                self._handed_ms += FRAME_MS
            block[:] = self._rest[:size]
            self._rest = self._rest[size:]
        if playing is not None:
            self._blocks.append((self._handed_ms, *playing))

    def push(self, item_id: str, response_id: str, pcm: bytes) -> None:
        self._player.push(item_id, response_id, pcm)

    def end(self, item_id: str) -> None:
        self._player.end(item_id)

    @property
    def underruns(self) -> int:
        """How often an answer came too late, so that silence stood between."""
        return self._player.underruns

    @property
    def held_ms(self) -> float:
        """Handed over and not heard yet."""
        return max(0.0, self._handed_ms - (time.monotonic() - self._zero) * 1000)

    def flush(self) -> list[Heard]:
        """What the device holds is heard to its end where that is short; else it is thrown away, and counts as unheard."""
        stopped = {one.item_id: one for one in self._player.flush()}
        if self.held_ms > self.delay_ms + MOST_HELD_MS:
            for item_id, response_id in {(item, response) for _, item, response in self._blocks}:
                unheard = self._unheard_ms(item_id)
                if unheard:
                    given = self._player.given_ms(item_id)
                    stopped[item_id] = Heard(item_id, response_id, max(0.0, given - unheard))
            self._stream.abort()
            self._handed_ms, self._zero = 0.0, time.monotonic()
            self._stream.start()
        self._blocks.clear()
        return list(stopped.values())

    def _unheard_ms(self, item_id: str) -> float:
        heard = self._handed_ms - self.held_ms
        return sum(min(FRAME_MS, end - heard) for end, item, _ in list(self._blocks) if item == item_id and end > heard)

    def heard_ms(self, item_id: str) -> float:
        """What was given less what is not heard yet."""
        return max(0.0, self._player.given_ms(item_id) - self._unheard_ms(item_id))

    def given_ms(self, item_id: str) -> float:
        """How much was handed to the device, heard or not."""
        return self._player.given_ms(item_id)

    @property
    def delay_ms(self) -> float:
        """How much the device holds back."""
        return self._player.delay_ms

    def first_sounds(self) -> list[tuple[str, float]]:
        return self._player.first_sounds()

    @property
    def is_playing(self) -> bool:
        if not self._player.is_empty:
            return True
        return bool(self._blocks) and self._blocks[-1][0] > self._handed_ms - self.held_ms

    @property
    def stop_ms(self) -> float:
        return FADE_MS + self._player.delay_ms

    async def drained(self) -> None:
        while self.is_playing:  # noqa: ASYNC110 - it is emptied by another thread, which sets no events
            await asyncio.sleep(FRAME_MS / 1000)
        await asyncio.sleep(self._player.delay_ms / 1000)

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._stream.abort()
        self._stream.close()
