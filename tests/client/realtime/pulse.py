"""A PulseAudio of the test's own: a speaker that nobody hears and a microphone that nobody speaks into."""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

RATE = 48_000
_READY = "until pactl info >/dev/null 2>&1; do sleep 0.1; done; pactl set-default-source voice; pactl set-default-sink speaker"


@contextmanager
def sound_system(folder: Path) -> Generator[dict[str, str]]:
    """The variables with which a program finds the two as `default`. What is played into `microphone` is what it hears."""
    socket = folder / "native"
    (folder / ".asoundrc").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
    found = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PULSE_RUNTIME_PATH": str(folder)}
    found |= {"PULSE_SERVER": f"unix:{socket}", "PULSE_COOKIE": str(folder / "cookie")}
    assert shutil.which("pulseaudio"), "scripts/services installs it"
    modules = (
        f"module-native-protocol-unix socket={socket} auth-anonymous=1",
        f"module-null-sink sink_name=speaker rate={RATE}",
        f"module-null-sink sink_name=microphone rate={RATE}",
        "module-remap-source source_name=voice master=microphone.monitor",
    )
    command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm"]
    command += ["--log-target=file:" + str(folder / "log")]
    for module in modules:
        command += ["-L", module]
    environ = {**os.environ, **found}
    server = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        subprocess.run(["sh", "-c", _READY], env=environ, check=True, timeout=20)
        yield found
    finally:
        server.terminate()
        server.wait(10)
