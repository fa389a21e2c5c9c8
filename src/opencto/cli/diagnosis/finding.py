"""What a check found, and how a refusal of the server becomes one."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    import httpx2

Result = Literal["passed", "warned", "failed"]

_REMEDIES = {
    "UNAUTHENTICATED": "Make a token there, `opencto token create doctor --scope all`, and set OPENCTO_TOKEN to it.",
    "FORBIDDEN": "Use a token with the scopes status:read, keys:read, realtime and openai:read, of a member of the workspace.",
    "NOT_CLAIMED": "Run `opencto claim` on the machine of the server and open its link.",
    "WORKSPACE_REQUIRED": "Name one: opencto doctor --workspace NAME.",
    "NOT_FOUND": "Check --workspace, and that OPENCTO_BASE_URL leads to an OpenCTO server.",
    "NO_PROVIDER_KEY": "Save a key with `opencto keys set`, or start the server with OPENAI_API_KEY or without OPENCTO_SANDBOX=off.",
    "PROVIDER_KEY_REJECTED": "Save a key that OpenAI takes: `opencto keys set`; the server's own is OPENAI_API_KEY.",
    "PROVIDER_KEY_UNREADABLE": "Save the key again with `opencto keys set`, or bring the server's secrets back.",
    "PROVIDER_RATE_LIMITED": "OpenAI limits this key: wait a minute, or ask for a higher limit there.",
    "PROVIDER_QUOTA_EXHAUSTED": "Add credit at OpenAI, or save another key with `opencto keys set`.",
    "PROVIDER_TIMEOUT": "Look at status.openai.com and at the way from the server to OpenAI, and try again.",
    "PROVIDER_ERROR": "Look at status.openai.com and at OPENAI_BASE_URL of the server, and try again.",
    "RATE_LIMITED": "Wait a minute, or raise the limit: opencto limits --help.",
    "SPEND_CAP_REACHED": "Raise the budget of the month: opencto limits --help.",
    "PROJECTS_NOT_CONFIGURED": "Name the workspace's OpenAI projects in its settings (openaiProjectIds).",
}


@dataclass(frozen=True)
class Finding:
    """One line. `remedy` says what to do; None where nothing needs doing."""

    name: str
    result: Result
    message: str
    remedy: str | None = None


def passed(name: str, message: str) -> Finding:
    return Finding(name, "passed", message)


def warned(name: str, message: str, remedy: str) -> Finding:
    return Finding(name, "warned", message, remedy)


def failed(name: str, message: str, remedy: str) -> Finding:
    return Finding(name, "failed", message, remedy)


def refused(name: str, answer: "httpx2.Response") -> Finding:
    """The server's own words for a refusal, and what to do about its code."""
    problem = content_of(answer)
    detail, code = problem.get("detail"), problem.get("code")
    if not isinstance(detail, str) or not isinstance(code, str):
        return failed(
            name,
            f"{answer.status_code} without a word that could be read.",
            "Check that the address leads to an OpenCTO server, and look into its log.",
        )
    return failed(
        name,
        f"{answer.status_code} {code}: {detail}",
        _REMEDIES.get(code, f"Look into the server's log for {problem.get('requestId', 'this request')}."),
    )


def content_of(answer: "httpx2.Response") -> dict[str, Any]:
    """The JSON object of an answer; an empty one when it is no such thing."""
    return parsed(answer.content)


def parsed(text: str | bytes) -> dict[str, Any]:
    """The JSON object of a text; an empty one when it is no such thing."""
    try:
        return as_object(json.loads(text))
    except ValueError:
        return {}


def as_object(value: object) -> dict[str, Any]:
    """The value where it is a JSON object, else an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
