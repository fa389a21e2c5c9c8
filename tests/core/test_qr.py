"""QR codes: read back by a decoder, from each of the three ways in which they are shown."""

import re

import pytest

from opencto.core.qr import QrCode, qr_code
from scanning import scanned_modules

URLS = ["https://192.168.1.20:8787", "https://[fd00:1234:5678:9abc:def0:1234:5678:9abc]:8787", "http://[2001:db8::1]:1"]
_UPPER, _LOWER = "▀█", "▄█"


def drawn(path: str, size: int) -> list[list[bool]]:
    """What an SVG path fills."""
    rows = [[False] * size for _ in range(size)]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path):
        for at in range(int(x), int(x) + int(width)):
            rows[int(y)][at] = True
    assert re.sub(r"M(\d+) (\d+)h(\d+)v1h-\3z", "", path) == ""
    return rows


def printed(lines: list[str]) -> list[list[bool]]:
    """What stands in ink on a terminal."""
    return [[character in half for character in line] for line in lines for half in (_UPPER, _LOWER)]


@pytest.mark.parametrize("url", URLS)
def test_a_code_is_read_back_from_its_modules_its_path_and_a_terminal(url: str) -> None:
    code = qr_code(url)
    assert scanned_modules(code.rows) == url
    assert scanned_modules(drawn(code.svg_path(), code.size)) == url
    assert scanned_modules(printed(code.lines(is_inked=True))[: code.size]) == url


@pytest.mark.parametrize("url", URLS)
def test_on_a_dark_terminal_the_ground_is_drawn_and_the_code_left_out(url: str) -> None:
    code = qr_code(url)
    lit = printed(code.lines(is_inked=False))[: code.size]
    assert scanned_modules(lit) is None
    assert scanned_modules([[not light for light in row] for row in lit]) == url


def test_a_light_ground_of_two_modules_stands_around_it() -> None:
    code = qr_code("https://cto.example.com")
    assert {len(row) for row in code.rows} == {code.size}
    columns = list(zip(*code.rows, strict=True))
    for edge in (*code.rows[:2], *code.rows[-2:], *columns[:2], *columns[-2:]):
        assert not any(edge)
    assert any(code.rows[2])


def test_rows_of_an_odd_number_end_in_a_light_one() -> None:
    code = QrCode(((True, False, True),) * 3)
    assert code.lines(is_inked=True) == ["█ █", "▀ ▀"]
    assert code.lines(is_inked=False) == [" █ ", "▄█▄"]
