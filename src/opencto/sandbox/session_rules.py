"""What a Realtime session must not ask for, when it is minted, opened or changed."""

from datetime import date

from opencto.sandbox import catalogue
from opencto.sandbox.errors import ApiError, bad_request, invalid_value
from opencto.sandbox.keys import Key
from opencto.sandbox.session import RealtimeSession, TranscriptionSession


def check(session: RealtimeSession | TranscriptionSession, key: Key, today: date) -> None:
    """What the shapes cannot say, in OpenAI's order. Raises ApiError."""
    transcription = session.audio.input.transcription
    if transcription and transcription.model is not None:
        found = catalogue.find(transcription.model, today)
        if found is None or found.kind != "transcription":
            raise invalid_value(
                "session.audio.input.transcription.model",
                f"Invalid value: '{transcription.model}'. Supported values are: {_names(today)}.",
            )
    if isinstance(session, TranscriptionSession):
        return
    check_model(session, key, today)
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


def check_model(session: RealtimeSession, key: Key, today: date) -> None:
    model = catalogue.find(session.model, today)
    if model is None or model.kind != "realtime":
        raise bad_request(
            f'Model "{session.model}" is not supported in realtime mode.',
            param="session.model",
            code="invalid_model",
        )
    key.model(session.model, today, "realtime")
    for field in ("reasoning", "parallel_tool_calls"):
        if getattr(session, field) is not None and not model.reasons:
            raise bad_request(
                f"Unsupported parameter: 'session.{field}' is not supported with this model.",
                param=f"session.{field}",
                code="unsupported_parameter",
            )


def _names(today: date) -> str:
    names = [f"'{model.id}'" for model in catalogue.alive(today) if model.kind == "transcription"]
    return f"{', '.join(names[:-1])}, and {names[-1]}"
