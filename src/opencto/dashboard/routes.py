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
from opencto.dashboard import phone
from opencto.dashboard.assets import Assets
from opencto.dashboard.csp import worker_policy
from opencto.dashboard.openapi import Document
from opencto.dashboard.shell import APP_PAGES, PAGES, Page, Rendered, render_all, sealed
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
    manifest: Rendered
    worker: Rendered


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
    sections = ["", *(page.path.removeprefix("/") for page in APP_PAGES)]
    return Dashboard(
        assets,
        render_all(settings, assets),
        Document(routes, settings.origin),
        manifest=sealed(phone.manifest(assets), "default-src 'none'"),
        worker=sealed(phone.worker(assets, sections), worker_policy()),
    )


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
            media_types=("text/css", "text/javascript", "image/svg+xml", "image/png"),
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


@describe(
    "What makes an app of the pages",
    tags=["pages"],
    headers=Conditional,
    answers={
        200: Answer(
            text="A web app manifest (W3C).", schema={"type": "object"}, media_types=("application/manifest+json",)
        ),
        **_NOT_MODIFIED,
    },
    failures=[NotFound],
)
@access.open_to_all("names and icons, which are nobody's", before_claim=True)
def manifest(request: Request) -> Response:
    return _of_the_app(request, _dashboard(request).manifest, "application/manifest+json")


@describe(
    "What keeps the shell of the app",
    tags=["pages"],
    headers=Conditional,
    answers={
        200: Answer(
            text="A service worker: it keeps the files of the pages, never an answer.", media_types=("text/javascript",)
        ),
        **_NOT_MODIFIED,
    },
    failures=[NotFound],
)
@access.open_to_all("a script of the pages, which holds nothing that is anybody's", before_claim=True)
def service_worker(request: Request) -> Response:
    return _of_the_app(request, _dashboard(request).worker, "text/javascript")


def _of_the_app(request: Request, rendered: Rendered, media_type: str) -> Response:
    if not _dashboard(request).assets.built:
        raise NotFound("The web app is not built. `make run` does it where Node.js is there.")
    answer = _conditional(request, rendered.content, rendered.etag, media_type)
    answer.headers["Content-Security-Policy"] = rendered.csp
    return answer


class RowPath(Wire):
    """Where a row of a page stands."""

    item: str = Field(description="The id of the row whose side sheet is open.")


def _page_route(page: Page, *, row: bool = False) -> HotRoute:
    @describe(
        f"{page.about} With one row open." if row else page.about,
        tags=["pages"],
        path=RowPath if row else None,
        headers=Conditional,
        answers={200: Answer(text="The page.", media_types=("text/html",)), **_NOT_MODIFIED},
    )
    @access.open_to_all("the shell of the page; what it shows it asks the API for", before_claim=True)
    def endpoint(request: Request) -> Response:
        rendered = _dashboard(request).pages[page.path]
        answer = _conditional(request, rendered.content, rendered.etag, "text/html")
        answer.headers["Content-Security-Policy"] = rendered.csp
        return answer

    endpoint.__name__ = f"{page.name}_{'row_' if row else ''}page"
    return HotRoute(f"{page.path}/{{item}}" if row else page.path, endpoint)


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
        *(_page_route(page) for page in (*PAGES, *APP_PAGES)),
        *(_page_route(page, row=True) for page in APP_PAGES),
        HotRoute("/assets/{digest}/{name}", page_asset),
        HotRoute("/manifest.webmanifest", manifest),
        HotRoute("/service-worker.js", service_worker),
        HotRoute("/openapi.json", openapi_document),
    ]
)
