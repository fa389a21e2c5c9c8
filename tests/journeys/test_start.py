"""From nothing to a server that answers, and what stops a start."""

import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from journeys.program import Program, environment, opencto
from opencto.core.migrations import newest_version


def test_the_first_start_prints_a_link_and_answers(tmp_path: Path, database_url: str | None) -> None:
    data = tmp_path / "data"
    with Program(data, database_url=database_url, OPENCTO_DRAIN_SECONDS="0") as program:
        assert program.banner["claimUrl"].startswith(f"{program.url}/claim#octo_claim_")
        assert program.banner["loopbackOnly"] is True
        assert program.get("/ready").json() == {"status": "ready", "checks": {"database": "ok"}}
        variables = {"OPENCTO_DATABASE_URL": database_url} if database_url else {}
        fresh = opencto("claim", data=data, **variables).stdout.strip()
        assert fresh.startswith(f"{program.url}/claim#octo_claim_")
        assert fresh != program.banner["claimUrl"]
        assert data.stat().st_mode & 0o777 == 0o700
        files = [path for path in data.rglob("*") if path.is_file()]
        assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
        assert "octo_claim_" not in program.errors.read_text()
        assert program.stop() == 0
    with pytest.raises(httpx2.ConnectError):
        program.get("/health")


def test_a_second_start_on_the_same_data_exits_3_and_names_the_first(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Program(data) as program:
        second = opencto("up", "--port", "0", data=data)
        assert second.returncode == 3
        assert f"already running at {program.url} (process {program.pid})" in second.stderr
        assert program.get("/health").status_code == 200


def test_after_kill_9_the_next_start_finds_the_directory_free(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Program(data) as program:
        program.signal(signal.SIGKILL)
        assert program.wait() == -signal.SIGKILL
    assert str(program.pid) in (data / "opencto.lock").read_text()
    with Program(data, OPENCTO_DRAIN_SECONDS="0") as again:
        assert again.get("/ready").status_code == 200
        assert again.stop() == 0


def test_a_taken_port_is_said_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = opencto("up", "--port", str(port), data=tmp_path / "data")
    assert result.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in result.stderr
    assert "--port" in result.stderr


def test_every_wrong_setting_is_named_before_anything_is_touched(tmp_path: Path) -> None:
    data = tmp_path / "data"
    result = opencto("up", "--port", "none", "--tls", "maybe", data=data, OPENCTO_WORKERS="0")
    assert result.returncode == 2
    assert all(name in result.stderr for name in ("OPENCTO_PORT", "OPENCTO_TLS", "OPENCTO_WORKERS"))
    assert "Traceback" not in result.stderr
    assert not data.exists()


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path, free_port: int) -> None:
    url = f"postgresql://ada:canary-password@127.0.0.1:{free_port}/opencto"
    result = opencto("up", "--port", "0", data=tmp_path / "data", OPENCTO_DATABASE_URL=url)
    assert result.returncode == 4
    assert f"127.0.0.1:{free_port} does not answer" in result.stderr
    assert "canary-password" not in result.stderr + result.stdout


def test_a_database_that_does_not_exist_is_said_so(tmp_path: Path, postgres_server: str) -> None:
    result = opencto("up", "--port", "0", data=tmp_path / "data", OPENCTO_DATABASE_URL=f"{postgres_server}/nowhere")
    assert result.returncode == 4
    assert "create it first" in result.stderr


def test_a_start_without_its_secret_stops_with_a_sentence(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Program(data, OPENCTO_DRAIN_SECONDS="0") as program:
        assert program.stop() == 0
    (data / "secrets" / "session.key").chmod(0o644)
    for workers in ("1", "2"):
        result = opencto("up", "--port", "0", "--workers", workers, data=data)
        assert result.returncode == 1
        assert result.stderr.count("chmod 600") == 1
        assert "Traceback" not in result.stderr


def test_a_start_on_a_full_disk_says_so_and_the_next_one_needs_no_repair(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for blocks in (8, 32, 100):  # the disk is full a little later each time
        with_little_room = f'ulimit -f {blocks} && exec "$0" -m opencto up --port 0'
        refused = subprocess.run(
            ["/bin/bash", "-c", with_little_room, sys.executable],
            env=environment(OPENCTO_DATA_DIR=str(data)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert refused.returncode not in {0, -9}
        assert "disk of the server is full" in refused.stderr
        assert "Traceback" not in refused.stderr
    with Program(data, OPENCTO_DRAIN_SECONDS="0") as program:
        assert program.get("/ready").status_code == 200
        assert program.stop() == 0


def test_a_newer_database_is_refused_by_the_program(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Program(data, OPENCTO_DRAIN_SECONDS="0") as program:
        assert program.stop() == 0
    (data / "backups").mkdir()
    copy = data / "backups" / f"opencto-{newest_version()}-20260101T000000.db"
    copy.write_bytes((data / "opencto.db").read_bytes())
    with sqlite3.connect(data / "opencto.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    refused = opencto("up", "--port", "0", data=data)
    assert refused.returncode == 1
    assert str(copy) in refused.stderr
    copy.replace(data / "opencto.db")  # what the message says to do
    with Program(data, OPENCTO_DRAIN_SECONDS="0") as again:
        assert again.get("/ready").status_code == 200


def test_a_certificate_of_its_own_serves_https_and_is_kept(tmp_path: Path) -> None:
    data = tmp_path / "data"
    seen: list[str] = []
    for _ in range(2):
        with Program(data, "--tls", "self-signed", OPENCTO_DRAIN_SECONDS="0") as program:
            trusting = ssl.create_default_context(cafile=str(data / "tls" / "certificate.pem"))
            answer = httpx2.get(f"{program.url}/health", verify=trusting, timeout=60)
            assert (answer.status_code, program.url[:5]) == (200, "https")
            assert "strict-transport-security" in answer.headers
            seen.append(program.banner["certificateSha256"])
            assert program.stop() == 0
    assert seen[0] == seen[1]
    assert (data / "tls" / "key.pem").stat().st_mode & 0o777 == 0o600


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = opencto("up", data=tmp_path / "file" / "data")
    assert result.returncode == 1
    assert "cannot be used" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
