"""Which microphone and which speaker a conversation gets: devices, or files in their place."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opencto.cli.output import line, print_json, table
from opencto.cli.talk_plan import Plan

if TYPE_CHECKING:
    from opencto.client.realtime.audio.base import AudioSink, AudioSource
    from opencto.client.realtime.audio.wav import WavSource


@dataclass(frozen=True)
class Sound:
    """`file` is the source where a file speaks. Neither in a written conversation."""

    source: "AudioSource | None" = None
    sink: "AudioSink | None" = None
    file: "WavSource | None" = None


def sound_for(plan: Plan) -> Sound:
    """Opens what was asked for. Raises StartError with a sentence where it cannot be had."""
    if plan.is_written:
        return Sound()
    from opencto.client.realtime.audio.wav import WavError, WavSink, WavSource, read_wav
    from opencto.core.errors import StartError

    file: WavSource | None = None
    if plan.said is not None:
        try:
            file = WavSource(read_wav(plan.said), lead_ms=300)
        except WavError as error:
            raise StartError(str(error)) from None
    sink: AudioSink | None = WavSink(plan.heard) if plan.heard else None
    if file is not None and sink is not None:
        return Sound(file, sink, file)
    from opencto.client.realtime.audio.device import DeviceError, Microphone, Speaker

    try:
        # The microphone first: it listens while the conversation is still being connected.
        source: AudioSource = file or Microphone.opened(plan.microphone)
        return Sound(source, sink or Speaker.opened(plan.speaker), file)
    except DeviceError as error:
        raise StartError(f"{error} Or write: `opencto talk --text`.") from None


def list_devices(*, as_json: bool) -> None:
    """Every microphone and speaker that PortAudio knows."""
    from opencto.client.realtime.audio.device import DeviceError, devices
    from opencto.core.errors import StartError

    try:
        found = devices()
    except DeviceError as error:
        raise StartError(str(error)) from None
    if as_json:
        print_json({"data": [one.as_json() for one in found]})
        return
    if not found:
        line("There is no microphone and no speaker here.")
        return
    rows = [(one.number, one.name, one.kinds, "default" if one.is_default else "") for one in found]
    table(("No.", "Name", "For", ""), rows, right=("No.",))
