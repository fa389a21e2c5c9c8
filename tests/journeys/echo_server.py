"""The product's way of serving with one more route, which answers when the whole body has come: the client sets the pace.

python echo_server.py DATA_DIR
"""

import json
import sys

from fastapi import APIRouter, Request

from opencto.app import create_app
from opencto.cli.serving import serve
from opencto.cli.start import prepared
from opencto.identity import access
from opencto.identity.guard import GuardedRoute

router = APIRouter(route_class=GuardedRoute)


@router.post("/echo")
@access.open_to_all("a test's own", before_claim=True)
async def echo(request: Request) -> dict[str, str]:
    return {"echo": (await request.body()).decode()}


with prepared({"OPENCTO_DATA_DIR": sys.argv[1], "OPENCTO_PORT": "0"}, lambda _sentence: None) as started:
    app = create_app(started.settings)
    app.router.routes.extend(router.routes)
    serve(
        app, started.settings, started.listener, lambda: print(json.dumps({"url": started.settings.origin}), flush=True)
    )
