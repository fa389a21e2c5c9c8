"""What a response is to answer, and how: the session's settings with the response's own laid over them."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from opencto.sandbox import tokens
from opencto.sandbox.errors import ApiError, invalid_value
from opencto.sandbox.realtime import events
from opencto.sandbox.realtime.conversation import Conversation
from opencto.sandbox.realtime.item import Item, made
from opencto.sandbox.realtime.window import windowed
from opencto.sandbox.session import (
    ChooseFunction,
    ChooseMcp,
    Format,
    FunctionTool,
    McpTool,
    RealtimeSession,
    VoiceId,
)


@dataclass(frozen=True, slots=True)
class Order:
    model: str
    context: tuple[Item, ...]
    """What the mind looks at."""
    input_tokens: tuple[int, int]
    """Of text and of sound, in all that a model would read: more than the context has, where a conversation is long."""
    instructions: str
    tools: tuple[FunctionTool | McpTool, ...]
    tool_choice: str | ChooseFunction | ChooseMcp
    may_call_several: bool
    max_output_tokens: int | Literal["inf"]
    is_spoken: bool
    format: Format
    voice: str
    speed: float
    metadata: dict[str, str] | None
    conversation: Conversation | None
    """None when the answer belongs to no conversation."""


def ordered(
    session: RealtimeSession, asked: events.ResponseSettings, conversation: Conversation, *, can_speak: bool
) -> Order:
    """Raises ApiError."""
    if asked.prompt is not None:
        raise ApiError(404, f"Prompt with id '{asked.prompt.id}' not found.", param="response.prompt.id")
    modalities = session.output_modalities if asked.output_modalities is None else asked.output_modalities
    if len(modalities) != 1:
        listed = ", ".join(f"'{one}'" for one in modalities)
        raise invalid_value(
            "response.output_modalities",
            f"Invalid modalities: [{listed}]. Supported combinations are: ['text'] and ['audio'].",
        )
    tools = session.tools if asked.tools is None else asked.tools
    choice = asked.tool_choice if "tool_choice" in asked.model_fields_set else session.tool_choice
    names = {tool.name for tool in tools if tool.type == "function"}
    if isinstance(choice, ChooseFunction) and choice.name not in names:
        raise invalid_value("response.tool_choice", f"Tool choice '{choice.name}' not found in 'tools' parameter.")
    several = session.parallel_tool_calls if asked.parallel_tool_calls is None else asked.parallel_tool_calls
    own = asked.audio.output if asked.audio else None
    output = session.audio.output
    voice = own.voice if own and "voice" in own.model_fields_set else output.voice

    def item_of(one: Any) -> Item:
        if isinstance(one, events.ItemReference):
            return conversation.get(one.id, "retrieve")
        return made(one, session.audio.input.format)

    instructions = session.instructions if asked.instructions is None else asked.instructions
    before = tokens.count_messages([instructions, *(json.dumps(tool.model_dump(exclude_none=True)) for tool in tools)])
    if asked.input is None:
        context, (text, sound) = windowed(conversation, session, before)
    else:
        context = [item_of(one) for one in asked.input]
        text, sound = (sum(counted) for counted in zip((0, 0), *(item.tokens() for item in context), strict=True))
    return Order(
        model=session.model,
        context=tuple(context),
        input_tokens=(before + text, sound),
        instructions=instructions,
        tools=tuple(tools),
        tool_choice=choice,
        may_call_several=several is not False,
        max_output_tokens=(asked if "max_output_tokens" in asked.model_fields_set else session).max_output_tokens,
        is_spoken=can_speak and modalities == ["audio"],
        format=own.format if own and own.format else output.format,
        voice=voice.id if isinstance(voice, VoiceId) else voice,
        speed=output.speed,
        metadata=asked.metadata,
        conversation=None if asked.conversation == "none" else conversation,
    )
