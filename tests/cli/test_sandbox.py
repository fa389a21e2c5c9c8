"""`opencto sandbox`, as a process of its own."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
from typer.testing import CliRunner

from opencto.cli.sandbox import app


def test_it_runs_alone_says_where_and_stops_when_told(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from opencto.cli.sandbox import app; app()"]
    process = subprocess.Popen(
        [*command, "--port", "0", "--data-dir", str(tmp_path), "--fault", "quota@/chat/completions"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout:
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/v1", line)
        assert found is not None, line
        headers = {"Authorization": "Bearer sk-anything"}
        assert httpx2.get(f"{found[0]}/models", headers=headers).status_code == 200
        assert httpx2.post(f"{found[0]}/chat/completions", json={}, headers=headers).status_code == 429
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    assert (tmp_path / "sandbox.db").is_file()


def test_a_fault_that_there_is_not_is_a_mistake_of_usage(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--fault", "nonsense", "--data-dir", str(tmp_path)])
    assert result.exit_code == 2
    assert "There is no fault" in result.output
