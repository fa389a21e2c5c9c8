"""Every page and asset: it resolves, it carries its policy, and nothing in it is inline."""

import re
from html.parser import HTMLParser

import httpx2
import pytest
from fastapi import FastAPI

from opencto.core.configuration import load
from opencto.dashboard.assets import Assets
from opencto.dashboard.csp import page_policy, reference_policy
from opencto.dashboard.shell import PAGES

pytestmark = pytest.mark.anyio
FORBIDDEN = re.compile(r"unsafe-inline|unsafe-eval|\*|https?://")


class Inline(HTMLParser):
    """Collects what a page refers to and what stands in it where only references may."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.inline: list[str] = []
        self._in: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links.update(value for name in ("href", "src") if (value := given.get(name)))
        self.inline += [f"<{tag} {name}>" for name in given if name.startswith("on") or name == "style"]
        self.inline += [f"{tag} → {value}" for value in given.values() if value and value.startswith("javascript:")]
        if tag == "style":
            self.inline.append("<style>")
        self._in = "script" if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._in == "script" and data.strip():
            self.inline.append("<script>")

    def handle_endtag(self, tag: str) -> None:
        self._in = None if tag == "script" else self._in


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
@pytest.mark.usefixtures("request")
async def test_a_page_refers_to_what_is_there_and_holds_nothing_inline(
    page: object, client: httpx2.AsyncClient
) -> None:
    path = next(one.path for one in PAGES if one is page)
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not FORBIDDEN.search(policy)
    assert "{{" not in answer.text
    parser = Inline()
    parser.feed(answer.text)
    assert parser.inline == []
    pages = {one.path for one in PAGES} | {"/ready", "/manifest.webmanifest"}
    for link in parser.links - {"#main"}:
        if link.startswith("/api/v1/auth/oidc"):
            continue  # leads to the issuer, and is shown only where one is set up
        assert link.startswith("/assets/") or link in pages, link
        assert (await client.get(link)).status_code == 200, link


async def test_an_asset_is_kept_for_good_and_imports_only_what_is_there(
    app: FastAPI, client: httpx2.AsyncClient
) -> None:
    assets: Assets = app.state.dashboard.assets
    for name, asset in assets.files.items():
        answer = await client.get(f"{assets.prefix}/{name}")
        assert answer.content == asset.content, name
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["content-type"].startswith(asset.media_type)
        if name.startswith("swagger-ui") or name in assets.built or name.endswith(".png"):
            continue
        text = asset.content.decode()
        for wanted in re.findall(r'from "\./([^"]+)"|url\("?([^")]+)', text):
            assert "".join(wanted) in assets.files
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\.", text
        )
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), name
        if name.endswith(".svg"):
            assert not re.search(r"<style|<script|style=|\son\w+=", text)


async def test_an_asset_of_another_version_is_not_found(app: FastAPI, client: httpx2.AsyncClient) -> None:
    answer = await client.get("/assets/0000000000000000/base.css")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    prefix = app.state.dashboard.assets.prefix
    assert (await client.get(f"{prefix}/..%2Flayout.html")).status_code == 404


async def test_an_asset_comes_plain_to_who_does_not_know_gzip(app: FastAPI, client: httpx2.AsyncClient) -> None:
    url = f"{app.state.dashboard.assets.prefix}/base.css"
    plain = await client.get(url, headers={"Accept-Encoding": "identity"})
    packed = await client.get(url, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.content == packed.content


async def test_a_page_answers_304_with_its_policy_and_takes_head(client: httpx2.AsyncClient) -> None:
    first = await client.get("/login")
    again = await client.get("/login", headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert again.status_code == 304
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    assert (await client.head("/login")).status_code == 200


def test_the_policy_opens_the_sockets_of_the_configured_servers_alone() -> None:
    plain = page_policy(load({}).settings)
    assert "connect-src 'self' ws://127.0.0.1:8787 wss://api.openai.com;" in plain
    moved = load(
        {"OPENCTO_PUBLIC_URL": "https://cto.example.com", "OPENAI_BASE_URL": "http://localhost:11434"}
    ).settings
    assert "connect-src 'self' wss://cto.example.com ws://localhost:11434;" in page_policy(moved)
    assert "ws" not in reference_policy()
