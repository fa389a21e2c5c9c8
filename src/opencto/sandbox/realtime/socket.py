"""GET /v1/realtime: who may come in, with which session, and how the socket is closed."""

import asyncio
import logging

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket

from opencto.core.clock import Clock
from opencto.core.problems import Unavailable
from opencto.sandbox.config import SandboxConfig
from opencto.sandbox.errors import ApiError, bad_request, not_in_sandbox, overloaded, server_error
from opencto.sandbox.keys import Doorkeeper, Key, missing_key, wrong_key
from opencto.sandbox.ports import Answering, Ears, Voice
from opencto.sandbox.realtime.outbox import Outbox
from opencto.sandbox.realtime.responding import Means
from opencto.sandbox.realtime.settings import AnySession, Settings, restored
from opencto.sandbox.realtime.talk import Talk
from opencto.sandbox.realtime.trouble import Troubles
from opencto.sandbox.session import RealtimeSession, TranscriptionSession
from opencto.sandbox.session_rules import check
from opencto.sandbox.store import Store

_KEY_PROTOCOL = "openai-insecure-api-key."
_BETA_PROTOCOL = "openai-beta.realtime-v1"
_REASON_BYTES = 123
"""More does not fit into a close frame."""

logger = logging.getLogger("opencto.sandbox")


class RealtimeRoutes:
    """Without `ears` sound is kept and not understood; without a `voice` every session answers in writing."""

    def __init__(
        self,
        doorkeeper: Doorkeeper,
        store: Store,
        clock: Clock,
        config: SandboxConfig,
        *,
        mind: Answering,
        ears: Ears | None,
        voice: Voice | None,
    ) -> None:
        self._doorkeeper = doorkeeper
        self._store = store
        self._clock = clock
        self._config = config
        self._mind = mind
        self._ears = ears
        self._voice = voice

    async def serve(self, socket: WebSocket) -> None:
        offered: list[str] = socket.scope.get("subprotocols", [])
        # Like OpenAI, accept first and refuse in words: a browser cannot read why a handshake failed.
        await socket.accept("realtime" if "realtime" in offered else None)
        outbox = Outbox(socket)
        writing = asyncio.create_task(outbox.run())
        serving = asyncio.create_task(self._serve(socket, offered, outbox))
        try:
            await asyncio.wait({writing, serving}, return_when=asyncio.FIRST_COMPLETED)
            if not outbox.is_cut:  # else the connection ends without a word
                await serving
                await writing
        finally:
            writing.cancel()
            serving.cancel()
            await asyncio.gather(writing, serving, return_exceptions=True)

    async def _serve(self, socket: WebSocket, offered: list[str], outbox: Outbox) -> None:
        troubles = Troubles(self._store, outbox, is_on=self._config.fault_control or bool(self._config.faults))
        try:
            key, session = await self._enter(socket, offered)
            fault = await troubles.at_the_door()
            refusal = fault.error() if fault else None
            if refusal is not None:
                raise refusal
        except ApiError as error:
            await _refuse(outbox, error, 3000 if error.status == 401 else 4000)
            return
        except Unavailable:
            await _refuse(outbox, overloaded(), 1011)
            return
        if isinstance(session, RealtimeSession) and session.tools:
            self._mind.wake()
        seconds = self._config.realtime_minutes * 60
        settings = Settings(
            session,
            can_speak=self._voice is not None and self._voice.can_speak,
            expires_at=int(self._clock.now().timestamp() + seconds),
        )
        pause = self._config.realtime_delta_seconds
        means = Means(key, self._store, self._clock, self._mind, self._voice, troubles, pause)
        talk = Talk(settings, means, self._ears, outbox, self._config.database.parent)
        if fault is not None and fault.kind == "jitter":
            outbox.jitter_seconds = fault.value
        is_deaf = fault is not None and fault.kind == "half_open"
        try:
            async with asyncio.timeout(seconds):
                await talk.begin()
                while (message := await socket.receive())["type"] == "websocket.receive":
                    if not is_deaf:
                        await talk.take(dict(message))
            code, reason = 1000, ""
        except TimeoutError:
            minutes = f"{self._config.realtime_minutes:g}"
            expired = bad_request(
                f"Your session hit the maximum duration of {minutes} minutes.", code="session_expired"
            )
            await outbox.put_error(expired)
            code, reason = 1001, _reason(expired)
        except Exception:
            logger.exception("sandbox_realtime_failed")
            await outbox.put_error(server_error())
            code, reason = 1011, _reason(server_error())
        finally:
            await talk.end()
        await outbox.close(code, reason)

    async def _enter(self, socket: WebSocket, offered: list[str]) -> tuple[Key, AnySession]:
        """Who is there, and the session to begin with. Raises ApiError."""
        if _BETA_PROTOCOL in offered or "realtime=v1" in socket.headers.get("openai-beta", ""):
            raise bad_request(
                "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.",
                code="beta_api_shape_disabled",
            )
        value = _credential(socket, offered)
        model = socket.query_params.get("model")
        session: AnySession | None = None
        if value.startswith("ek_"):
            minted = await run_in_threadpool(self._store.find_secret, value)
            if minted is None:
                raise wrong_key(value)
            key = Key("inference", minted.key_id, minted.project_id, None)
            session = restored(minted.session)
        else:
            key = self._doorkeeper.of_socket(socket, value)
        if "call_id" in socket.query_params:
            raise not_in_sandbox("call_id", "joining a call")
        if session is None and socket.query_params.get("intent") == "transcription":
            session = TranscriptionSession(type="transcription")
        if session is None and not model:
            raise bad_request("You must provide a model parameter.", param="model", code="missing_model")
        if session is None:
            session = RealtimeSession(type="realtime", model=model or "")
        elif isinstance(session, RealtimeSession) and model:
            session = session.model_copy(update={"model": model})
        check(session, key, self._clock.now().date())
        return key, session


def _credential(socket: WebSocket, offered: list[str]) -> str:
    """From the header, or from the list of subprotocols: a browser can set nothing else. Raises ApiError."""
    kind, _, value = socket.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and value.strip():
        return value.strip()
    for protocol in offered:
        if protocol.startswith(_KEY_PROTOCOL) and len(protocol) > len(_KEY_PROTOCOL):
            return protocol.removeprefix(_KEY_PROTOCOL)
    raise missing_key()


async def _refuse(outbox: Outbox, error: ApiError, code: int) -> None:
    await outbox.put_error(error)
    await outbox.close(code, _reason(error))


def _reason(error: ApiError) -> str:
    words = f"{error.type}.{error.code}" if error.code else error.type
    return words.encode()[:_REASON_BYTES].decode(errors="ignore")
