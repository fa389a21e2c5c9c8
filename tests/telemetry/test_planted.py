"""Planted secrets are driven through the whole application at debug level; then everything that came out is searched."""

from urllib.parse import quote

import httpx2
import pytest
from asgi_lifespan import LifespanManager
from starlette.requests import Request
from starlette.responses import Response

from opencto.app import create_app
from opencto.core.configuration import load
from opencto.identity import access
from opencto.identity.guard import HotRoute
from opencto.telemetry import log
from opencto.testing import ManualClock
from telemetry.otlp import receiver
from telemetry.test_scrub import PLANTED

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("own_logging")]


@access.open_to_all("a route that breaks with what it was sent")
async def breaks(request: Request) -> Response:
    local = request.headers["x-planted"].replace("\\n", "\n")
    log.get("test").debug("about_to_break", headers=dict(request.headers), sent=local)
    raise RuntimeError(local, local.encode(), {"password": local})


@pytest.mark.usefixtures("database")
async def test_nothing_that_comes_out_holds_a_planted_secret(
    environ: dict[str, str], clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure("json", "debug")
    answers: list[str] = []
    with receiver() as found:
        app = create_app(load({**environ, "OTEL_EXPORTER_OTLP_ENDPOINT": found.url}).settings, clock)
        app.router.routes.insert(0, HotRoute("/breaks/{what:path}", breaks))
        async with LifespanManager(app, shutdown_timeout=20):
            transport = httpx2.ASGITransport(app, client=("127.0.0.1", 50000))
            async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
                for text, _ in PLANTED.values():
                    header = text.replace("\n", "\\n")
                    for answer in (
                        await client.get(
                            f"/breaks/{quote(text, safe='')}",
                            params={"key": text},
                            headers={"X-Planted": header, "Cookie": "sid=canary7", "User-Agent": header},
                        ),
                        await client.get("/metrics", headers={"Authorization": f"Bearer {header}"}),
                        await client.request(header[:20].replace(" ", ""), "/health"),
                    ):
                        answers += [answer.text, str(answer.headers)]
                answers.append((await client.get("/metrics")).text)
        spans = str(found.requests)
    logged = capsys.readouterr().err
    broken = sum("\n" not in text for text, _ in PLANTED.values())  # no route takes a line break
    assert logged.count('"unexpected_error"') == broken
    assert "about_to_break" in logged
    assert logged.count('"route": "/breaks/{what}", "status": 500') == broken
    assert spans.count("exception.stacktrace") == broken
    assert any("opencto_http_requests_total" in answer for answer in answers)
    for kind, (_, needle) in PLANTED.items():
        for where, out in (("the log", logged), ("an answer", "\n".join(answers)), ("a span", spans)):
            assert needle not in out, f"{kind} is in {where}"
