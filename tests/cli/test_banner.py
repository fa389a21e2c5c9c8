"""What a terminal shows when the server is open: the address for phones, as a code that they read."""

import io
import socket
from pathlib import Path

import pytest

from core.test_qr import printed
from opencto.cli.banner import announce
from opencto.cli.start import Started
from opencto.core import listener
from opencto.core.configuration import load
from opencto.core.migrations import Migrated
from scanning import scanned_modules

HOME = "192.0.2.20"
BLOCKS = "▀▄█ "


class Terminal(io.TextIOWrapper):
    """A screen of 90 columns that keeps what is written."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> str:
        self.seek(0)
        return self.read()


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Opened":
    monkeypatch.setattr(listener, "lan_addresses", lambda: [HOME])
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Opened(tmp_path, monkeypatch)


class Opened:
    """A server that has just been opened, and the terminal in which it says so."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self.monkeypatch = monkeypatch

    def says(self, *, encoding: str = "utf-8", **environ: str) -> str:
        settings = load({"OPENCTO_DATA_DIR": str(self._folder), **environ}).settings
        screen = Terminal(encoding)
        self.monkeypatch.setattr("sys.stdout", screen)
        with socket.socket() as unused:
            announce(Started(settings, unused, None, Migrated(None, "1", None), None, ()))
        return screen.shown


def code_in(shown: str) -> list[str]:
    """The lines of the code, without what stands left of it."""
    lines = [line[12:] for line in shown.splitlines()]
    return [line for line in lines if len(line) > 20 and set(line) <= set(BLOCKS)]


def test_a_server_that_others_reach_shows_its_address_as_a_code(opened: "Opened") -> None:
    opened.monkeypatch.setenv("NO_COLOR", "1")
    shown = opened.says(OPENCTO_HOST="0.0.0.0", OPENCTO_TLS_CERT="x.pem", OPENCTO_TLS_KEY="x.key")
    lit = printed(code_in(shown))
    assert scanned_modules([[not light for light in row] for row in lit]) == f"https://{HOME}:8787"
    assert "Add --tls self-signed" not in shown


def test_with_colours_it_is_black_on_white_whatever_the_terminal_is(opened: "Opened") -> None:
    shown = opened.says(OPENCTO_HOST="0.0.0.0", OPENCTO_PUBLIC_URL="https://cto.example.com")
    assert "\x1b[38;5;16;48;5;231m" in shown
    plain = "\n".join(line.split("\x1b[38;5;16;48;5;231m")[-1].replace("\x1b[0m", "") for line in shown.splitlines())
    rows = printed([line for line in plain.splitlines() if len(line) > 20 and set(line) <= set(BLOCKS)])
    assert scanned_modules(rows) == "https://cto.example.com"


def test_over_http_it_says_what_phones_lack(opened: "Opened") -> None:
    assert "Phones give no microphone to http://. Add --tls self-signed." in opened.says(OPENCTO_HOST="0.0.0.0")


@pytest.mark.parametrize(
    ("environ", "columns", "encoding"),
    [
        pytest.param({}, "90", "utf-8", id="nobody else reaches it"),
        pytest.param({"OPENCTO_HOST": "0.0.0.0"}, "30", "utf-8", id="the terminal is narrow"),
        pytest.param({"OPENCTO_HOST": "0.0.0.0"}, "90", "iso-8859-1", id="the terminal has no blocks"),
    ],
)
def test_there_is_no_code_where(opened: "Opened", environ: dict[str, str], columns: str, encoding: str) -> None:
    opened.monkeypatch.setenv("COLUMNS", columns)
    shown = opened.says(encoding=encoding, **environ)
    assert "Ctrl-C" in shown
    assert not set("▀▄█") & set(shown)
