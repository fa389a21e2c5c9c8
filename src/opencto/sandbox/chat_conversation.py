"""A request of Chat Completions as the mind reads it."""

from collections.abc import Iterator
from datetime import datetime

from opencto.sandbox.chat_request import (
    AssistantMessage,
    ChooseFunction,
    CreateCompletion,
    DeveloperMessage,
    Message,
    SystemMessage,
    ToolMessage,
    text_of,
)
from opencto.sandbox.ports import Called, Conversation, Entry, Returned, Said, Tool


def conversation(asked: CreateCompletion, now: datetime) -> Conversation:
    return Conversation(
        entries=tuple(entry for message in asked.messages for entry in _entries(message)),
        now=now,
        instructions="\n".join(
            text_of(one) for one in asked.messages if isinstance(one, SystemMessage | DeveloperMessage)
        ),
        tools=tuple(
            Tool(tool.function.name, tool.function.description or "", tool.function.parameters or {})
            for tool in asked.tools or []
        ),
        tool_choice=asked.tool_choice.function.name
        if isinstance(asked.tool_choice, ChooseFunction)
        else asked.tool_choice,
        may_call_several=asked.parallel_tool_calls is not False,
    )


def _entries(message: Message) -> Iterator[Entry]:
    match message:
        case ToolMessage():
            yield Returned(message.tool_call_id, text_of(message))
        case AssistantMessage():
            if message.content is not None:
                yield Said("assistant", text_of(message))
            for call in message.tool_calls or []:
                yield Called(call.id, call.function.name, call.function.arguments)
        case SystemMessage() | DeveloperMessage():
            return  # they are the instructions
        case _:
            yield Said("user", text_of(message))
