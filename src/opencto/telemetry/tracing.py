"""Traces, when OTEL_EXPORTER_OTLP_ENDPOINT is set; without it nothing of OpenTelemetry is imported by this module.

Server spans follow the HTTP conventions, calls of models the GenAI ones, and neither holds a prompt, a query string or
a header. A caller's `traceparent` puts our span under theirs and decides nothing else. Spans leave in the background:
a receiver that is slow, gone or wrong is no request's concern.
"""

import threading
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

from starlette.types import Scope

from opencto import __version__
from opencto.telemetry.metrics import method_label
from opencto.telemetry.names import CLIENT_LEFT, OPENAI, UNKNOWN_ROUTE, Span
from opencto.telemetry.scrub import scrub

if TYPE_CHECKING:
    from opentelemetry import trace

EXPORT_SECONDS = 5
CLOSE_SECONDS = 5.0
"""How long the last spans may take to leave when the server ends."""
_SPAN = "opencto.telemetry.span"
Operation = Literal["chat", "embeddings", "text_completion", "generate_content", "execute_tool", "realtime"]


class ModelCall(Protocol):
    """One call of a model that is under way; say what came back."""

    def answered(
        self,
        *,
        model: str | None = None,
        response_id: str | None = None,
        input_tokens: int | None = None,
        cached_tokens: int | None = None,
        output_tokens: int | None = None,
    ) -> None: ...


class Silent:
    """No traces."""

    def begun(self, scope: Scope) -> None: ...

    def finished(self, scope: Scope, status: int, _seconds: float, _upstream_seconds: float, /) -> None: ...

    def failed(self, scope: Scope, error: Exception) -> None: ...

    @contextmanager
    def model_call(self, operation: Operation, model: str) -> Generator[ModelCall]:  # noqa: ARG002 - tells nobody
        yield self

    def answered(self, **_facts: Any) -> None: ...

    def close(self) -> None: ...


class Tracing:
    """An observer of the edge that makes server spans, and the maker of model spans."""

    def __init__(self, endpoint: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.propagators.textmap import default_getter
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        from opencto.telemetry.span_export import ScrubbingExporter

        ours = Resource({SERVICE_NAME: "opencto", SERVICE_VERSION: __version__})
        self._provider = TracerProvider(resource=Resource.create().merge(ours).merge(OTELResourceDetector().detect()))
        exporter = ScrubbingExporter(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=EXPORT_SECONDS))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("opencto", __version__)
        self._propagator = TraceContextTextMapPropagator()
        self._getter: Any = default_getter

    def begun(self, scope: Scope) -> None:
        from opentelemetry import context, trace

        carrier = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in {b"traceparent", b"tracestate"}
        }
        parent = self._propagator.extract(carrier, context.Context(), self._getter) if carrier else context.Context()
        span = self._tracer.start_span("HTTP", parent, trace.SpanKind.SERVER)
        token = context.attach(trace.set_span_in_context(span, parent))
        scope["state"][_SPAN] = (span, token)

    def finished(self, scope: Scope, status: int, _seconds: float, _upstream_seconds: float, /) -> None:
        from opentelemetry import context

        state: dict[str, Any] = scope["state"]
        span: trace.Span
        span, token = state.pop(_SPAN)
        context.detach(token)
        if span.is_recording():
            self._describe(span, scope, status)
        span.end()

    def failed(self, scope: Scope, error: Exception) -> None:
        span: trace.Span = scope["state"][_SPAN][0]
        _note_error(span, error)

    @contextmanager
    def model_call(self, operation: Operation, model: str) -> Generator[ModelCall]:
        """A span around one call of a model, under the request or job that makes it.

        It does not become the current span: a stream may be read, and left, in another task than it was begun in.
        """
        from opentelemetry import trace

        span = self._tracer.start_span(
            f"{operation} {model}",
            kind=trace.SpanKind.CLIENT,
            attributes={Span.AI_OPERATION: operation, Span.AI_PROVIDER: OPENAI, Span.AI_REQUEST_MODEL: model},
        )
        try:
            yield _ModelSpan(span)
        except Exception as error:
            _note_error(span, error)
            raise
        finally:
            span.end()

    def close(self) -> None:
        """Send what is left, within a bound: a receiver that hangs does not keep the server from ending."""
        last = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        last.start()
        last.join(CLOSE_SECONDS)

    def _describe(self, span: "trace.Span", scope: Scope, status: int) -> None:
        from opentelemetry.trace import StatusCode

        state: dict[str, Any] = scope["state"]
        route: str = state["route"]
        method = method_label(scope["method"]) if scope["type"] == "http" else "GET"
        method = "_OTHER" if method == "other" else method
        named = "HTTP" if method == "_OTHER" else method
        span.update_name(named if route == UNKNOWN_ROUTE else f"{named} {route}")
        span.set_attributes(
            {
                Span.METHOD: method,
                Span.STATUS: status,
                Span.SCHEME: scope.get("scheme", "http"),
                Span.PATH: scrub(scope["path"]),
                Span.PROTOCOL_VERSION: scope.get("http_version", "1.1"),
                Span.CLIENT_ADDRESS: state["address"],
                Span.REQUEST_ID: state["request_id"],
            }
        )
        if route != UNKNOWN_ROUTE:
            span.set_attribute(Span.ROUTE, route)
        if status >= 500 or status == CLIENT_LEFT:
            span.set_attribute(Span.ERROR_TYPE, str(status))
            span.set_status(StatusCode.ERROR)


class _ModelSpan:
    def __init__(self, span: "trace.Span") -> None:
        self._span = span

    def answered(
        self,
        *,
        model: str | None = None,
        response_id: str | None = None,
        input_tokens: int | None = None,
        cached_tokens: int | None = None,
        output_tokens: int | None = None,
    ) -> None:
        facts = {
            Span.AI_RESPONSE_MODEL: model,
            Span.AI_RESPONSE_ID: response_id,
            Span.AI_INPUT_TOKENS: input_tokens,
            Span.AI_CACHED_TOKENS: cached_tokens,
            Span.AI_OUTPUT_TOKENS: output_tokens,
        }
        self._span.set_attributes({name: value for name, value in facts.items() if value is not None})


def open_tracing(endpoint: str | None) -> Tracing | Silent:
    """Traces to `endpoint` (OTLP over HTTP), or none."""
    return Tracing(endpoint) if endpoint else Silent()


def _note_error(span: "trace.Span", error: Exception) -> None:
    from opentelemetry.trace import StatusCode

    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    lines = "".join(traceback.format_exception(error))
    span.set_attribute(Span.ERROR_TYPE, kind)
    span.add_event(
        "exception",
        {"exception.type": kind, "exception.message": scrub(str(error)), "exception.stacktrace": scrub(lines)},
    )
    span.set_status(StatusCode.ERROR)
