"""One of the servers under measurement: `python -m benchmarks.serve floor|opencto|guarded PORT`."""

import json
import sys

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_PONG = b'{"status":"ok"}'


async def floor(scope: Scope, _receive: Receive, send: Send) -> None:
    """The least that an ASGI application can do."""
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_PONG)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _PONG})


def opencto(*, guarded: bool) -> ASGIApp:
    """The real application; `guarded` puts one hot route on it."""
    from opencto.app import create_app
    from opencto.core.configuration import load
    from opencto.identity import access
    from opencto.identity.guard import HotRoute
    from opencto.telemetry import log

    settings = load().settings
    log.configure("json", settings.log_level)
    app = create_app(settings)

    @access.signed_in()
    async def caller(request: Request) -> Response:
        found = request.scope["state"]["caller"]
        return Response(json.dumps({"personId": found.person_id}), media_type="application/json")

    if guarded:
        app.router.routes.insert(0, HotRoute("/api/v1/benchmark/caller", caller))
    return app


def main() -> None:
    which, port = sys.argv[1], int(sys.argv[2])
    app = floor if which == "floor" else opencto(guarded=which == "guarded")
    lifespan = "off" if which == "floor" else "on"
    uvicorn.run(app, port=port, log_config=None, access_log=False, loop="uvloop", http="httptools", lifespan=lifespan)


if __name__ == "__main__":
    main()
