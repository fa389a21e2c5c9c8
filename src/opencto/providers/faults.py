"""From an answer that is no success to a problem of ours. Decides by status, type and code; of the text only whether it
speaks of missing scopes. Unknown types and codes are tolerated.
"""

import email.utils
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic_core import from_json

from opencto.core.secret import Secret
from opencto.providers.errors import (
    QUOTA_RETRY_SECONDS,
    ProviderError,
    ProviderKeyRejected,
    ProviderQuotaExhausted,
    ProviderRateLimited,
    ProviderTimeout,
    Upstream,
    UpstreamProblem,
)
from opencto.providers.transport import FailureKind
from opencto.telemetry import log

LONGEST_RETRY_AFTER = 86_400.0

_MISSING_SCOPES = re.compile(r"Missing scopes:\s*([a-z0-9_.]+(?:\s*,\s*[a-z0-9_.]+)*)")
_SAFE_WORD = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_RESET = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_RESET_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TOO_LONG = frozenset({"context_length_exceeded", "string_above_max_length", "array_above_max_length"})


@dataclass(frozen=True, slots=True)
class Fault:
    """OpenAI's error envelope. Every field is outside text: for deciding and for the scrubbed log, never for an answer."""

    type: str = ""
    code: str = ""
    param: str = ""
    message: str = ""

    @property
    def is_billing(self) -> bool:
        return self.type == "insufficient_quota" or self.code == "insufficient_quota"

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        found = _MISSING_SCOPES.search(self.message)
        return tuple(word.strip().rstrip(".") for word in found[1].split(",")) if found else ()


def read_fault(body: bytes) -> Fault:
    """The envelope of an error answer; an empty one when it is something else (a proxy's HTML page)."""
    try:
        document = from_json(body)
    except ValueError:
        return Fault()
    return fault_of(document)


def fault_of(document: Any) -> Fault:
    """The envelope inside a parsed document: `{"error": {…}}`, or `{"error": "text"}` as some servers have it."""
    if not isinstance(document, dict):
        return Fault()
    error = cast("dict[str, Any]", document).get("error")
    if isinstance(error, str):
        return Fault(message=error)
    if not isinstance(error, dict):
        return Fault()
    fields = cast("dict[str, Any]", error)
    texts = {name: fields.get(name) for name in ("type", "code", "param", "message")}
    return Fault(**{name: value for name, value in texts.items() if isinstance(value, str)})


def problem_of_reply(
    upstream: Upstream, headers: Mapping[str, str], body: bytes, key: Secret | None, model: str | None
) -> UpstreamProblem:
    """The problem for an answer with a status other than 2xx."""
    status = upstream.status or 0
    fault = read_fault(body)
    if 300 <= status < 400:
        return ProviderError(
            "OpenAI's address answers with a redirect, which is never followed. Correct OPENAI_BASE_URL.",
            upstream,
            "redirect",
        )
    if status in {401, 403}:
        return _rejected(upstream, status, fault, key)
    if status == 429:
        return problem_of_limit(upstream, fault, headers)
    if status >= 500 or status == 408:
        cause = "overloaded" if status == 503 else "server_error"
        problem = ProviderError("OpenAI has a problem of its own right now. Try again shortly.", upstream, cause)
        problem.retry_after = retry_after(headers)
        return problem
    return _refused(upstream, fault, key, model)


def problem_of_stream(upstream: Upstream, fault: Fault, key: Secret | None) -> UpstreamProblem:
    """The problem for an error object in the middle of a stream."""
    if fault.is_billing or fault.code in {"rate_limit_exceeded", "slow_down"}:
        return problem_of_limit(upstream, fault, {})
    _log(upstream, fault, key)
    return ProviderError("OpenAI broke off in the middle of its answer. Try again.", upstream, "stream_error")


def problem_of_failure(upstream: Upstream, kind: FailureKind) -> UpstreamProblem:
    """The problem for an exchange that did not come to its end."""
    match kind:
        case "timeout":
            return ProviderTimeout("OpenAI did not answer in time. Try again shortly.", upstream, "timeout")
        case "unreachable":
            return ProviderError(
                "OpenAI cannot be reached from this server. Check its network, its proxy and OPENAI_BASE_URL.",
                upstream,
                "unreachable",
            )
        case "reset":
            return ProviderError("The connection to OpenAI broke. Try again.", upstream, "connection_lost")
        case "too_large":
            return ProviderError("OpenAI answered with more than this server accepts.", upstream, "too_large")
        case "garbage":
            return garbage(upstream)


def garbage(upstream: Upstream) -> ProviderError:
    """The problem for an answer that is not what OpenAI's wire says."""
    return ProviderError(
        "What came back is not an answer of OpenAI's. Check OPENAI_BASE_URL and what stands between.",
        upstream,
        "garbage",
    )


def malformed_key(upstream: Upstream) -> ProviderKeyRejected:
    """The problem for a key that cannot even be sent."""
    return ProviderKeyRejected(
        "The key contains blanks, line breaks or characters that no key has. Save it again.", upstream, "malformed_key"
    )


def _rejected(upstream: Upstream, status: int, fault: Fault, key: Secret | None) -> UpstreamProblem:
    scopes = fault.missing_scopes
    if scopes:
        # Scope names are OpenAI's own short words; they tell an administrator what to tick.
        detail, cause = (
            "The key is real but lacks a permission this needs. Give it more permissions, or use another key.",
            "missing_scopes",
        )
    elif fault.code == "model_not_found":
        detail, cause = (
            "The key's project may not use this model. Allow it at OpenAI, or choose another model.",
            "model_not_found",
        )
    elif fault.code == "unsupported_country_region_territory":
        detail, cause = "OpenAI does not serve the country this server stands in.", "unsupported_region"
    elif key is None:
        detail, cause = "The server at OPENAI_BASE_URL wants a key and there is none. Add one.", "no_key"
    elif status == 401:
        detail, cause = "OpenAI does not know this key any more. Save a new one.", "invalid_key"
    else:
        detail, cause = "OpenAI forbids this key what was asked. Check its permissions and project.", "forbidden"
    log.get("providers").warning(
        "key_rejected",
        operation=upstream.operation,
        status=status,
        cause=cause,
        upstream_request_id=upstream.request_id,
    )
    return ProviderKeyRejected(detail, upstream, cause)


def problem_of_limit(upstream: Upstream, fault: Fault, headers: Mapping[str, str]) -> UpstreamProblem:
    """The problem for OpenAI's own 429: a pace that recovers, or a budget that does not."""
    told = retry_after(headers) or _reset_seconds(headers)
    if fault.is_billing:
        wait = told or QUOTA_RETRY_SECONDS
        problem: UpstreamProblem = ProviderQuotaExhausted(
            "The OpenAI account behind this key has no credit, or reached its spend limit. Its owner can change that at OpenAI.",
            upstream,
            "quota",
            headers=_limit_headers(headers, wait),
        )
    else:
        wait = told or 1.0
        problem = ProviderRateLimited(
            f"OpenAI's own rate limit for this key is reached (not this server's). Try again in {math.ceil(wait)} s.",
            upstream,
            "slow_down" if fault.code == "slow_down" else "rate_limit",
            headers=_limit_headers(headers, wait),
        )
    problem.retry_after = told
    return problem


def _refused(upstream: Upstream, fault: Fault, key: Secret | None, model: str | None) -> ProviderError:
    _log(upstream, fault, key)
    if fault.code in {"model_not_found", "invalid_model"} or (upstream.status == 404 and fault.param == "model"):
        name = f" {model}" if model else ""
        return ProviderError(
            f"The model{name} does not exist at OpenAI, or this key may not use it. Choose another in the settings.",
            upstream,
            "model_not_found",
        )
    if fault.code in _TOO_LONG:
        return ProviderError(
            "The conversation is longer than the model can take. Shorten it or begin anew.", upstream, "too_long"
        )
    return ProviderError(
        "OpenAI refused the request as this server made it. The log has the reason under this request id.",
        upstream,
        "refused",
    )


def _log(upstream: Upstream, fault: Fault, key: Secret | None) -> None:
    message = fault.message[:500]
    if key is not None:
        message = message.replace(key.reveal(), "***")
    log.get("providers").warning(
        "request_refused",
        operation=upstream.operation,
        status=upstream.status,
        type=fault.type[:100],
        error_code=fault.code[:100],
        param=fault.param[:200],
        reason=message,
        upstream_request_id=upstream.request_id,
    )


def _limit_headers(headers: Mapping[str, str], wait: float) -> dict[str, str]:
    quota = headers.get("x-ratelimit-limit-requests", "")
    limit = int(quota) if quota.isascii() and quota.isdigit() and len(quota) < 13 else 0
    seconds = max(1, math.ceil(wait))
    return {
        "Retry-After": str(seconds),
        "RateLimit-Policy": f'"openai";q={limit}',
        "RateLimit": f'"openai";r=0;t={seconds}',
    }


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as OpenAI tells them (`retry-after-ms`, `retry-after` as a number or a date), at most a day."""
    seconds = _number(headers.get("retry-after-ms"), 0.001)
    text = headers.get("retry-after")
    if seconds is None and text is not None:
        seconds = _number(text, 1.0)
        if seconds is None:
            try:
                seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
            except (ValueError, TypeError, OverflowError):
                return None
    return min(seconds, LONGEST_RETRY_AFTER) if seconds is not None and seconds > 0 else None


def _number(text: str | None, unit: float) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value * unit if math.isfinite(value) else None


def _reset_seconds(headers: Mapping[str, str]) -> float | None:
    """When the spent one of OpenAI's windows is full again (`x-ratelimit-reset-requests: 6m0s`)."""
    waits = [
        sum(
            float(amount) * _RESET_UNITS[unit]
            for amount, unit in _RESET.findall(headers.get(f"x-ratelimit-reset-{kind}", ""))
        )
        for kind in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{kind}") == "0"
    ]
    return min(max(waits), LONGEST_RETRY_AFTER) if waits and max(waits) > 0 else None


def safe_word(text: str | None, key: Secret | None) -> str | None:
    """A header value that is an id and nothing else, least of all the key that was sent; None otherwise."""
    if text is None or not _SAFE_WORD.fullmatch(text) or (key is not None and key.reveal() in text):
        return None
    return text
