"""The one place where everything is wired. `create_app` builds; the lifespan opens and closes in reverse."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Mount

from opencto import __version__
from opencto.calls.checking import KeyTrial
from opencto.calls.path import CallPath
from opencto.chores import Chores
from opencto.core.batch import BatchWriter
from opencto.core.clock import Clock
from opencto.core.problems import Problem
from opencto.core.settings import Settings
from opencto.dashboard.address_routes import router as address_router
from opencto.dashboard.addresses import AddressBook
from opencto.dashboard.routes import build_dashboard
from opencto.dashboard.routes import router as dashboard_router
from opencto.house import (
    House,
    open_authenticator,
    open_house,
    open_identity,
    open_limits,
    open_sessions,
    open_vault,
)
from opencto.identity import access
from opencto.identity.account_routes import router as account_router
from opencto.identity.application import Application
from opencto.identity.auth_routes import router as auth_router
from opencto.identity.authentication import Authenticator
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.claim_state import ClaimState
from opencto.identity.guard import Gatekeeper, undeclared
from opencto.identity.invitation_routes import router as invitation_router
from opencto.identity.page_origin import PageOrigin
from opencto.identity.people_routes import router as people_router
from opencto.identity.prune import Housekeeping
from opencto.identity.services import IdentityServices
from opencto.identity.token_routes import router as token_router
from opencto.identity.work import Desk
from opencto.identity.workspace_routes import router as workspace_router
from opencto.ledger.audit import AuditLog
from opencto.ledger.routes import router as audit_router
from opencto.ledger.usage import Ledger
from opencto.ledger.usage_routes import router as ledger_router
from opencto.limits.routes import router as limits_router
from opencto.limits.service import Limits
from opencto.live.routes import routes as live_routes
from opencto.ops.budget_tools import budget_tools
from opencto.ops.model_routes import routes as model_routes
from opencto.ops.models import ModelsService
from opencto.ops.routes import router as ops_router
from opencto.ops.status import StatusBoard
from opencto.ops.status_routes import router as status_router
from opencto.ops.tools import ops_tools
from opencto.ops.usage import UsageService
from opencto.ops.usage_routes import router as usage_router
from opencto.ops.watch import ModelWatch
from opencto.providers.doors import SANDBOX_URL, Doors
from opencto.providers.errors import Upstream as UpstreamCall
from opencto.providers.openai import OPENAI
from opencto.realtime.recording import Recorder
from opencto.realtime.routes import routes as realtime_routes
from opencto.realtime.service import RealtimeService
from opencto.realtime.session_routes import router as session_router
from opencto.realtime.sessions import Sessions
from opencto.realtime.tools import realtime_tools
from opencto.sandbox.app import Sandbox, create_sandbox
from opencto.sandbox.config import InternalKeys, SandboxConfig
from opencto.telemetry import log, problems, timing
from opencto.telemetry.access_log import AccessLog
from opencto.telemetry.edge import Edge
from opencto.telemetry.metrics import Metrics
from opencto.telemetry.tracing import Silent, Tracing, open_tracing
from opencto.tools.approval_routes import router as approval_router
from opencto.tools.approvals import Approvals
from opencto.tools.gate import Gate
from opencto.tools.library.access import access_tools
from opencto.tools.registry import Registry
from opencto.tools.routes import router as tools_router
from opencto.vault.resolve import LocalSandbox, Resolver
from opencto.vault.routes import VaultServices
from opencto.vault.routes import router as vault_router
from opencto.voice.routes import routes as voice_routes
from opencto.voice.service import VoiceService
from opencto.wire.limits import BucketName

FLUSH_SECONDS = 5
AUDIT_SECONDS = 3_600


class UndeclaredRouteError(Exception):
    """A route was added without saying who may call it."""


@dataclass
class Upstream:
    """Everything on the way to OpenAI, and the surfaces that go there."""

    writer: BatchWriter
    doors: Doors
    limits: Limits
    ledger: Ledger
    vault: VaultServices
    path: CallPath
    realtime: RealtimeService
    recorder: Recorder
    sessions: Sessions
    voice: VoiceService
    models: ModelsService
    usage: UsageService
    watch: ModelWatch
    status: StatusBoard
    tools: Gate
    approvals: Approvals
    chores: Chores

    async def aclose(self) -> None:
        """After the last request: what was begun is written down."""
        await self.models.aclose()
        await self.usage.aclose()
        await self.status.aclose()
        await asyncio.to_thread(self.writer.stop)
        await self.doors.aclose()
        await self.limits.store.aclose()


def open_desk(house: House) -> Desk:
    """What every write needs."""
    return Desk(house.database, house.clock, house.keyring.key("idempotency"))


def open_upstream(
    house: House,
    identity: IdentityServices,
    sandbox: Sandbox | None,
    metrics: Metrics,
    tracing: Tracing | Silent,
    desk: Desk,
) -> Upstream:
    """The path to OpenAI: doors, limits, keys, ledger, and the surfaces on it."""
    settings, database, clock = house.settings, house.database, house.clock
    writer, ledger = BatchWriter(database), Ledger(database, clock)
    doors = Doors(clock, sandbox=sandbox, observe=_UpstreamObserver(metrics))
    trial = KeyTrial(doors, settings.openai_base_url or OPENAI, writer, ledger, clock)
    keys = open_vault(house, trial)
    inside = None
    if sandbox is not None and sandbox.config.internal_keys is not None:
        internal = sandbox.config.internal_keys
        inside = LocalSandbox(SANDBOX_URL, internal.inference, internal.admin)
    resolver = Resolver(settings, database, clock, keys.open_key, inside)
    limits = open_limits(house, ledger, metrics.limit_decided)
    limiter = _Limiter(limits)
    path = CallPath(
        doors,
        resolver,
        limiter,
        writer,
        ledger,
        house.trail,
        tracing,
        clock,
        house.keyring.key("safety-identifier"),
    )
    workspaces = identity.settings_reader
    voice = VoiceService(settings, database, clock, path, workspaces)
    watch = ModelWatch(settings, database, clock)
    status = StatusBoard(database, writer, house.health, clock)
    models = ModelsService(path, resolver, limiter, workspaces, watch, clock)
    usage = UsageService(settings, database, clock, path, resolver, limiter, workspaces)
    sessions = open_sessions(house, workspaces)
    registry = Registry(
        [
            *ops_tools(models, usage, limits, status, workspaces, clock),
            *budget_tools(limits, database),
            *realtime_tools(sessions, clock),
            *access_tools(identity.tokens, database, clock),
        ]
    )
    tools = Gate(
        registry,
        database,
        clock,
        house.trail,
        desk.fingerprint,
        dry_run=False,
        approval_minutes=settings.approval_minutes,
    )
    approvals = Approvals(registry, database, clock, house.trail, desk.fingerprint)
    return Upstream(
        writer=writer,
        doors=doors,
        limits=limits,
        ledger=ledger,
        vault=VaultServices(keys, resolver),
        path=path,
        realtime=RealtimeService(settings, path, workspaces, registry, clock),
        recorder=Recorder(
            database, clock, ledger, workspaces, house.live, transcription_model=settings.transcription_model
        ),
        sessions=sessions,
        voice=voice,
        models=models,
        usage=usage,
        watch=watch,
        status=status,
        tools=tools,
        approvals=approvals,
        chores=Chores(
            settings,
            database,
            clock,
            keys,
            ledger,
            voice,
            limits,
            watch,
            status,
            tools,
            approvals,
            sessions,
            house.live,
        ),
    )


class _UpstreamObserver:
    """Tells the metrics, and the stopwatch of the request, of every call to OpenAI."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def __call__(self, upstream: UpstreamCall, code: str | None) -> None:
        self._metrics.called_upstream(upstream.operation, (code or "ok").lower(), upstream.seconds)
        timing.add_upstream(upstream.seconds)


class _Limiter:
    """The limits as what the path asks: one call counted, and what to tell the caller."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def take(self, who: WorkspaceCaller, bucket: BucketName) -> Mapping[str, str]:
        allowance = await self._limits.admit(who, bucket)
        return {} if allowance is None else allowance.headers()


def open_sandbox(house: House) -> Sandbox | None:
    """The local OpenAI for callers without a key, None when OPENCTO_SANDBOX is off. Its file is opened at its first request."""
    if house.settings.sandbox == "off":
        return None
    config = SandboxConfig(
        database=house.settings.data_dir / "sandbox.db",
        demo=house.settings.sandbox_demo == "on",
        internal_keys=InternalKeys.derived(house.keyring.key("sandbox")),
    )
    return create_sandbox(config, house.clock)


def create_app(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """The whole server as an ASGI application. The database must be migrated (`opencto up` does)."""
    house = open_house(settings, clock)
    try:
        return _assemble(house)
    except BaseException:
        house.database.close()
        raise


def _assemble(house: House) -> FastAPI:  # noqa: PLR0915 - wiring is one straight list
    settings = house.settings
    authenticator = open_authenticator(house)
    identity = open_identity(house, authenticator)
    sandbox = open_sandbox(house)
    metrics = Metrics()
    tracing = open_tracing(settings.otlp_endpoint)
    desk = open_desk(house)
    upstream = open_upstream(house, identity, sandbox, metrics, tracing, desk)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        await asyncio.to_thread(_attempt, house.audit.open)
        upstream.writer.start()
        async with asyncio.TaskGroup() as tasks:
            # They are told to stop and waited for: cancelling one would leave its thread at work on a closed database.
            stopping = asyncio.Event()
            tasks.create_task(_flush_until(stopping, authenticator, identity.housekeeping))
            tasks.create_task(_keep_audit_until(stopping, house.audit))
            tasks.create_task(upstream.chores.run_until(stopping))
            try:
                yield
            finally:
                stopping.set()
        await upstream.aclose()
        await asyncio.to_thread(authenticator.flush)
        await asyncio.to_thread(identity.housekeeping.finish)
        await asyncio.to_thread(_attempt, house.audit.anchor)
        if sandbox is not None:
            sandbox.close()
        await asyncio.to_thread(tracing.close)
        metrics.close()
        house.health.close()
        house.database.close()

    app = Application(
        title="OpenCTO",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # FastAPI's own would send query strings and the texts of exceptions, unscrubbed.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.house = house
    app.state.gatekeeper = Gatekeeper(
        authenticator, ClaimState(house.database), PageOrigin(settings.origin, settings.local_origin)
    )
    app.state.desk = desk
    app.state.health = house.health
    app.state.metrics = metrics
    app.state.tracing = tracing
    app.state.identity = identity
    app.state.audit = house.audit
    app.state.limits = upstream.limits
    app.state.ledger = upstream.ledger
    app.state.vault = upstream.vault
    app.state.path = upstream.path
    app.state.realtime = upstream.realtime
    app.state.recorder = upstream.recorder
    app.state.sessions = upstream.sessions
    app.state.live = house.live
    app.state.voice = upstream.voice
    app.state.models = upstream.models
    app.state.usage = upstream.usage
    app.state.status = upstream.status
    app.state.tools = upstream.tools
    app.state.approvals = upstream.approvals
    app.state.model_watch = upstream.watch
    app.state.addresses = AddressBook(settings)
    house.health.add("database", house.database.ping)
    if settings.redis_url:
        house.health.add("redis", upstream.limits.store.ping)

    for router in (
        ops_router,
        auth_router,
        account_router,
        workspace_router,
        people_router,
        invitation_router,
        token_router,
        audit_router,
        vault_router,
        limits_router,
        ledger_router,
        usage_router,
        status_router,
        tools_router,
        approval_router,
        session_router,
        address_router,
        dashboard_router,
    ):
        app.router.routes.extend(router.routes)
    app.router.routes.extend([*realtime_routes, *voice_routes, *model_routes, *live_routes])
    if sandbox is not None:
        declared = access.open_to_all("the sandbox takes the server's own key and nothing else")(sandbox)
        app.router.routes.append(Mount("/sandbox/v1", declared))
    loose = undeclared(app.router.routes)
    if loose:
        raise UndeclaredRouteError(f"no access declaration: {', '.join(loose)}")
    app.state.dashboard = build_dashboard(settings, app.router.routes)

    app.add_exception_handler(Problem, problems.on_problem)
    app.add_exception_handler(RequestValidationError, problems.on_validation)
    app.add_exception_handler(HTTPException, problems.on_http)
    app.add_exception_handler(Exception, problems.on_unexpected)
    app.around = partial(
        Edge,
        trusted_proxies=settings.trusted_proxies,
        max_body_bytes=settings.max_body_bytes,
        csp="default-src 'none'; frame-ancestors 'none'",
        hsts=settings.cookie_secure,
        observers=(metrics, tracing, AccessLog(), upstream.status),
    )
    return app


def _attempt(work: Callable[[], None]) -> None:
    """Anchoring at start and stop, and the hourly round: what fails is logged and tried again at the next."""
    try:
        work()
    except Problem as problem:
        log.get("audit").warning("audit.round_failed", code=problem.code)
    except Exception:  # noqa: BLE001 - the edge of a background task: a damaged trail must not stop the server
        log.get("audit").exception("audit.round_failed")


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


async def _keep_audit_until(stopping: asyncio.Event, audit: AuditLog) -> None:
    while not stopping.is_set():
        await asyncio.to_thread(_attempt, audit.maintain)
        await _pause(stopping, AUDIT_SECONDS)


async def _flush_until(stopping: asyncio.Event, authenticator: Authenticator, housekeeping: Housekeeping) -> None:
    logger = log.get("identity")
    while not stopping.is_set():
        await _pause(stopping, FLUSH_SECONDS)
        try:
            await asyncio.to_thread(authenticator.flush)
        except Problem as problem:
            logger.warning("last_use_not_saved", code=problem.code)
        try:
            await asyncio.to_thread(housekeeping.tick)
        except Problem as problem:
            logger.warning("housekeeping_put_off", code=problem.code)
