"""A request of Responses as the mind reads it."""

from collections.abc import Iterator
from datetime import datetime

from opencto.sandbox.ports import Called, Conversation, Entry, Returned, Said, Tool
from opencto.sandbox.responses.items import Item, text_of
from opencto.sandbox.responses.request import ChooseFunction, CreateResponse


def conversation(asked: CreateResponse, items: list[Item], now: datetime) -> Conversation:
    """`items` are those of the responses before, and those of this request after them."""
    system = [text_of(item) for item in items if item.get("role") in {"system", "developer"}]
    return Conversation(
        entries=tuple(entry for item in items for entry in _entries(item)),
        now=now,
        instructions="\n".join([asked.instructions or "", *system]).strip(),
        tools=tuple(Tool(tool.name, tool.description or "", tool.parameters or {}) for tool in asked.tools or []),
        tool_choice=asked.tool_choice.name
        if isinstance(asked.tool_choice, ChooseFunction)
        else asked.tool_choice or "auto",
        may_call_several=asked.parallel_tool_calls is not False,
    )


def _entries(item: Item) -> Iterator[Entry]:
    match item["type"]:
        case "message" if item["role"] == "user":
            yield Said("user", text_of(item))
        case "message" if item["role"] == "assistant":
            yield Said("assistant", text_of(item))
        case "function_call":
            yield Called(item["call_id"], item["name"], item["arguments"])
        case "function_call_output":
            yield Returned(item["call_id"], text_of(item))
        case _:
            return  # instructions stand elsewhere, and reasoning is not a word that was said
