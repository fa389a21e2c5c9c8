"""OpenAI's wire and our events: the only file that knows both. It is tolerant: names of the beta pass, the unknown is kept."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, cast

from opencto.client.realtime import events
from opencto.client.realtime.events import Event

Frame = Mapping[str, Any]

_BETA = {
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "conversation.item.created": "conversation.item.added",
}


def decode(frame: Frame) -> Event:
    """The event of a frame of the server. Raises nothing: what cannot be read is Unknown."""
    return _decoded(frame, _READ)


def recall(frame: Frame) -> Event:
    """The event of a line of a recorded history, where events of this side stand between those of the server."""
    return _decoded(frame, {**_READ, **_READ_OURS})


def _decoded(frame: Frame, readers: "Mapping[str, Callable[[Frame, str], Event]]") -> Event:
    kind = _text(frame, "type")
    kind = _BETA.get(kind, kind)
    event_id = _text(frame, "event_id")
    read = readers.get(kind)
    if read is None:
        return events.Unknown(event_id=event_id, type=kind, raw=frame)
    try:
        return read(frame, event_id)
    except (KeyError, TypeError, ValueError, AttributeError):
        return events.Unknown(event_id=event_id, type=kind, raw=frame)


def spoken_text(item: Mapping[str, Any]) -> str | None:
    """The words of an item's content; None where sound is not in writing yet."""
    parts = cast("list[Mapping[str, Any]]", item.get("content") or [])
    words = [part.get("text") or part.get("transcript") for part in parts]
    known = [one for one in words if one]
    return "".join(known) if known or not parts else None


def _text(frame: Frame, name: str) -> str:
    value = frame.get(name)
    return value if isinstance(value, str) else ""


def _number(frame: Frame, name: str) -> int:
    value = frame[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(name)
    return int(value)


def _named(frame: Frame, name: str) -> str:
    value = frame[name]
    if not isinstance(value, str) or not value:
        raise TypeError(name)
    return value


def _previous(frame: Frame) -> str | None:
    value = frame.get("previous_item_id")
    return value if isinstance(value, str) and value else None


def _item(frame: Frame) -> Mapping[str, Any]:
    item = frame["item"]
    if not isinstance(item, dict):
        raise TypeError("item")
    found = cast("dict[str, Any]", item)
    _named(found, "id")
    return found


def _connected(frame: Frame, event_id: str) -> Event:
    session = frame["session"]
    expires = session.get("expires_at")
    return events.Connected(
        event_id=event_id,
        session_id=_text(session, "id"),
        expires_at=float(expires) if isinstance(expires, (int, float)) and expires > 0 else None,
    )


def _configured(frame: Frame, event_id: str) -> Event:
    return events.Configured(event_id=event_id, session=dict(frame["session"]))


def _added(frame: Frame, event_id: str) -> Event:
    return events.ItemSeen(event_id=event_id, item=_item(frame), previous_id=_previous(frame), is_done=False)


def _done(frame: Frame, event_id: str) -> Event:
    return events.ItemSeen(event_id=event_id, item=_item(frame), previous_id=_previous(frame), is_done=True)


def _deleted(frame: Frame, event_id: str) -> Event:
    return events.ItemDeleted(event_id=event_id, item_id=_named(frame, "item_id"))


def _truncated(frame: Frame, event_id: str) -> Event:
    return events.ItemTruncated(
        event_id=event_id, item_id=_named(frame, "item_id"), audio_end_ms=_number(frame, "audio_end_ms")
    )


def _speech_started(frame: Frame, event_id: str) -> Event:
    return events.SpeechStarted(
        event_id=event_id, item_id=_named(frame, "item_id"), audio_start_ms=_number(frame, "audio_start_ms")
    )


def _speech_stopped(frame: Frame, event_id: str) -> Event:
    return events.SpeechStopped(
        event_id=event_id, item_id=_named(frame, "item_id"), audio_end_ms=_number(frame, "audio_end_ms")
    )


def _committed(frame: Frame, event_id: str) -> Event:
    return events.Committed(event_id=event_id, item_id=_named(frame, "item_id"), previous_id=_previous(frame))


def _heard_delta(frame: Frame, event_id: str) -> Event:
    return events.HeardDelta(
        event_id=event_id,
        item_id=_named(frame, "item_id"),
        index=int(frame.get("content_index") or 0),
        delta=_text(frame, "delta"),
    )


def _heard_done(frame: Frame, event_id: str) -> Event:
    return events.HeardDone(
        event_id=event_id,
        item_id=_named(frame, "item_id"),
        index=int(frame.get("content_index") or 0),
        text=_text(frame, "transcript"),
        usage=frame.get("usage"),
    )


def _heard_failed(frame: Frame, event_id: str) -> Event:
    error = cast("Frame", frame.get("error") or {})
    return events.HeardFailed(
        event_id=event_id,
        item_id=_named(frame, "item_id"),
        index=int(frame.get("content_index") or 0),
        code=_text(error, "code"),
        message=_text(error, "message"),
    )


def _is_aside(response: Frame) -> bool:
    """An answer outside of the conversation has no conversation; where the field is missing it counts as inside."""
    return "conversation_id" in response and response["conversation_id"] is None


def _response_started(frame: Frame, event_id: str) -> Event:
    response = cast("Frame", frame["response"])
    return events.ResponseStarted(
        event_id=event_id,
        response_id=_named(response, "id"),
        is_aside=_is_aside(response),
        metadata=dict(response.get("metadata") or {}),
    )


def _response_ended(frame: Frame, event_id: str) -> Event:
    response = cast("Frame", frame["response"])
    details = cast("Frame", response.get("status_details") or {})
    error = cast("Frame", details.get("error") or {})
    return events.ResponseEnded(
        event_id=event_id,
        response_id=_named(response, "id"),
        status=_text(response, "status") or "completed",
        is_aside=_is_aside(response),
        reason=_text(details, "reason"),
        code=_text(error, "code") or _text(error, "type"),
        message=_text(error, "message"),
        usage=response.get("usage"),
        item_ids=tuple(_text(item, "id") for item in response.get("output") or ()),
    )


def _output(frame: Frame, event_id: str, *, is_done: bool) -> Event:
    return events.OutputSeen(
        event_id=event_id, response_id=_text(frame, "response_id"), item=_item(frame), is_done=is_done
    )


def _where(frame: Frame, event_id: str) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "response_id": _text(frame, "response_id"),
        "item_id": _named(frame, "item_id"),
        "index": int(frame.get("content_index") or 0),
    }


def _said_delta(frame: Frame, event_id: str) -> Event:
    return events.SaidDelta(**_where(frame, event_id), delta=_text(frame, "delta"))


def _sound_delta(frame: Frame, event_id: str) -> Event:
    try:
        pcm = base64.b64decode(frame["delta"], validate=True)
    except binascii.Error as error:
        raise ValueError("delta") from error
    return events.SoundDelta(**_where(frame, event_id), pcm=pcm[: len(pcm) & ~1])


def _rate_limits(frame: Frame, event_id: str) -> Event:
    return events.RateLimits(event_id=event_id, limits=tuple(frame.get("rate_limits") or ()))


def _refused(frame: Frame, event_id: str) -> Event:
    error = cast("Frame", frame["error"])
    return events.Refused(
        event_id=event_id,
        code=_text(error, "code"),
        message=_text(error, "message"),
        kind=_text(error, "type"),
        param=error.get("param"),
        about=error.get("event_id"),
    )


# ---- what a history on disk (a fixture, a recording) holds of this side


def _typed(frame: Frame, event_id: str) -> Event:
    return events.Typed(event_id=event_id, item_id=_named(frame, "item_id"), text=_text(frame, "text"))


def _interrupted(frame: Frame, event_id: str) -> Event:
    return events.Interrupted(event_id=event_id, item_id=_named(frame, "item_id"), heard_ms=_number(frame, "heard_ms"))


def _tool_moved(frame: Frame, event_id: str) -> Event:
    return events.ToolMoved(
        event_id=event_id,
        call_id=_named(frame, "call_id"),
        name=_text(frame, "name"),
        state=frame["state"],
        output=frame.get("output"),
        error=frame.get("error"),
        approval_id=frame.get("approval_id"),
    )


def _restored(frame: Frame, event_id: str) -> Event:
    return events.Restored(event_id=event_id, item_id=_named(frame, "item_id"), reason=_text(frame, "reason"))


_READ: dict[str, Callable[[Frame, str], Event]] = {
    "session.created": _connected,
    "session.updated": _configured,
    "conversation.item.added": _added,
    "conversation.item.done": _done,
    "conversation.item.deleted": _deleted,
    "conversation.item.truncated": _truncated,
    "input_audio_buffer.speech_started": _speech_started,
    "input_audio_buffer.speech_stopped": _speech_stopped,
    "input_audio_buffer.committed": _committed,
    "conversation.item.input_audio_transcription.delta": _heard_delta,
    "conversation.item.input_audio_transcription.completed": _heard_done,
    "conversation.item.input_audio_transcription.failed": _heard_failed,
    "response.created": _response_started,
    "response.done": _response_ended,
    "response.output_item.added": lambda frame, event_id: _output(frame, event_id, is_done=False),
    "response.output_item.done": lambda frame, event_id: _output(frame, event_id, is_done=True),
    "response.output_text.delta": _said_delta,
    "response.output_audio_transcript.delta": _said_delta,
    "response.output_text.done": lambda frame, event_id: events.SaidDone(
        **_where(frame, event_id), text=_text(frame, "text")
    ),
    "response.output_audio_transcript.done": lambda frame, event_id: events.SaidDone(
        **_where(frame, event_id), text=_text(frame, "transcript")
    ),
    "response.output_audio.delta": _sound_delta,
    "response.output_audio.done": lambda frame, event_id: events.SoundDone(**_where(frame, event_id)),
    "rate_limits.updated": _rate_limits,
    "error": _refused,
}
_READ_OURS: dict[str, Callable[[Frame, str], Event]] = {
    "opencto.typed": _typed,
    "opencto.interrupted": _interrupted,
    "opencto.tool": _tool_moved,
    "opencto.cut_off": lambda _frame, event_id: events.CutOff(event_id=event_id),
    "opencto.restored": _restored,
}


# ---- what this side says


def session_update(session: Frame) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "realtime", **session}}


def append(pcm: bytes) -> dict[str, Any]:
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}


def commit() -> dict[str, Any]:
    return {"type": "input_audio_buffer.commit"}


def clear() -> dict[str, Any]:
    return {"type": "input_audio_buffer.clear"}


def create_item(item: Frame, previous_id: str | None = None) -> dict[str, Any]:
    place = {"previous_item_id": previous_id} if previous_id else {}
    return {"type": "conversation.item.create", **place, "item": dict(item)}


def message(item_id: str, role: events.Role, text: str) -> dict[str, Any]:
    """An assistant's words go back as `output_text`: its sound cannot be given back."""
    kind = "output_text" if role == "assistant" else "input_text"
    content = [{"type": kind, "text": text}]
    return {"id": item_id, "type": "message", "role": role, "content": content}


def spoken_message(item_id: str, pcm: bytes) -> dict[str, Any]:
    """What the user said, where nobody has written it down yet."""
    content = [{"type": "input_audio", "audio": base64.b64encode(pcm).decode()}]
    return {"id": item_id, "type": "message", "role": "user", "content": content}


def function_call(item_id: str, call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {"id": item_id, "type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def function_output(item_id: str, call_id: str, output: str) -> dict[str, Any]:
    return {"id": item_id, "type": "function_call_output", "call_id": call_id, "output": output}


def truncate(item_id: str, heard_ms: int) -> dict[str, Any]:
    return {"type": "conversation.item.truncate", "item_id": item_id, "content_index": 0, "audio_end_ms": heard_ms}


def delete(item_id: str) -> dict[str, Any]:
    return {"type": "conversation.item.delete", "item_id": item_id}


def respond(response: Frame | None = None) -> dict[str, Any]:
    return {"type": "response.create", **({"response": dict(response)} if response else {})}


def cancel(response_id: str | None = None) -> dict[str, Any]:
    return {"type": "response.cancel", **({"response_id": response_id} if response_id else {})}
