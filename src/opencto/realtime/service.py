"""Minting: one short-lived client secret, bound to one session, for one person."""

from collections.abc import Mapping
from urllib.parse import urlencode

from opencto.calls.path import CallPath, Plan, Receipt, Result
from opencto.core.clock import Clock, millis
from opencto.core.ids import new_id
from opencto.core.settings import Settings
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.work import Pledge
from opencto.providers.answers import ClientSecret
from opencto.realtime import repository
from opencto.realtime.errors import ModelNotAllowed
from opencto.realtime.ports import SettingsOfWorkspace, Tools
from opencto.realtime.repository import Begun
from opencto.realtime.session import session_for
from opencto.vault.resolve import Destination
from opencto.wire.limits import BucketName
from opencto.wire.realtime import RealtimeToken, RealtimeTokenRequest

SURFACE: BucketName = "realtime_token"
"""The bucket of its limit, the surface in the ledger and the subject in the audit trail."""


class RealtimeService:
    """Gives out what a conversation is started with."""

    def __init__(
        self, settings: Settings, path: CallPath, workspaces: SettingsOfWorkspace, tools: Tools, clock: Clock
    ) -> None:
        self._settings = settings
        self._path = path
        self._workspaces = workspaces
        self._tools = tools
        self._clock = clock

    async def mint(
        self, who: WorkspaceCaller, request: RealtimeTokenRequest, pledge: Pledge | None = None
    ) -> tuple[RealtimeToken, Mapping[str, str]]:
        """The token, and the headers that say how many are left. Raises ModelNotAllowed and whatever the path raises."""
        workspace = await self._workspaces.of(who.workspace_id)
        allowed = workspace.realtime_models or [self._settings.realtime_model]
        model = request.model or (
            self._settings.realtime_model if self._settings.realtime_model in allowed else allowed[0]
        )
        if model not in allowed:
            raise ModelNotAllowed.named(model, allowed)
        session = session_for(
            workspace,
            model=model,
            voice=request.voice,
            transcription_model=self._settings.transcription_model,
            tools=self._tools.for_realtime(who),
        )
        session_id = new_id("rs")
        plan = Plan(SURFACE, SURFACE, model, session_id, audit=SURFACE)
        safety = self._path.safety_identifier(who.person_id)
        async with self._path.begun(who, plan, pledge) as receipt:
            secret = await receipt.door.mint_client_secret(
                receipt.destination.key, session, ttl_seconds=request.ttl_seconds, safety_identifier=safety
            )
            receipt.result = Result(secret.upstream, model=model, is_free=True)
            token = self._token(who, session_id, model, secret, receipt)
            receipt.answer = (token, 201)
            begun = Begun(
                session_id,
                who.workspace_id,
                who.person_id,
                model,
                session.voice,
                receipt.destination.source,
                receipt.destination.key_id,
                is_text_stored=workspace.transcript_retention_days != 0,
            )
            receipt.also.append(lambda tx: repository.begin(tx, begun, millis(self._clock.now())))
        return token, receipt.headers

    def _token(
        self, who: WorkspaceCaller, session_id: str, model: str, secret: ClientSecret, receipt: Receipt
    ) -> RealtimeToken:
        return RealtimeToken(
            client_secret=secret.value.reveal(),
            expires_at=secret.expires_at,
            model=model,
            websocket_url=websocket_url(receipt.destination, self._settings, model),
            session_id=session_id,
            key_source=receipt.destination.source,
            workspace_id=who.workspace_id,
        )


def websocket_url(destination: Destination, settings: Settings, model: str) -> str:
    """Where the browser connects: the upstream itself, or this server's own address when its sandbox serves."""
    base = f"{settings.origin}/sandbox/v1" if destination.source == "sandbox" else destination.base_url
    scheme, _, rest = base.partition("://")
    return f"{'wss' if scheme == 'https' else 'ws'}://{rest}/realtime?{urlencode({'model': model})}"
