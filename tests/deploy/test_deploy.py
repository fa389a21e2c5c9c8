"""What can be proved of the container, compose and systemd files without an engine."""

import configparser
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import yaml

from journeys.program import Program, environment
from opencto.core.setting_values import variable
from opencto.core.settings import Settings

ROOT = Path(__file__).parents[2]
CONTAINERFILE = (ROOT / "deploy" / "Containerfile").read_text()
INSTRUCTIONS = [
    (line.split(maxsplit=1)[0], line.split(maxsplit=1)[1])
    for line in CONTAINERFILE.replace("\\\n", " ").splitlines()
    if line.strip() and not line.startswith("#")
]


def _instruction(name: str) -> str:
    return [rest for word, rest in INSTRUCTIONS if word == name][-1]


def _compose() -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text()))


def test_the_container_runs_as_somebody_without_rights() -> None:
    assert re.fullmatch(r"[1-9]\d{4}:[1-9]\d{4}", _instruction("USER"))
    assert INSTRUCTIONS.index(("USER", _instruction("USER"))) > max(
        index for index, (word, _) in enumerate(INSTRUCTIONS) if word in {"RUN", "COPY"}
    )


def test_the_container_installs_locked_hashes_and_nothing_else() -> None:
    installs = [rest for word, rest in INSTRUCTIONS if word == "RUN" and " install " in rest and "pip" in rest]
    assert len(installs) == 1
    assert "--require-hashes -r /build/server.lock" in installs[0]
    assert "apt-get" not in CONTAINERFILE
    lock = (ROOT / "requirements" / "server.lock").read_text()
    pins = re.findall(r"^[a-z0-9.\[\]_-]+==[^ ]+.*?\\$", lock, re.MULTILINE)
    assert len(pins) > 30
    assert lock.count("--hash=sha256:") >= len(pins)


def test_every_file_that_the_container_copies_is_there() -> None:
    copied = [rest.split()[0] for word, rest in INSTRUCTIONS if word == "COPY" and not rest.startswith("--from")]
    assert copied
    assert all((ROOT / path).exists() for path in copied)
    assert (ROOT / "deploy" / "opencto.sh").stat().st_mode & 0o111


def test_the_container_brings_the_dashboard_and_its_context_is_what_it_copies() -> None:
    built = [rest for word, rest in INSTRUCTIONS if word == "COPY" and rest.startswith("--from=app ")]
    assert built == ["--from=app /build/src/opencto/dashboard/app /build/opencto/dashboard/app"]
    assert ("RUN", "npm ci --no-fund --no-audit --loglevel=error") in INSTRUCTIONS
    config = (ROOT / "dashboard" / "vite.config.ts").read_text()
    assert 'outDir: here("../src/opencto/dashboard/app")' in config, "where the stage finds it"
    sent = [line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")]
    copied = [rest.split()[:-1] for word, rest in INSTRUCTIONS if word == "COPY" and not rest.startswith("--from")]
    for path in (path for paths in copied for path in paths):
        assert any(path == one or path.startswith(f"{one}/") for one in sent), path
    assert (ROOT / ".dockerignore").read_text() == (ROOT / ".containerignore").read_text()


def test_the_health_check_sees_a_server_that_answers_and_one_that_is_gone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    python, *arguments = json.loads(_instruction("HEALTHCHECK").partition("CMD ")[2])
    assert python == "python"

    def check() -> int:
        return subprocess.run(
            [sys.executable, *arguments], env=environment(OPENCTO_DATA_DIR=str(data)), timeout=60, check=False
        ).returncode

    assert check() == 4
    with Program(data, "--tls", "self-signed", OPENCTO_PUBLIC_URL="https://cto.example.com") as program:
        assert check() == 0
        program.__exit__()
        assert check() == 4


def test_the_environment_of_the_files_names_real_settings() -> None:
    known = {variable(info) for info in Settings.model_fields.values()}
    assert set(re.findall(r"\b(OPEN[A-Z_]+)=", _instruction("ENV"))) <= known
    assert set(_compose()["services"]["server"]["environment"]) <= known


def test_compose_has_no_password_of_its_own_and_is_open_to_this_machine_only() -> None:
    services = _compose()["services"]
    assert services["database"]["environment"]["POSTGRES_PASSWORD"].startswith("${OPENCTO_DB_PASSWORD:?")
    assert services["server"]["ports"] == ["127.0.0.1:8787:8787"]
    assert "ports" not in services["database"]
    assert services["server"]["read_only"] is True
    assert services["server"]["cap_drop"] == ["ALL"]


def test_the_unit_is_hardened_and_waits_for_the_drain(tmp_path: Path) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "deploy" / "opencto.service")
    service = unit["Service"]
    for name in ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome"):
        assert service[name] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["ExecStart"].endswith("opencto up")
    defaults = Settings.model_validate({"OPENCTO_DATA_DIR": tmp_path})
    assert int(service["TimeoutStopSec"]) > defaults.drain_seconds + defaults.shutdown_seconds + 10
    assert service["RestartPreventExitStatus"].split() == ["2", "3"]
