"""The last door of a span: whatever was put into it, by us or by a library, leaves without a secret.

It runs in the exporter's own thread, so that it costs a request nothing. Imported only when traces are on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace.status import Status

from opencto.telemetry.scrub import MASK, is_secret_name, scrub


class ScrubbingExporter(SpanExporter):
    """Cleans spans and hands them on."""

    def __init__(self, onward: SpanExporter) -> None:
        self._onward = onward

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._onward.export([_cleaned(span) for span in spans])

    def shutdown(self) -> None:
        self._onward.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._onward.force_flush(timeout_millis)


def _cleaned(span: ReadableSpan) -> ReadableSpan:
    description = span.status.description
    return ReadableSpan(
        name=scrub(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_attributes(span.attributes),
        events=[Event(scrub(event.name), _attributes(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code, scrub(description) if description else None),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in (attributes or {}).items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return MASK if is_secret_name(name) else scrub(value)
    if isinstance(value, (list, tuple)):
        return [_value(name, item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
