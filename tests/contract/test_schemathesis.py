"""Whatever routes there are, they answer as `/openapi.json` says: generated requests, right and wrong, as an operator."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from identity.world import build_world
from opencto.testing import running_sandbox
from serving import serve

CHECKS = (
    "no_server_error_of_ours",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]
"""Its own list, and 413: what is generated may be wrong and too large, and the size is looked at first."""


@pytest.mark.timeout(600)
def test_every_route_keeps_what_the_document_promises(tmp_path: Path, free_port: int) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(f"[checks]\nnegative_data_rejection.expected-statuses = {json.dumps(REFUSALS)}\n")
    with (
        running_sandbox() as openai,
        serve(
            tmp_path / "data",
            free_port,
            {"OPENAI_BASE_URL": openai.base_url, "OPENAI_API_KEY": "sk-contract-0123456789"},
        ) as served,
    ):
        httpx2.get(
            f"{served.origin}/openapi.json", timeout=60
        ).raise_for_status()  # the first one is made: seconds, on a busy machine
        token = build_world(served.app).ada.token  # she runs the server and owns a workspace
        run = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                f"--config-file={config}",
                "run",
                f"{served.origin}/openapi.json",
                f"--checks={','.join(CHECKS)}",
                "--phases=examples,coverage,fuzzing",
                "--exclude-path=/api/v1/events",  # its answer has no end; tests/live listens to it
                "--max-examples=8",
                f"--seed={secrets.randbelow(10**6)}",
                "--workers=1",
                "--no-shrink",
                "--continue-on-failure",
                "--warnings=off",
                "--generation-database=none",
                "--header",
                f"Authorization: Bearer {token}",
            ],
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "160", "SCHEMATHESIS_HOOKS": "server_errors"}
            | {"PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 0, run.stdout + run.stderr
