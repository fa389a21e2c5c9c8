"""The one place where everything is wired. `create_app` builds; the lifespan opens and closes in reverse."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from opencto import __version__
from opencto.core.clock import Clock, SystemClock
from opencto.core.database import Database
from opencto.core.keyring import Keyring
from opencto.core.problems import Problem
from opencto.core.settings import Settings
from opencto.identity.authentication import Authenticator
from opencto.identity.claim_state import ClaimState
from opencto.identity.guard import Gatekeeper, undeclared
from opencto.identity.services import build_identity
from opencto.identity.work import Desk
from opencto.ledger.audit import AuditLog
from opencto.ops.routes import router as ops_router
from opencto.telemetry import log, problems
from opencto.telemetry.edge import Edge, Observer
from opencto.telemetry.health import HealthBoard

FLUSH_SECONDS = 5


class UndeclaredRouteError(Exception):
    """A route was added without saying who may call it."""


@dataclass
class House:
    """What the application stands on, for `cli` and tests. Routes reach their services through dependencies instead."""

    settings: Settings
    database: Database
    clock: Clock
    keyring: Keyring
    health: HealthBoard = field(default_factory=HealthBoard)


def open_house(settings: Settings, clock: Clock | None = None) -> House:
    """The ground floor without a web server: the command line stands on it too. The database must be migrated."""
    clock = clock or SystemClock()
    database = Database.from_settings(settings)
    keyring = Keyring(settings.data_dir / "secrets", settings.master_key, database, clock)
    return House(settings, database, clock, keyring)


def create_app(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """The whole server as an ASGI application. The database must be migrated (`opencto up` does)."""
    house = open_house(settings, clock)
    authenticator = Authenticator(
        house.database,
        house.clock,
        session_idle_hours=settings.session_idle_hours,
        csrf_key=house.keyring.key("session"),
    )
    desk = Desk(house.database, house.clock, house.keyring.key("idempotency"))

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with asyncio.TaskGroup() as tasks:
            flusher = tasks.create_task(_flush_forever(authenticator))
            try:
                yield
            finally:
                flusher.cancel()
        await asyncio.to_thread(authenticator.flush)
        house.database.close()

    app = FastAPI(
        title="OpenCTO", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.house = house
    app.state.gatekeeper = Gatekeeper(authenticator, ClaimState(house.database))
    app.state.desk = desk
    app.state.health = house.health
    app.state.identity = build_identity(settings, house.database, house.clock, house.keyring, authenticator, AuditLog())
    house.health.add("database", house.database.ping)

    for router in (ops_router,):
        app.router.routes.extend(router.routes)
    loose = undeclared(app.router.routes)
    if loose:
        raise UndeclaredRouteError(f"no access declaration: {', '.join(loose)}")

    app.add_exception_handler(Problem, problems.on_problem)
    app.add_exception_handler(RequestValidationError, problems.on_validation)
    app.add_exception_handler(HTTPException, problems.on_http)
    observers: tuple[Observer, ...] = ()
    app.add_middleware(
        Edge,
        trusted_proxies=settings.trusted_proxies,
        max_body_bytes=settings.max_body_bytes,
        csp="default-src 'none'; frame-ancestors 'none'",
        hsts=settings.cookie_secure,
        observers=observers,
    )
    return app


async def _flush_forever(authenticator: Authenticator) -> None:
    logger = log.get("identity")
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        try:
            await asyncio.to_thread(authenticator.flush)
        except Problem as problem:
            logger.warning("last_use_not_saved", code=problem.code)
