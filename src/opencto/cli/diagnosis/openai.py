"""What OpenAI, or what stands in for it, gives through the server: a key, a secret, a conversation, models, usage."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from opencto.cli.diagnosis.finding import Finding, as_object, content_of, failed, passed, refused, warned
from opencto.cli.diagnosis.realtime import Secret, converse

if TYPE_CHECKING:
    import httpx2

_SERVED_BY = {
    "user": "your own key",
    "workspace": "the workspace's key",
    "server": "the server's key (OPENAI_API_KEY)",
    "none": "OPENAI_BASE_URL of the server, without a key",
    "sandbox": "the local sandbox, as there is no key",
}


def served(client: "httpx2.Client", workspace: str | None, *, is_local: bool) -> Iterator[Finding]:
    """All lines that reach the upstream. Nothing here is billed: a secret that is not spoken with costs nothing."""
    question = {"workspaceId": workspace} if workspace else {}
    listed = client.get("/api/v1/cto/openai/models", params=question)
    yield from keys(client.get("/api/v1/llm/keys", params=question), listed)
    minted = client.post("/api/v1/realtime/token", json=question)
    finding = token(minted)
    yield finding
    if finding.result == "passed":
        found = content_of(minted)
        secret = Secret(found["websocketUrl"], found["clientSecret"], found.get("keySource") == "sandbox")
        yield converse(secret, own_address=str(client.base_url) if is_local else None)
    yield from models(listed)
    yield usage(client.get("/api/v1/cto/openai/usage", params=question))


def keys(answer: "httpx2.Response", listed: "httpx2.Response") -> Iterator[Finding]:
    """The stored keys with their report cards, and which key serves; `listed` is the answer of the list of models."""
    if answer.status_code != 200:
        yield refused("key", answer)
        return
    stored: list[dict[str, Any]] = content_of(answer).get("keys", [])
    own = [one for scope in ("user", "workspace") for one in stored if one["scope"] == scope]
    serving = next((one for one in own if one["provider"] == "openai"), None)
    if serving is None:
        source = content_of(listed).get("keySource") if listed.status_code == 200 else None
        yield (passed("key", f"Served by {_SERVED_BY.get(source, source)}.") if source else refused("key", listed))
    for one in own:
        if one is serving or one["provider"] != "openai":
            yield _report_card(one)


def token(answer: "httpx2.Response") -> Finding:
    """One client secret, as a browser would ask for it. Its value is shown nowhere."""
    if answer.status_code != 201:
        return refused("token", answer)
    found = content_of(answer)
    remedy = "Check OPENAI_BASE_URL of the server: what answers there does not mint client secrets."
    if not isinstance(found.get("clientSecret"), str) or not found["clientSecret"]:
        return failed("token", "The clientSecret is empty.", remedy)
    if not isinstance(found.get("websocketUrl"), str) or not found["websocketUrl"].startswith(("ws://", "wss://")):
        return failed("token", "The websocketUrl leads nowhere.", remedy)
    return passed("token", f"A client secret for {found.get('model')}, from {_source(found)}.")


def models(answer: "httpx2.Response") -> Iterator[Finding]:
    """The list, and what our settings name of it: going, gone or never there."""
    if answer.status_code != 200:
        yield refused("models", answer)
        return
    found = content_of(answer)
    if not found.get("data"):
        yield failed("models", "The list is empty.", "Give the key's project access to models, at OpenAI.")
        return
    findings: list[Finding] = []
    for one in found.get("warnings", []):
        verdict = failed if one["code"] == "MODEL_SHUT_DOWN" else warned
        findings.append(verdict("models", one["message"], f"Change {one['setting']}: opencto models lists what stays."))
    findings += [
        warned(
            "models",
            f"{one['setting']} names {one['model']}, which this key does not reach.",
            f"Change {one['setting']}, or give the key's project access to it at OpenAI.",
        )
        for one in found.get("inUse", [])
        if not one["listed"]
    ]
    yield from findings or [passed("models", f"{len(found['data'])} models; those in use stay.")]


def usage(answer: "httpx2.Response") -> Finding:
    """Whether usage and costs can be read."""
    if answer.status_code != 200:
        return refused("usage", answer)
    found = content_of(answer)
    try:
        totals, source = found["totals"], found["source"]
        cost = "unknown cost" if totals["cost"] is None else f"${float(totals['cost']):,.2f}"
        return passed(
            "usage", f"{cost} for {totals['requests']:,} requests, {found['start']} to {found['end']} ({source})."
        )
    except (LookupError, TypeError, ValueError):
        return failed("usage", "The report cannot be read.", "Check that the server is of this version.")


def _report_card(key: dict[str, Any]) -> Finding:
    whose = {"user": "Your", "workspace": "The workspace's"}[key["scope"]]
    is_admin = key["provider"] != "openai"
    what = f"{whose} {'admin ' if is_admin else ''}key {key['keyHint']}"
    name = "admin key" if is_admin else "key"
    again = (
        f"opencto keys set{' openai-admin' if is_admin else ''}{'' if key['scope'] == 'user' else ' --scope workspace'}"
    )
    state, report = key["state"], as_object(key.get("report"))
    if state == "rejected":
        return failed(name, f"{what} is rejected by OpenAI.", f"Save one that OpenAI takes: {again}")
    if state == "unreadable":
        return failed(name, f"{what} does not open: the server's secrets changed.", f"Save it again: {again}")
    if state == "unchecked" or report.get("valid") is None:
        return warned(name, f"{what} was not tried yet.", "Try it: opencto keys check")
    if report.get("problems"):
        return warned(
            name, f"{what}: {' '.join(report['problems'])}", "Change its rights at OpenAI: opencto keys check"
        )
    if report.get("realtime") is False and not is_admin:
        return warned(name, f"{what} reaches no realtime model.", "Give its project access to one at OpenAI.")
    return passed(name, f"{what} serves, and was taken on {str(report.get('checkedAt'))[:10]}.")


def _source(found: dict[str, Any]) -> str:
    source = str(found.get("keySource"))
    return _SERVED_BY.get(source, source)
