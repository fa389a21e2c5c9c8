"""What the form of a transcription says."""

from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

from opencto.sandbox.errors import ApiError, bad_request, invalid_value, not_in_sandbox

_FORMATS = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
_HEARD_FORMATS = ("json", "text")
_MOST_FIELDS = 100
_KNOWN = frozenset(
    {"model", "file", "language", "languages", "keywords", "prompt", "response_format", "stream", "temperature", "include",
     "chunking_strategy", "timestamp_granularities", "known_speaker_names", "known_speaker_references"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CreateTranscription:
    file: bytes
    model: str
    prompt: str = ""
    """What was said before, and the keywords: it leads the ears."""
    format: str = "json"
    stream: bool = False


async def read_form(request: Request, max_bytes: int) -> CreateTranscription:
    """Raises ApiError."""
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "multipart/form-data":
        raise bad_request(
            f"Unsupported content type: '{kind}'. This API method only accepts 'multipart/form-data' requests.",
            code="unsupported_content_type",
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise ApiError(413, f"Maximum content size limit ({max_bytes}) exceeded ({len(body)} bytes read)")

    async def whole() -> Message:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    try:
        form = await Request(request.scope, whole).form(max_files=1, max_fields=_MOST_FIELDS)
    except (MultiPartException, ValueError, KeyError) as error:
        raise bad_request("Could not parse multipart form") from error
    try:
        return await _read(form)
    finally:
        await form.close()


async def _read(form: FormData) -> CreateTranscription:
    for name in form:
        if name.removesuffix("[]") not in _KNOWN:
            raise bad_request(f"Unrecognized request argument supplied: {name}", param=name, code="unknown_parameter")
    file, model = form.get("file"), _text(form, "model")
    if not isinstance(file, UploadFile):
        raise _missing("file")
    if not model:
        raise _missing("model")
    wanted = _text(form, "response_format") or "json"
    if wanted not in _FORMATS:
        listed = ", ".join(f"'{one}'" for one in _FORMATS)
        raise invalid_value("response_format", f"Invalid value: '{wanted}'. Supported values are: {listed}.")
    if wanted not in _HEARD_FORMATS:
        raise not_in_sandbox("response_format", f"'{wanted}', because its ears keep no times and tell no voices apart")
    for name, what in (
        ("timestamp_granularities", "timestamps of words"),
        ("include", "log probabilities"),
        ("known_speaker_names", "telling voices apart"),
        ("known_speaker_references", "telling voices apart"),
    ):
        if _texts(form, name):
            raise not_in_sandbox(name, what)
    for language in [*_texts(form, "language"), *_texts(form, "languages")]:
        if language.partition("-")[0].lower() not in {"en", "english", ""}:
            raise not_in_sandbox("language", "languages other than English")
    stream = _text(form, "stream").lower() or "false"
    if stream not in {"true", "false"}:
        raise invalid_value("stream", f"Invalid value: '{stream}'. Supported values are: 'true' and 'false'.")
    prompt = " ".join([_text(form, "prompt"), ", ".join(_texts(form, "keywords"))]).strip()
    return CreateTranscription(await file.read(), model, prompt, wanted, stream == "true")


def _texts(form: FormData, name: str) -> list[str]:
    return [one for key in (name, f"{name}[]") for one in form.getlist(key) if isinstance(one, str) and one]


def _text(form: FormData, name: str) -> str:
    found = _texts(form, name)
    return found[0] if found else ""


def _missing(name: str) -> ApiError:
    return bad_request(f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")
