"""The items of a conversation as the mind reads them."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from opencto.sandbox import ports
from opencto.sandbox.realtime.item import Item
from opencto.sandbox.realtime.order import Order
from opencto.sandbox.session import ChooseFunction, FunctionTool


def conversation(order: Order, now: datetime) -> ports.Conversation:
    return ports.Conversation(
        entries=tuple(_entries(order.context)),
        now=now,
        instructions=order.instructions,
        tools=tuple(
            ports.Tool(tool.name, tool.description or "", tool.parameters or {})
            for tool in order.tools
            if isinstance(tool, FunctionTool)
        ),
        tool_choice=_choice(order),
        may_call_several=order.may_call_several,
        is_spoken=order.is_spoken,
    )


def _choice(order: Order) -> str:
    match order.tool_choice:
        case ChooseFunction(name=name):
            return name
        case str() as mode:
            return mode
        case _:
            return "none"  # a tool of a server that the sandbox does not reach


def _entries(items: Iterable[Item]) -> Iterator[ports.Entry]:
    for item in items:
        match item.type:
            case "function_call":
                yield ports.Called(item.wire["call_id"], item.wire["name"], item.wire["arguments"])
            case "function_call_output":
                yield ports.Returned(item.wire["call_id"], item.wire["output"])
            case _:
                yield ports.Said(item.wire["role"], item.text())


def arguments(call: ports.Call) -> str:
    return json.dumps(dict(call.arguments), ensure_ascii=False)
