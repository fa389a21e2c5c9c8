"""Items as they are kept and shown: every one with its id and status, and content in parts."""

import secrets
from typing import Any, cast

from opencto.sandbox.responses.request import CreateResponse

Item = dict[str, Any]
_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "reasoning": "rs",
    "compaction": "cmp",
}


def given_items(asked: CreateResponse) -> list[Item]:
    """What the caller sent."""
    if asked.input is None:
        return []
    if isinstance(asked.input, str):
        return [_complete({"type": "message", "role": "user", "content": asked.input})]
    return [_complete(item.model_dump(exclude_none=True)) for item in asked.input]


def _complete(item: Item) -> Item:
    kind: str = item["type"]
    if isinstance(item.get("content"), str):
        item["content"] = [_part(item["content"], is_output=item["role"] == "assistant")]
    elif item.get("role") == "assistant":
        item["content"] = [_whole(part) for part in cast("list[Item]", item["content"])]
    extra = {} if kind in {"reasoning", "compaction"} else {"status": "completed"}
    return {"id": f"{_PREFIXES[kind]}_{secrets.token_hex(24)}", **extra, **item}


def _part(text: str, *, is_output: bool) -> Item:
    return output_text(text) if is_output else {"type": "input_text", "text": text}


def _whole(part: Item) -> Item:
    return part if part["type"] == "refusal" else {**output_text(part["text"]), **part}


def output_text(text: str) -> Item:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def content_part(kind: str, text: str) -> Item:
    """`output_text` or `refusal`."""
    return {"type": "refusal", "refusal": text} if kind == "refusal" else output_text(text)


def text_of(item: Item) -> str:
    """What an item says in words; pictures and files say nothing here."""
    match item["type"]:
        case "message":
            return _text(item["content"])
        case "function_call":
            return f"{item['name']}{item['arguments']}"
        case "function_call_output":
            return _text(item["output"])
        case _:
            return ""


def _text(content: str | list[Item]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if "text" in part)
