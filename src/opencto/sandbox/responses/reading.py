"""What is read before an answer: the items with those of the responses before, and what they cost."""

import json

from starlette.concurrency import run_in_threadpool

from opencto.sandbox import tokens
from opencto.sandbox.errors import bad_request
from opencto.sandbox.keys import Key
from opencto.sandbox.responses.compaction import unpacked
from opencto.sandbox.responses.items import Item, given_items, text_of
from opencto.sandbox.responses.kept import KeptResponses
from opencto.sandbox.responses.request import CreateResponse
from opencto.sandbox.saying import CONTEXT_TOKENS


async def read_items(kept: KeptResponses, key: Key, asked: CreateResponse) -> tuple[list[Item], list[Item]]:
    """Those of this request as they are kept, and all of the conversation as it is understood. Raises ApiError."""
    own = given_items(asked)
    if asked.previous_response_id is None:
        return own, unpacked(own)
    found = await run_in_threadpool(kept.history, key.project_id, asked.previous_response_id)
    if found is None:
        raise bad_request(
            f"Previous response with id '{asked.previous_response_id}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    return own, unpacked([*found, *own])


def count(asked: CreateResponse, items: list[Item]) -> int:
    """The tokens of the prompt. Raises ApiError when they are more than a model reads."""
    extra = [json.dumps(tool.model_dump(exclude_none=True)) for tool in asked.tools or []]
    if asked.instructions:
        extra.append(asked.instructions)
    if asked.text and asked.text.format and asked.text.format.type == "json_schema":
        extra.append(json.dumps(asked.text.format.schema_))
    found = tokens.count_messages([*(text_of(item) for item in items), *extra])
    if found > CONTEXT_TOKENS and asked.truncation != "auto":
        raise bad_request(
            "Your input exceeds the context window of this model. Please adjust your input and try again.",
            param="input",
            code="context_length_exceeded",
        )
    return min(found, CONTEXT_TOKENS)


def last_words(items: list[Item]) -> str:
    """What the user said, when that is the newest item."""
    return text_of(items[-1]) if items and items[-1].get("role") == "user" else ""
