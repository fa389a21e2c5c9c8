"""The pages, their assets and `/openapi.json`. Open to all: the shell holds nothing that is anybody's."""

from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from opencto.core.describe import Answer, describe
from opencto.core.problems import NotFound
from opencto.core.settings import Settings
from opencto.dashboard.assets import Assets
from opencto.dashboard.openapi import Document
from opencto.dashboard.shell import PAGES, Page, Rendered, render_all
from opencto.identity import access
from opencto.identity.guard import HotRoute
from opencto.wire.base import Wire

FOREVER = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
_NOT_MODIFIED = {304: Answer(text="What you have is what there is.", media_types=())}


@dataclass(frozen=True)
class Dashboard:
    """What the routes below serve; one per application, at `app.state.dashboard`."""

    assets: Assets
    pages: dict[str, Rendered]
    document: Document


class Conditional(Wire):
    """Headers of a request that may be answered with 304."""

    if_none_match: str | None = Field(None, alias="If-None-Match", description="The ETag of what you have.")


class AssetPath(Wire):
    """Where an asset stands."""

    digest: str = Field(description="The digest of all files of this version.")
    name: str = Field(description="The file's name.")


def build_dashboard(settings: Settings, routes: list[BaseRoute]) -> Dashboard:
    """Render the pages. `routes` is the application's own list; the document is made of what it holds when asked for."""
    assets = Assets()
    return Dashboard(assets, render_all(settings, assets), Document(routes, settings.origin))


@describe(
    "This document",
    tags=["server"],
    headers=Conditional,
    answers={200: Answer(text="OpenAPI 3.1.", schema={"type": "object"}), **_NOT_MODIFIED},
)
@access.open_to_all("what the server can do is no secret", before_claim=True)
def openapi_document(request: Request) -> Response:
    content, etag = _dashboard(request).document.get()
    return _conditional(request, content, etag, "application/json")


@describe(
    "A file that a page loads",
    tags=["pages"],
    path=AssetPath,
    answers={
        200: Answer(
            text="The file. Its address changes with its content.",
            media_types=("text/css", "text/javascript", "image/svg+xml"),
        )
    },
    failures=[NotFound],
)
@access.open_to_all("the files of the pages hold nothing that is anybody's", before_claim=True)
def page_asset(request: Request) -> Response:
    assets = _dashboard(request).assets
    asset = assets.files.get(request.path_params["name"]) if request.path_params["digest"] == assets.digest else None
    if asset is None:
        raise NotFound("There is no such file in this version. Reload the page.")
    headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.gzipped, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.content, headers=headers, media_type=asset.media_type)


def _page_route(page: Page) -> HotRoute:
    @describe(
        page.about,
        tags=["pages"],
        headers=Conditional,
        answers={200: Answer(text="The page.", media_types=("text/html",)), **_NOT_MODIFIED},
    )
    @access.open_to_all("the shell of the page; what it shows it asks the API for", before_claim=True)
    def endpoint(request: Request) -> Response:
        rendered = _dashboard(request).pages[page.path]
        answer = _conditional(request, rendered.content, rendered.etag, "text/html")
        answer.headers["Content-Security-Policy"] = rendered.csp
        return answer

    endpoint.__name__ = f"{page.name}_page"
    return HotRoute(page.path, endpoint)


def _dashboard(request: Request) -> Dashboard:
    return request.app.state.dashboard


def _conditional(request: Request, content: bytes, etag: str, media_type: str) -> Response:
    headers = {"ETag": etag, "Cache-Control": REVALIDATE}
    held = request.headers.get("if-none-match", "")
    if etag in {one.strip().removeprefix("W/") for one in held.split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


router = APIRouter(
    routes=[
        *(_page_route(page) for page in PAGES),
        HotRoute("/assets/{digest}/{name}", page_asset),
        HotRoute("/openapi.json", openapi_document),
    ]
)
