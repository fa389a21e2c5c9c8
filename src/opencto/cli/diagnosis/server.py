"""The server itself: whether it answers, what it stands on, its clock, its name, and how it answered others."""

import ipaddress
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from opencto import __version__
from opencto.cli.diagnosis.finding import Finding, content_of, failed, passed, refused, warned

if TYPE_CHECKING:
    import httpx2

WARN_SKEW_SECONDS, FAIL_SKEW_SECONDS = 5, 60
_BUCKETS = ("realtime_token", "cto_openai_proxy")
_MANY = 5
"""Requests in five minutes from which on a rate says something."""


def reachable(client: "httpx2.Client") -> Iterator[Finding]:
    """`/health` and the clock of its answer, then `/ready` part by part."""
    sent = time.time()
    health = client.get("/health")
    received = time.time()
    if health.status_code != 200 or content_of(health).get("status") != "ok":
        yield failed(
            "server",
            f"{client.base_url} answers /health with {health.status_code}, not as OpenCTO does.",
            "Check the address, and a proxy before the server.",
        )
        return
    ready = content_of(client.get("/ready"))
    if ready.get("status") == "draining":
        yield warned(
            "server", f"{client.base_url} is on its way out.", "Wait for the next one to start, and ask again."
        )
    elif ready.get("status") in {"ready", "unavailable"}:
        yield passed("server", f"{str(client.base_url).rstrip('/')} answers.")
    else:
        yield failed("server", "/ready does not answer as OpenCTO does.", "Check a proxy before the server.")
        return
    checks: dict[str, str] = ready.get("checks") or {}
    for part, said in checks.items():
        yield (
            passed(part, "It answers.")
            if said == "ok"
            else failed(part, "It does not answer the server.", f"Start the {part}, and look into the server's log.")
        )
    yield clock(health.headers.get("date"), sent, received)


def clock(date: str | None, sent: float, received: float) -> Finding:
    """The server's Date beside ours. `sent` and `received` are unix seconds around its answer."""
    try:
        told = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return warned("clock", "The server does not tell its time (Date).", "Check a proxy before the server.")
    # Date has whole seconds and was said at some moment between the two, so only what is outside of that is a difference.
    ahead, behind = told - received, sent - (told + 1)
    seconds = max(ahead, behind, 0.0)
    which = "ahead of" if ahead > behind else "behind"
    message = f"The server's clock is {seconds:,.0f} s {which} this machine's."
    remedy = "Let both follow a time server: client secrets, tokens and the audit trail depend on it."
    if seconds > FAIL_SKEW_SECONDS:
        return failed("clock", message, remedy)
    if seconds > WARN_SKEW_SECONDS:
        return warned("clock", message, remedy)
    return passed("clock", f"It agrees with this machine's within {WARN_SKEW_SECONDS} s.")


def public_url(client: "httpx2.Client", *, is_local: bool) -> Finding:
    """The name that links, sign-in and `websocketUrl` are made with, beside the one that led us here."""
    import httpx2

    answer = client.get("/openapi.json")
    try:
        public = httpx2.URL(content_of(answer)["servers"][0]["url"])
    except (LookupError, TypeError, httpx2.InvalidURL):
        return failed("public URL", "/openapi.json does not name it.", "Check a proxy before the server.")
    here = client.base_url
    if public.scheme != "https" and not _is_loopback(public.host):
        return failed(
            "public URL",
            f"{public} is not HTTPS: browsers give it no microphone, and passwords travel in clear.",
            "Start the server with --tls self-signed or a certificate, or behind a proxy with TLS, and set OPENCTO_PUBLIC_URL.",
        )
    if _place(public) != _place(here) and not (is_local and _answers(public)):
        return warned(
            "public URL",
            f"The server calls itself {public}, but it was reached at {str(here).rstrip('/')}.",
            "Set OPENCTO_PUBLIC_URL of the server to the address that people use: links and sign-in lead there.",
        )
    return passed("public URL", f"{public}{'' if public.scheme == 'https' else ', on this machine alone'}.")


def credential(answer: "httpx2.Response", *, is_local: bool) -> Finding:
    """Whether the server lets us in, and its version. `answer` is that of `/api/v1/status`."""
    if answer.status_code != 200:
        return refused("credential", answer)
    whose = "A token of five minutes for this machine's owner" if is_local else "OPENCTO_TOKEN"
    version = content_of(answer).get("version")
    if version != __version__:
        return warned(
            "credential",
            f"{whose} is let in. The server is of version {version}, this program of {__version__}.",
            "Install the server's version here, so that both speak the same wire.",
        )
    return passed("credential", f"{whose} is let in; version {version}.")


def rates(status: dict[str, Any]) -> Iterator[Finding]:
    """The 429 and 5xx of the runbook's two buckets: an hour, and for an outage the last five minutes."""
    found: dict[str, dict[str, Any]] = {
        one["bucket"]: {window["window"]: window for window in one["windows"]} for one in status.get("buckets", [])
    }
    for name in _BUCKETS:
        if name not in found:
            yield failed(name, "The status has no figures for it.", "Check that the server is of this version.")
            continue
        yield _rate(name, found[name]["1h"], found[name]["5m"])


def _rate(name: str, hour: dict[str, Any], minutes: dict[str, Any]) -> Finding:
    limited, broken = hour["rateLimited"], hour["failed"]
    requests = hour["requests"]
    if sum(limited.values()) + sum(broken.values()) == 0:
        return passed(name, f"{requests:,} request{'' if requests == 1 else 's'} in the last hour, no 429, no 5xx.")
    message = f"Of {requests:,} requests in the last hour {_share(limited, requests)} met 429 and {_share(broken, requests)} 5xx."
    remedies: list[str] = []
    if limited["opencto"]:
        remedies.append("Raise the limit of the server: opencto limits --help.")
    if limited["openai"]:
        remedies.append("Ask OpenAI for a higher limit, or spread the load over keys.")
    if broken["openai"]:
        remedies.append("Look at status.openai.com.")
    if broken["opencto"]:
        remedies.append("Look for errors in the server's log.")
    is_outage = minutes["requests"] >= _MANY and 2 * sum(minutes["failed"].values()) >= minutes["requests"]
    return (failed if is_outage else warned)(name, message, " ".join(remedies))


def _share(counts: dict[str, int], requests: int) -> str:
    total = sum(counts.values())
    percent = 100 * total / requests if requests else 0
    return f"{total:,} ({percent:.1f} %; OpenAI's {counts['openai']:,}, OpenCTO's {counts['opencto']:,})"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _place(url: "httpx2.URL") -> tuple[str, str, int]:
    """Two URLs with the same place lead to the same door; all names of this machine are one."""
    host = "localhost" if _is_loopback(url.host) else url.host.lower()
    return url.scheme, host, url.port or (443 if url.scheme == "https" else 80)


def _answers(public: "httpx2.URL") -> bool:
    """Whether the way that people take, through a proxy perhaps, leads to an OpenCTO. Without a credential."""
    import httpx2

    try:
        return content_of(httpx2.get(public.join("/health"), timeout=5.0)).get("status") == "ok"
    except httpx2.TransportError:
        return False
