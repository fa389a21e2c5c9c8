"""`make check` fails where the generated TypeScript client is not what the routes say: tried with a route that is new."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_client_is_stale_as_soon_as_there_is_a_route_that_it_does_not_know(tmp_path: Path) -> None:
    types, document = tmp_path / "schema.d.ts", tmp_path / "openapi.json"
    types.write_text("export interface paths {}\n")
    route = {"get": {"responses": {"204": {"description": "Nothing."}}}}
    document.write_text(
        json.dumps({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {"/new": route}})
    )
    script = ["scripts/dashboard", "fresh", types, document]
    stale = subprocess.run(script, check=False, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert stale.returncode == 1
    assert f"{types} is stale" in stale.stderr
    assert "scripts/dashboard client" in stale.stderr


def test_the_check_makes_that_comparison_with_the_client_of_the_pages() -> None:
    check = (ROOT / "scripts" / "dashboard").read_text().partition("  check)")[2].partition(";;")[0]
    assert 'fresh "$schema"' in check
    assert 'wait "$compared"' in check
