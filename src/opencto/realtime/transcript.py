"""A session as a text that people read: plain, or Markdown. Pure.

What was said is outside text: no line of it can look like a line of ours, and none of it is markup.
"""

import re
from collections.abc import Callable, Iterator

from opencto.wire.sessions import SessionItem, SessionToolCall, VoiceSessionDetail

NOT_STORED = "(text is not stored)"
_MARKUP = re.compile(r"([\\`*_\[\]<>#|!~&])")
_Clean = Callable[[str], str]
_Turn = Callable[[str, str], str]
_LEADING = re.compile(r"^(\s*)([-+=]|[0-9]+[.)])", re.MULTILINE)


def as_text(session: VoiceSessionDetail) -> str:
    """Plain text: a line for each turn, its further lines indented."""
    return "\n".join([*_head(session), "", *_lines(session, _plain, lambda who, said: f"{who}: {said}")]) + "\n"


def as_markdown(session: VoiceSessionDetail) -> str:
    """Markdown: a heading, the facts, a paragraph for each turn."""
    title, *facts = _head(session)
    lines = _lines(session, _escaped, lambda who, said: f"**{_escaped(who)}:** {said}")
    return "\n\n".join([f"# {_escaped(title)}", "\n".join(f"- {_escaped(one)}" for one in facts), *lines]) + "\n"


def _head(session: VoiceSessionDetail) -> list[str]:
    usage = session.usage
    cost = "unknown" if usage.cost is None else f"{usage.cost} USD"
    ended = f"{session.ended_at:%Y-%m-%d %H:%M:%S} UTC ({session.end_reason})" if session.ended_at else "not yet"
    facts = [
        f"Voice session {session.id}",
        f"Person: {_line(session.person_name)}",
        f"Model: {session.model}, voice {session.voice}",
        f"Began: {session.created_at:%Y-%m-%d %H:%M:%S} UTC",
        f"Ended: {ended}",
        f"Used, as the client counted: {usage.input_tokens:,} tokens in, {usage.output_tokens:,} out; cost {cost}",
    ]
    return (
        [*facts, f"Without a known price: {usage.unpriced_responses} responses"] if usage.unpriced_responses else facts
    )


def _lines(session: VoiceSessionDetail, clean: _Clean, turn: _Turn) -> Iterator[str]:
    tools = {one.call_id: one for one in session.tools}
    for item in session.transcript:
        call = tools.pop(item.call_id, None) if item.kind == "call" and item.call_id else None
        if call is not None:
            yield turn("Tool", _called(call, clean))
        elif item.kind == "message" and (item.text != "" or item.unspoken_text or item.status != "interrupted"):
            who = {"user": session.person_name, "assistant": "Assistant", "system": "System", None: "Somebody"}[
                item.role
            ]
            yield turn(_line(who), _said(item, clean))
    for call in tools.values():  # those that no item names
        yield turn("Tool", _called(call, clean))


def _said(item: SessionItem, clean: _Clean) -> str:
    if item.text is None:
        return NOT_STORED
    said = clean(item.text) or "…"
    if item.status == "failed":
        said += " (could not be transcribed)"
    if item.status == "interrupted":
        rest = f", not heard: {clean(item.unspoken_text)}" if item.unspoken_text else ""
        said += f" (interrupted{rest})"
    return said


def _called(call: SessionToolCall, clean: _Clean) -> str:
    arguments = NOT_STORED if call.arguments is None else clean(call.arguments)
    output = f" → {clean(call.output)}" if call.output else ""
    return f"{clean(call.name)} {arguments} [{call.status}]{output}"


def _plain(text: str) -> str:
    """Every further line is indented, so that none can be taken for a turn."""
    return "\n    ".join(_line(one) for one in text.splitlines())


def _escaped(text: str) -> str:
    lines = (_line(one) for one in text.splitlines())
    return "  \n".join(_LEADING.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", one)) for one in lines if one.strip())


def _line(text: str) -> str:
    """Without what would steer a terminal or turn the direction of a text round."""
    return "".join(one if one.isprintable() else "�" for one in text)
