"""POST /v1/realtime/client_secrets: a short-lived secret with which a browser opens a Realtime session."""

import secrets
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from opencto.core.clock import Clock
from opencto.sandbox.errors import bad_request
from opencto.sandbox.keys import Doorkeeper
from opencto.sandbox.session import Session, default_session, effective
from opencto.sandbox.session_rules import check
from opencto.sandbox.store import Store
from opencto.sandbox.validation import Closed, parse, read_json

_SAFETY_HEADER = "openai-safety-identifier"


class ExpiresAfter(Closed):
    anchor: Literal["created_at"] = "created_at"
    seconds: Annotated[int, Field(ge=10, le=7200)] = 600


class CreateClientSecret(Closed):
    expires_after: ExpiresAfter = Field(default_factory=ExpiresAfter)
    session: Session = Field(default_factory=default_session)


class ClientSecretRoutes:
    def __init__(self, doorkeeper: Doorkeeper, store: Store, clock: Clock, max_body_bytes: int) -> None:
        self._doorkeeper = doorkeeper
        self._store = store
        self._clock = clock
        self._max_body_bytes = max_body_bytes

    async def create(self, request: Request) -> JSONResponse:
        key = self._doorkeeper.inference(request)
        asked = parse(CreateClientSecret, await read_json(request, self._max_body_bytes))
        check(asked.session, key, self._clock.now().date())
        key.require_working(asked.session.model if asked.session.type == "realtime" else "transcription")
        safety_identifier = request.headers.get(_SAFETY_HEADER)
        if safety_identifier is not None and len(safety_identifier) > 64:
            raise bad_request(
                f"Invalid 'OpenAI-Safety-Identifier': string too long. Expected a string with maximum length 64, but got a string with length {len(safety_identifier)} instead.",
                param="OpenAI-Safety-Identifier",
                code="string_above_max_length",
            )
        value = f"ek_{secrets.token_hex(16)}"
        session: dict[str, Any] = effective(asked.session)
        expires_at = await run_in_threadpool(
            self._store.keep_secret,
            value,
            seconds=asked.expires_after.seconds,
            key_id=key.id,
            project_id=key.project_id,
            safety_identifier=safety_identifier,
            session=session,
        )
        return JSONResponse({"value": value, "expires_at": expires_at, "session": session})
