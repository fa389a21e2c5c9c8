"""POST /v1/realtime/client_secrets: a short-lived secret with which a browser opens a Realtime session."""

import secrets
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from opencto.core.clock import Clock
from opencto.sandbox import catalogue
from opencto.sandbox.errors import ApiError, bad_request, invalid_value
from opencto.sandbox.keys import Doorkeeper, Key
from opencto.sandbox.session import RealtimeSession, Session, TranscriptionSession, default_session, effective
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
        self._check(asked.session, key)
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

    def _check(self, session: RealtimeSession | TranscriptionSession, key: Key) -> None:
        today = self._clock.now().date()
        transcription = session.audio.input.transcription
        if transcription and transcription.model is not None:
            found = catalogue.find(transcription.model, today)
            if found is None or found.kind != "transcription":
                raise invalid_value(
                    "session.audio.input.transcription.model",
                    f"Invalid value: '{transcription.model}'. Supported values are: {_names(today)}.",
                )
        if isinstance(session, TranscriptionSession):
            key.require_working("transcription")
            return
        self._check_model(session, key)
        if len(session.output_modalities) != 1:
            listed = ", ".join(f"'{one}'" for one in session.output_modalities)
            raise invalid_value(
                "session.output_modalities",
                f"Invalid modalities: [{listed}]. Supported combinations are: ['text'] and ['audio'].",
            )
        if session.prompt is not None:
            raise ApiError(404, f"Prompt with id '{session.prompt.id}' not found.", param="session.prompt.id")
        if isinstance(session.tool_choice, str):
            return
        names = {tool.name for tool in session.tools if tool.type == "function"}
        if session.tool_choice.type == "function" and session.tool_choice.name not in names:
            raise invalid_value(
                "session.tool_choice", f"Tool choice '{session.tool_choice.name}' not found in 'tools' parameter."
            )

    def _check_model(self, session: RealtimeSession, key: Key) -> None:
        model = catalogue.find(session.model, self._clock.now().date())
        if model is None or model.kind != "realtime":
            raise bad_request(
                f'Model "{session.model}" is not supported in realtime mode.',
                param="session.model",
                code="invalid_model",
            )
        key.model(session.model, self._clock.now().date(), "realtime")
        key.require_working(session.model)
        for field in ("reasoning", "parallel_tool_calls"):
            if getattr(session, field) is not None and not model.reasons:
                raise bad_request(
                    f"Unsupported parameter: 'session.{field}' is not supported with this model.",
                    param=f"session.{field}",
                    code="unsupported_parameter",
                )


def _names(today: Any) -> str:
    names = [f"'{model.id}'" for model in catalogue.alive(today) if model.kind == "transcription"]
    return f"{', '.join(names[:-1])}, and {names[-1]}"
