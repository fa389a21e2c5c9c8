"""The way out: drain, let finish, close; at once when asked twice; and nothing left behind after kill -9."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
import pytest

from journeys.program import PATIENCE_SECONDS, Program

ECHO = (str(Path(__file__).with_name("echo_server.py")),)


@contextmanager
def _half_sent(program: Program) -> Generator[socket.socket]:
    """A request whose body has come half."""
    with socket.create_connection(("127.0.0.1", program.port), PATIENCE_SECONDS) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhello")
        yield connection


def _rest(connection: socket.socket) -> bytes:
    connection.sendall(b"world")
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    return answer


def _until(condition: str, check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not check():
        assert time.monotonic() < deadline, f"never: {condition}"
        time.sleep(0.02)


def _is_closed(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return True
    return False


def _status(program: Program, path: str) -> int:
    return program.get(path).status_code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_turns_unready_first_then_closes_the_door_and_finishes_what_it_began(
    tmp_path: Path, number: signal.Signals
) -> None:
    data = tmp_path / "data"
    with Program(data, str(data), command=ECHO, OPENCTO_DRAIN_SECONDS="1.5") as program, _half_sent(program) as begun:
        with httpx2.Client(base_url=program.url, timeout=PATIENCE_SECONDS) as kept:
            assert kept.get("/ready").status_code == 200
            program.signal(number)
            _until("unready", lambda: kept.get("/ready").json()["status"] == "draining")
            assert kept.get("/ready").status_code == 503
            assert kept.get("/health").status_code == 200
            assert _status(program, "/health") == 200, "new connections are still served while it drains"
        _until("closed", lambda: _is_closed(program.port))
        answer = _rest(begun)
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b'{"echo":"helloworld"}')
        assert program.wait() == 0
    lines = [json.loads(line) for line in program.errors.read_text().splitlines()]
    log = [line["event"] for line in lines if line.get("logger") == "opencto.server"]
    assert log == ["open", "draining", "closed"]


def test_a_request_that_takes_too_long_is_cut_off_in_the_end(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with (
        Program(data, str(data), command=ECHO, OPENCTO_DRAIN_SECONDS="0", OPENCTO_SHUTDOWN_SECONDS="1") as program,
        _half_sent(program),
    ):
        assert program.stop() == 0


def test_ctrl_c_twice_ends_at_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Program(data, OPENCTO_DRAIN_SECONDS="300") as program:
        program.signal(signal.SIGINT)
        _until("draining", lambda: _status(program, "/ready") == 503)
        program.signal(signal.SIGINT)
        assert program.wait() == 130


def test_workers_share_the_port_and_all_drain(tmp_path: Path, database_url: str | None) -> None:
    data = tmp_path / "data"
    with Program(data, "--workers", "2", database_url=database_url, OPENCTO_DRAIN_SECONDS="1") as program:
        children = psutil.Process(program.pid).children()
        assert len(children) == 2
        with httpx2.Client(base_url=program.url, timeout=PATIENCE_SECONDS) as kept:
            assert kept.get("/ready").status_code == 200
            program.signal(signal.SIGTERM)
            _until("unready", lambda: kept.get("/ready").status_code == 503)
            assert kept.get("/health").status_code == 200
        assert program.wait() == 0
        assert not any(child.is_running() for child in children)
        assert _is_closed(program.port)


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with Program(tmp_path / "data", "--workers", "2", OPENCTO_DRAIN_SECONDS="0") as program:
        parent = psutil.Process(program.pid)
        victim, survivor = parent.children()
        os.kill(victim.pid, signal.SIGKILL)
        _until("replaced", lambda: len({child.pid for child in parent.children()} - {victim.pid}) == 2)
        assert survivor.is_running()
        assert _status(program, "/health") == 200
        assert program.stop() == 0


def test_kill_9_of_the_parent_leaves_no_worker_and_no_lock(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Program(data, "--workers", "2") as program:
        children = psutil.Process(program.pid).children()
        program.signal(signal.SIGKILL)
        program.wait()
        _, alive = psutil.wait_procs(children, PATIENCE_SECONDS)
        assert alive == []
        assert _is_closed(program.port)
    with Program(data, OPENCTO_DRAIN_SECONDS="0") as again:
        assert _status(again, "/ready") == 200


def test_ctrl_c_in_a_terminal_reaches_every_worker_and_still_drains(tmp_path: Path) -> None:
    with Program(tmp_path / "data", "--workers", "2", OPENCTO_DRAIN_SECONDS="1") as program:
        for process in (psutil.Process(program.pid), *psutil.Process(program.pid).children()):
            process.send_signal(signal.SIGINT)  # the terminal signals the whole group
        _until("draining", lambda: _status(program, "/ready") == 503)
        assert program.wait() == 0


def test_an_endless_head_is_refused(tmp_path: Path) -> None:
    with (
        Program(tmp_path / "data") as program,
        socket.create_connection(("127.0.0.1", program.port), PATIENCE_SECONDS) as connection,
    ):
        connection.sendall(b"GET /health HTTP/1.1\r\nX-Long: ")
        received = b""
        try:
            for _ in range(200):
                connection.sendall(b"a" * 10_000)
            received = connection.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            received = b"closed"
        assert received == b"closed" or received.startswith(b"HTTP/1.1 400")
        assert _status(program, "/health") == 200
