"""The pages: a common layout around hand-written HTML. What they show comes from the API, so the shell is open to all."""

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


@dataclass(frozen=True)
class Rendered:
    """A page ready to be sent."""

    content: bytes
    etag: str
    csp: str


def render_all(settings: Settings, assets: Assets) -> dict[str, Rendered]:
    """Every page by its path."""
    layout, own, reference = page_source("layout"), page_policy(settings), reference_policy()
    return {
        page.path: _render(page, layout, reference if page.name == "docs" else own, assets.prefix) for page in PAGES
    }


def _render(page: Page, layout: str, csp: str, prefix: str) -> Rendered:
    title = page.title if page.path == "/" else f"{page.title} · OpenCTO"
    text = (
        layout.replace("{{main}}", page_source(page.name))
        .replace("{{title}}", html.escape(title))
        .replace("{{page}}", page.name)
        .replace("{{assets}}", prefix)
    )
    content = text.encode()
    return Rendered(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"', csp)
