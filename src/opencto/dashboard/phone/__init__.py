"""What makes an app of the pages: the manifest, and the worker that keeps their shell."""

import json
from importlib import resources

from opencto.dashboard.assets import Assets

GROUND = "#0d1013"
"""The dark ground of `tokens.css`, as `scripts/icons.py` reads it: what a phone shows while the app opens."""


def manifest(assets: Assets) -> bytes:
    """The web app manifest (W3C Application Manifest). It opens on Talk."""
    return json.dumps(
        {
            "id": "/",
            "name": "OpenCTO",
            "short_name": "OpenCTO",
            "description": "The assistant of your engineering team, by voice and in writing.",
            "start_url": "/talk",
            "scope": "/",
            "display": "standalone",
            "background_color": GROUND,
            "theme_color": GROUND,
            "icons": [
                _icon(assets, "icon-192.png", 192, "any"),
                _icon(assets, "icon-512.png", 512, "any"),
                _icon(assets, "icon-maskable-512.png", 512, "maskable"),
            ],
            "shortcuts": [
                {"name": "Talk", "url": "/talk"},
                {"name": "Usage and costs", "url": "/usage"},
                {"name": "Sessions", "url": "/sessions"},
            ],
        }
    ).encode()


def worker(assets: Assets, sections: list[str]) -> bytes:
    """The service worker of this version. `sections` are the first parts of the addresses that show the app, "" among them."""
    source = (resources.files("opencto.dashboard.phone") / "service-worker.js").read_text("utf-8")
    files = [f"{assets.prefix}/{name}" for name in sorted([*assets.built, "tokens.css", "mark.svg"])]
    return (
        source.replace("{{digest}}", assets.digest)
        .replace("{{files}}", json.dumps(files))
        .replace("{{sections}}", json.dumps(sections))
        .encode()
    )


def _icon(assets: Assets, name: str, pixels: int, purpose: str) -> dict[str, str]:
    return {
        "src": f"{assets.prefix}/{name}",
        "sizes": f"{pixels}x{pixels}",
        "type": "image/png",
        "purpose": purpose,
    }
