"""The files that pages load, those of the web app included where it is built. They stand under an address that holds the digest of them all, so a browser keeps them for
good and an upgrade never mixes old with new. Swagger UI comes from its own package and is read when first asked for.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata, resources
from importlib.resources.abc import Traversable

from opencto import __version__

_SWAGGER = "fastapi_swagger"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}


@dataclass(frozen=True)
class Asset:
    """One file."""

    source: Traversable
    media_type: str

    @cached_property
    def content(self) -> bytes:
        return self.source.read_bytes()

    @cached_property
    def gzipped(self) -> bytes:
        return gzip.compress(self.content, compresslevel=6, mtime=0)


class Assets:
    """All files by name, and the address they stand under."""

    def __init__(self) -> None:
        own = {one.name: Asset(one, kind) for one in _pages().iterdir() if (kind := _kind(one.name))}
        self.built = _built_app()
        own |= self.built
        digest = hashlib.sha256(f"{__version__} {metadata.version('fastapi-swagger')}".encode())
        for name in sorted(own):
            digest.update(name.encode() + b"\x00" + own[name].content)
        swagger = resources.files(_SWAGGER) / "resources"
        third = {name: Asset(swagger / name, _kind(name) or "") for name in ("swagger-ui-bundle.js", "swagger-ui.css")}
        self.digest = digest.hexdigest()[:16]
        self.prefix = f"/assets/{self.digest}"
        self.files: Mapping[str, Asset] = {**third, **own}


def page_source(name: str) -> str:
    """The text of a page's HTML."""
    return (_pages() / f"{name}.html").read_text("utf-8")


def _built_app() -> dict[str, Asset]:
    """What `make run` built from `dashboard/`; empty where it did not."""
    folder = resources.files("opencto.dashboard") / "app"
    if not (folder / "app.js").is_file():
        return {}
    return {one.name: Asset(one, kind) for one in folder.iterdir() if (kind := _kind(one.name))}


def _pages() -> Traversable:
    return resources.files("opencto.dashboard") / "pages"


def _kind(name: str) -> str | None:
    return next((kind for ending, kind in _KINDS.items() if name.endswith(ending)), None)
