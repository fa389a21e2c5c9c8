"""No route without a method: the server's own description, walked."""

import inspect
from collections.abc import Iterator
from typing import Any, cast

import httpx2
import pytest

from client.conftest import Stage
from opencto import OpenCTO
from opencto.client.endpoints import Endpoint, Listing, Resource

IN_THE_BROWSER = {
    ("POST", "/api/v1/auth/claim"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/v1/auth/reset"),
    ("GET", "/api/v1/auth/sessions"),
    ("DELETE", "/api/v1/auth/sessions"),
    ("GET", "/api/v1/auth/sessions/{session_id}"),
    ("DELETE", "/api/v1/auth/sessions/{session_id}"),
    ("PATCH", "/api/v1/auth/account"),
    ("PUT", "/api/v1/auth/password"),
    ("GET", "/api/v1/auth/second-factor"),
    ("POST", "/api/v1/auth/second-factor"),
    ("DELETE", "/api/v1/auth/second-factor"),
    ("POST", "/api/v1/auth/second-factor/confirm"),
    ("POST", "/api/v1/auth/second-factor/recovery-codes"),
    ("GET", "/api/v1/auth/identities"),
    ("DELETE", "/api/v1/auth/identities/{identity}"),
    ("GET", "/api/v1/auth/oidc/start"),
    ("GET", "/api/v1/auth/oidc/callback"),
    ("GET", "/api/v1/addresses"),  # what the page for a phone shows
    ("GET", "/api/v1/addresses/certificate"),
    ("POST", "/api/v1/invitations/accept"),
}
"""What the server refuses to a token: signing in and out, and the account of a person. Keep it short."""

Operations = dict[tuple[str, str], dict[str, Any]]
QUERY_NAMES = {"from": "since", "to": "until", "all": "everyone everything"}

NOT_ASKED = {"stream", "transport", "format", "decision"}
"""What the method itself decides."""
NOT_ASKED_OF = {"usage.get": {"rowsOf"}}
"""What has a meaning in CSV alone, which has a method of its own."""


@pytest.fixture(scope="module")
def document(stage: Stage) -> dict[str, Any]:
    return httpx2.get(f"{stage.served.origin}/openapi.json", trust_env=False, timeout=60).json()


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> Operations:
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith(("/api/", "/v1/respond"))
    }


def endpoints() -> Iterator[tuple[str, Endpoint[Any]]]:
    """Every method of the client, by name."""
    with OpenCTO("http://127.0.0.1:9", "octo_x") as client:
        places: list[tuple[str, Resource[Any]]] = [("", client)]
        for name in dir(client):
            found: object = getattr(client, name)
            if isinstance(found, Resource):
                places.append((f"{name}.", cast("Resource[Any]", found)))
        for prefix, place in places:
            for name in dir(type(place)):
                member = inspect.getattr_static(type(place), name)
                if isinstance(member, Endpoint):
                    yield f"{prefix}{name}", member


ENDPOINTS = dict(endpoints())


def test_every_operation_has_a_method_or_is_of_the_browser(operations: Operations) -> None:
    have = {(one.route.method, one.route.path) for one in ENDPOINTS.values()}
    assert set(operations) - have - IN_THE_BROWSER == set(), "give these a method in src/opencto/client/resources/"
    assert have - set(operations) == {("GET", "/health"), ("GET", "/ready")}, "the server knows nothing of these"
    assert IN_THE_BROWSER - set(operations) == set(), "these are gone"
    assert not have & IN_THE_BROWSER


def names(operation: dict[str, Any], place: str) -> set[str]:
    return {one["name"] for one in operation.get("parameters", []) if one["in"] == place}


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def fields(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """The fields of the body."""
    content = operation.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref")
    if reference is None:
        return set()
    return set(document["components"]["schemas"][reference.rpartition("/")[2]]["properties"])


@pytest.mark.parametrize("name", sorted(ENDPOINTS))
def test_a_method_takes_what_its_route_takes(document: dict[str, Any], operations: Operations, name: str) -> None:
    endpoint = ENDPOINTS[name]
    if endpoint.route.path in {"/health", "/ready"}:
        return
    operation = operations[endpoint.route.method, endpoint.route.path]
    arguments = set(inspect.signature(endpoint.describe).parameters)
    takes_key = "idempotency-key" in {one.lower() for one in names(operation, "header")}
    assert endpoint.route.takes_key is takes_key
    assert ("idempotency_key" in arguments) is takes_key
    for asked in names(operation, "query") - NOT_ASKED - NOT_ASKED_OF.get(name, set()):
        assert arguments & set(QUERY_NAMES.get(asked, snake(asked)).split()), f"{name} has no argument for ?{asked}="
    assert {snake(one) for one in fields(document, operation)} - arguments - NOT_ASKED == set()
    assert isinstance(endpoint, Listing) is ("cursor" in names(operation, "query"))
    assert endpoint.__doc__
