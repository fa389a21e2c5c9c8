"""The pages: a common layout around hand-written HTML, and the one page of the web app, which finds its own way by its
address. What they show comes from the API, so the shell is open to all. Where the web app is not built, its addresses
show the home page, which says so.
"""

import hashlib
import html
from dataclasses import dataclass

from opencto.core.settings import Settings
from opencto.dashboard.assets import Assets, page_source
from opencto.dashboard.csp import page_policy, reference_policy


@dataclass(frozen=True)
class Page:
    """One page: its address, the file of its content in `pages/`, and what it is for."""

    path: str
    name: str
    title: str
    about: str


PAGES = (
    Page("/", "home", "OpenCTO", "The first page: what is here, or how to begin."),
    Page("/claim", "claim", "Claim this server", "Take the server with the link that its terminal printed."),
    Page("/login", "login", "Sign in", "Sign in with a password or single sign-on."),
    Page("/invite", "invite", "Invitation", "Join a workspace with the link of an invitation."),
    Page("/reset", "reset", "New password", "Set a new password with the link of the command line."),
    Page("/account", "account", "Account", "Your name, password, second factor, sign-ins and API tokens."),
    Page("/docs", "docs", "API reference", "Every route, from /openapi.json, without leaving the machine."),
)


APP_PAGES = (
    Page("/talk", "talk", "Talk", "Talk with the assistant, by voice or in writing."),
    Page("/diagnostics", "diagnostics", "Check the sound", "Which link of a conversation is weak on this device."),
    Page(
        "/https", "https", "HTTPS on your network", "How a phone reaches this server safely, and gives it a microphone."
    ),
    Page("/models", "models", "Models", "Models with their shut-down dates, and who uses them."),
    Page("/usage", "usage", "Usage", "What was used and what it cost."),
    Page("/keys", "keys", "Keys", "The OpenAI keys of a workspace."),
    Page("/sessions", "sessions", "Sessions", "What was said in voice sessions, with tools, cost and latency."),
    Page("/people", "people", "People and access", "Members, invitations, and who may do what."),
    Page("/workspace", "workspace", "Workspace", "The assistant, its models, limits and spend caps."),
    Page("/audit", "audit", "Audit", "Who did what to what, from where."),
)
"""Pages of the web app beside `/`. Each has rows with an address of their own below it: `/keys/{item}`."""


@dataclass(frozen=True)
class Rendered:
    """A page ready to be sent."""

    content: bytes
    etag: str
    csp: str


def render_all(settings: Settings, assets: Assets) -> dict[str, Rendered]:
    """Every page by its path."""
    layout, own, reference = page_source("layout"), page_policy(settings), reference_policy()
    rendered = {
        page.path: _render(page, layout, reference if page.name == "docs" else own, assets.prefix) for page in PAGES
    }
    if assets.built:
        whole = page_source("app").replace("{{assets}}", assets.prefix).encode()
        rendered["/"] = sealed(whole, own)
    return rendered | {page.path: rendered["/"] for page in APP_PAGES}


def _render(page: Page, layout: str, csp: str, prefix: str) -> Rendered:
    title = page.title if page.path == "/" else f"{page.title} · OpenCTO"
    text = (
        layout.replace("{{main}}", page_source(page.name))
        .replace("{{title}}", html.escape(title))
        .replace("{{page}}", page.name)
        .replace("{{assets}}", prefix)
    )
    return sealed(text.encode(), csp)


def sealed(content: bytes, csp: str) -> Rendered:
    """Content with the tag of what it is."""
    return Rendered(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"', csp)
