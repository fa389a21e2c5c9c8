"""Traces reach a real OTLP receiver, under the standard names, without a secret, and never at a request's cost."""

import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from asgi_lifespan import LifespanManager
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from opencto.app import create_app
from opencto.core.configuration import load
from opencto.telemetry import tracing
from opencto.telemetry.tracing import Silent, Tracing, open_tracing
from opencto.testing import ManualClock
from telemetry.otlp import facts, receiver
from telemetry.test_scrub import PLANTED

pytestmark = pytest.mark.anyio
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@asynccontextmanager
async def traced(environ: dict[str, str], endpoint: str, clock: ManualClock) -> AsyncGenerator[httpx2.AsyncClient]:
    app = create_app(load({**environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}).settings, clock)
    async with LifespanManager(app, shutdown_timeout=20):
        transport = httpx2.ASGITransport(app, client=("127.0.0.1", 50000))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
            yield client


@pytest.mark.usefixtures("database")
async def test_a_request_is_a_server_span_under_the_callers_trace(environ: dict[str, str], clock: ManualClock) -> None:
    with receiver() as found:
        async with traced(environ, found.url, clock) as client:
            answer = await client.get("/health?key=canary", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
            await client.get("/no/such/thing")
            await client.get("/ready", headers={"traceparent": "junk"})
    spans = found.spans()
    span = spans["GET /health"]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert span.kind == Span.SpanKind.SPAN_KIND_SERVER
    said = facts(list(span.attributes))
    assert said == {
        "http.request.method": "GET",
        "http.route": "/health",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "url.path": "/health",
        "network.protocol.version": "1.1",
        "client.address": "127.0.0.1",
        "opencto.request_id": answer.headers["x-request-id"],
    }
    assert "http.route" not in facts(list(spans["GET"].attributes))
    assert spans["GET /ready"].parent_span_id == b""
    assert found.resource()["service.name"] == "opencto"


def test_an_unexpected_error_marks_the_span() -> None:
    with receiver() as found:
        traces = Tracing(found.url)
        scope: dict[str, Any] = {
            "type": "http",
            "method": "BREW",
            "path": "/x/octo_canary7canary7canary7",
            "headers": [],
            "state": {"route": "/x/{y}", "address": "127.0.0.1", "request_id": "req_1"},
        }
        traces.begun(scope)
        try:
            raise RuntimeError(PLANTED["a project key"][0])
        except RuntimeError as error:
            traces.failed(scope, error)
        traces.finished(scope, 500, 0.1, 0.0)
        traces.close()
    span = found.spans()["HTTP /x/{y}"]
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert facts(list(span.attributes))["http.request.method"] == "_OTHER"
    assert facts(list(span.events[0].attributes))["exception.message"] == "sk-proj-***"
    assert "canary" not in str(found.requests)


def test_a_model_call_has_the_standard_names_and_nothing_of_the_prompt() -> None:
    with receiver() as found:
        traces = Tracing(found.url)
        with traces.model_call("chat", "gpt-6-luna") as call:
            call.answered(model="gpt-6-luna-2026", response_id="resp_1", input_tokens=12, output_tokens=3)
        with pytest.raises(TimeoutError), traces.model_call("embeddings", "text-embedding-3-small"):
            raise TimeoutError("it took too long")
        traces.close()
    span = found.spans()["chat gpt-6-luna"]
    assert span.kind == Span.SpanKind.SPAN_KIND_CLIENT
    assert facts(list(span.attributes)) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-6-luna",
        "gen_ai.response.model": "gpt-6-luna-2026",
        "gen_ai.response.id": "resp_1",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
    }
    failed = found.spans()["embeddings text-embedding-3-small"]
    assert facts(list(failed.attributes))["error.type"] == "builtins.TimeoutError"


@pytest.mark.parametrize("kind", PLANTED)
def test_no_planted_secret_leaves_in_a_span(kind: str) -> None:
    text, needle = PLANTED[kind]
    with receiver() as found:
        traces = Tracing(found.url)
        with contextlib.suppress(RuntimeError), traces.model_call("chat", text) as call:
            call.answered(model=text, response_id=text)
            raise RuntimeError(text)
        traces.close()
    assert len(found.spans()) == 1
    assert needle not in str(found.requests)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "answers 500"])
@pytest.mark.usefixtures("database")
async def test_a_receiver_that_fails_costs_no_request(
    environ: dict[str, str], clock: ManualClock, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "CLOSE_SECONDS", 0.2)
    with receiver(500) as broken:
        async with traced(environ, broken.url if endpoint == "answers 500" else endpoint, clock) as client:
            assert (await client.get("/health")).status_code == 200


def test_without_an_endpoint_there_are_no_traces_and_the_same_calls() -> None:
    traces = open_tracing(None)
    assert isinstance(traces, Silent)
    with traces.model_call("chat", "any") as call:
        call.answered(model="any", input_tokens=1)
    traces.close()
