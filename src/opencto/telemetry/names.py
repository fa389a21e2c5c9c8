"""Every metric, label and attribute, in one place, so that dashboards, alert rules and code cannot drift apart.

A label has few values by construction: the template of a route, never a path; a known method, never what a stranger
sent; no person, workspace, model or request id.
"""

from dataclasses import dataclass

UNKNOWN_ROUTE = "unknown"
"""The one label of every address that is not ours."""
OTHER_METHOD = "other"
WEBSOCKET = "WEBSOCKET"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", WEBSOCKET})
OURS, OPENAI = "opencto", "openai"
"""Whose answer it was, in the words of a problem's `origin`."""
CLIENT_LEFT = 499
"""The status that is counted when the caller hung up before an answer began."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's name, its sentence and its labels."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


REQUESTS = Metric(
    "opencto_http_requests_total",
    "Requests answered, by route template, method, status and whose answer it was (opencto or openai).",
    ("route", "method", "status", "origin"),
)
DURATION = Metric(
    "opencto_http_request_duration_seconds",
    "Time from the first byte of a request to the last of its answer.",
    ("route", "method"),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
OWN = Metric(
    "opencto_http_own_seconds",
    "The part of that time which was ours, without waiting for an upstream.",
    ("route",),
    (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0),
)
IN_FLIGHT = Metric("opencto_http_requests_in_flight", "Requests that are being answered now, over all processes.")
LIMIT_DECISIONS = Metric(
    "opencto_limit_decisions_total",
    "What the rate limits and spend caps decided (allowed, refused, unchecked or unavailable), by bucket.",
    ("bucket", "decision"),
)
UPSTREAM_CALLS = Metric(
    "opencto_upstream_calls_total",
    "Calls to OpenAI, by operation and outcome: ok, cancelled, or the code of the problem.",
    ("operation", "outcome"),
)
UPSTREAM_DURATION = Metric(
    "opencto_upstream_call_duration_seconds",
    "Time that calls to OpenAI took, retries and pauses included.",
    ("operation",),
    (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0),
)
BUILD = Metric("opencto_build_info", "Always 1; says which version runs.", ("version", "python"))
PART_UP = Metric("opencto_part_up", "Whether a part that /ready looks at (the database) answers: 1 or 0.", ("part",))
MODEL_DAYS = Metric(
    "opencto_model_days_left",
    "Days until the model that a setting names shuts down, where its end is known; `workspaces` is the first of all theirs.",
    ("setting",),
)
PROCESS_LABEL = "pid"
"""Each worker's own label on the standard process_* metrics."""

ALL = (
    REQUESTS,
    DURATION,
    OWN,
    IN_FLIGHT,
    LIMIT_DECISIONS,
    UPSTREAM_CALLS,
    UPSTREAM_DURATION,
    BUILD,
    PART_UP,
    MODEL_DAYS,
)


class Span:
    """Attributes of spans: OpenTelemetry's semantic conventions for HTTP and for GenAI, and one of our own."""

    METHOD = "http.request.method"
    ROUTE = "http.route"
    STATUS = "http.response.status_code"
    SCHEME = "url.scheme"
    PATH = "url.path"
    PROTOCOL_VERSION = "network.protocol.version"
    CLIENT_ADDRESS = "client.address"
    ERROR_TYPE = "error.type"
    REQUEST_ID = "opencto.request_id"
    AI_OPERATION = "gen_ai.operation.name"
    AI_PROVIDER = "gen_ai.provider.name"
    AI_REQUEST_MODEL = "gen_ai.request.model"
    AI_RESPONSE_MODEL = "gen_ai.response.model"
    AI_RESPONSE_ID = "gen_ai.response.id"
    AI_INPUT_TOKENS = "gen_ai.usage.input_tokens"
    AI_CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
    AI_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
