"""The product's way of serving, with tools that take so many seconds longer than they do.

python slow_server.py DATA_DIR SECONDS
"""

import asyncio
import json
import sys

from starlette.types import ASGIApp, Receive, Scope, Send

from opencto.app import create_app
from opencto.cli.serving import serve
from opencto.cli.start import prepared

TOOLS = "/api/v1/tools/"


class Slow:
    """The call of a tool waits before anything of the product sees it."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(TOOLS):
            await asyncio.sleep(self._seconds)
        await self._app(scope, receive, send)


with prepared({"OPENCTO_DATA_DIR": sys.argv[1], "OPENCTO_PORT": "0"}, lambda _sentence: None) as started:
    app = create_app(started.settings)
    app.add_middleware(Slow, seconds=float(sys.argv[2]))
    serve(
        app, started.settings, started.listener, lambda: print(json.dumps({"url": started.settings.origin}), flush=True)
    )
