"""Prints what the dashboard's client is generated from: the document of `/openapi.json` without its prose, its failures
(all are the same problem shape) and the pages, so that the client changes when the wire does and not with a sentence.
"""

import json
import sys
import tempfile
from typing import Any, cast

from opencto.app import create_app
from opencto.core.clock import SystemClock
from opencto.core.configuration import load
from opencto.core.database import Database
from opencto.core.migrations import migrate


def slim(node: Any, *, of_names: bool = False) -> Any:
    """Without titles and descriptions; `of_names` where the keys are names that somebody chose."""
    if isinstance(node, dict):
        entries = cast("dict[str, Any]", node)
        return {
            key: slim(value, of_names=key in {"properties", "schemas"})
            for key, value in entries.items()
            if of_names or (key not in {"title", "description", "summary", "examples"} and not key.startswith("x-"))
        }
    return [slim(one) for one in cast("list[Any]", node)] if isinstance(node, list) else node


def _json(content: dict[str, Any]) -> dict[str, Any]:
    return {kind: shape for kind, shape in content.items() if kind in {"application/json", "text/event-stream"}}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = load({"OPENCTO_DATA_DIR": folder}).settings
        database = Database.from_settings(settings)
        migrate(database, backups=settings.data_dir / "backups", clock=SystemClock())
        database.close()
        app = create_app(settings)
        document = json.loads(app.state.dashboard.document.get()[0])
        app.state.house.database.close()
    every: dict[str, dict[str, Any]] = document["paths"]
    paths = {path: item for path, item in every.items() if path.startswith(("/api/", "/ready"))}
    for item in paths.values():
        for operation in item.values():
            operation["responses"] = {
                code: {"description": "", "content": _json(answer.get("content", {}))}
                for code, answer in operation["responses"].items()
                if code < "400"
            }
            operation["parameters"] = [one for one in operation.get("parameters", []) if one.get("in") != "header"]
    reduced = {"openapi": "3.1.0", "paths": paths, "components": {"schemas": document["components"]["schemas"]}}
    json.dump({"info": {"title": "OpenCTO", "version": "1"}, **slim(reduced)}, sys.stdout)


if __name__ == "__main__":
    main()
