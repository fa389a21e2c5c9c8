"""Whatever routes there are, they answer as `/openapi.json` says: generated requests, right and wrong, as an operator."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.timeout(300)
def test_every_route_keeps_what_the_document_promises(tmp_path: Path, free_port: int) -> None:
    with (
        running_sandbox() as openai,
        serve(
            tmp_path / "data",
            free_port,
            {"OPENAI_BASE_URL": openai.base_url, "OPENAI_API_KEY": "sk-contract-0123456789"},
        ) as served,
    ):
        token = build_world(served.app).ada.token  # she runs the server and owns a workspace
        run = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                "run",
                f"{served.origin}/openapi.json",
                f"--checks={','.join(CHECKS)}",
                "--phases=examples,coverage,fuzzing",
                "--max-examples=8",
                f"--seed={secrets.randbelow(10**6)}",
                "--workers=2",
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
