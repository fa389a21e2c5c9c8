"""Requests that fit a route, made from its own description: a path, the query it needs, a smallest valid body.

Nothing here knows a single route, so a route added tomorrow is called correctly today. Where a rule cannot be read
from the schema (a time zone must exist), the field gives `examples`.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from opencto.identity.access import Access, access_of

Json = Any


@dataclass(frozen=True)
class Door:
    """One way into the application: a route with one method, or a socket, or a mount."""

    kind: str
    method: str
    path: str
    access: Access
    operation: Mapping[str, Any] = field(default_factory=dict[str, Any])
    document: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def address(self) -> tuple[str, str]:
        return self.method, self.path

    @property
    def writes(self) -> bool:
        return self.method not in {"GET", "HEAD", "OPTIONS"}

    @property
    def path_names(self) -> list[str]:
        return re.findall(r"{(\w+)(?::\w+)?}", self.path)

    def fill_path(self, values: Mapping[str, str]) -> str:
        """The path with these values, and with something that fits where none is given."""
        return re.sub(r"{(\w+)(?::\w+)?}", lambda m: values.get(m[1]) or self._path_value(m[1]), self.path)

    def _path_value(self, name: str) -> str:
        for one in self.operation.get("parameters", ()):
            if one["in"] == "path" and one["name"] == name:
                schema = resolve(self.document, one["schema"])
                if "enum" in schema:
                    return str(schema["enum"][0])
                if schema.get("type") == "integer":
                    return str(2**53)
        return f"{name}_nothing"

    def query(self, workspace: str | None) -> dict[str, str]:
        """What the route requires, and the workspace where it takes one."""
        filled: dict[str, str] = {}
        for one in self.operation.get("parameters", ()):
            if one["in"] != "query":
                continue
            if one["name"] == "workspaceId" and workspace is not None:
                filled["workspaceId"] = workspace
            elif one.get("required"):
                filled[one["name"]] = str(fill(self.document, one["schema"]))
        return filled

    @property
    def body_schema(self) -> dict[str, Any] | None:
        content = self.operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        return resolve(self.document, schema) if schema else None

    def body(self, workspace: str | None) -> Json:
        """A smallest valid body, None for a route that takes none."""
        schema = self.body_schema
        if schema is None:
            return None
        filled = fill(self.document, schema)
        if "workspaceId" in schema.get("properties", {}) and workspace is not None:
            filled["workspaceId"] = workspace
        return filled


def doors(app: FastAPI) -> Iterator[Door]:
    """Every way in. A kind of route that is not known here is an error, not a blind spot."""
    document = json.loads(app.state.dashboard.document.get()[0])
    for route in app.router.routes:
        yield from _doors_of(route, document)


def _doors_of(route: BaseRoute, document: Mapping[str, Any]) -> Iterator[Door]:
    if isinstance(route, Mount):
        access = access_of(route.app)
        assert access is not None, route.path
        yield Door("mount", "*", route.path, access)
    elif isinstance(route, WebSocketRoute):
        access = access_of(route.endpoint)
        assert access is not None, route.path
        yield Door("socket", "WEBSOCKET", route.path, access)
    else:
        assert isinstance(route, Route), route
        access = access_of(route.endpoint)
        assert access is not None, route.path
        plain = re.sub(r"{(\w+):\w+}", r"{\1}", route.path)
        for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
            operation = document["paths"].get(plain, {}).get(method.lower(), {})
            yield Door("route", method, route.path, access, operation, document)


def resolve(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return dict(schema)
    found: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return resolve(document, found)


def fill(document: Mapping[str, Any], schema: Mapping[str, Any], name: str = "") -> Json:
    """A smallest value that fits."""
    schema = resolve(document, schema)
    for branches in ("anyOf", "oneOf", "allOf"):
        if branches in schema:
            real = [one for one in schema[branches] if one != {"type": "null"}]
            return fill(
                document, {**resolve(document, real[0]), **{k: v for k, v in schema.items() if k == "examples"}}, name
            )
    if schema.get("examples"):
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {key: fill(document, properties[key], key) for key in schema.get("required", ())}
        case "array":
            return [fill(document, schema["items"], name) for _ in range(schema.get("minItems", 0))]
        case "integer" | "number":
            return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return False
        case "string":
            return _text(schema, name)
        case _:
            return "a"


def _text(schema: Mapping[str, Any], name: str) -> str:
    if "email" in name.lower():
        return "walker@example.com"
    if schema.get("format") == "date":
        return "2026-11-01"
    if "pattern" in schema:
        return _matching(schema["pattern"], schema.get("minLength", 0), schema.get("maxLength", 10_000))
    return "a" * max(1, schema.get("minLength", 1))


@functools.cache
def _matching(pattern: str, low: int, high: int) -> str:
    """Some plain text that the pattern takes."""
    ascii_only = st.from_regex(pattern, fullmatch=True, alphabet=st.characters(max_codepoint=126))
    calm = settings(database=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
    return find(ascii_only, lambda text: low <= len(text) <= high and text == text.strip(), settings=calm)
