"""A conversation packed into one item, and unpacked when it comes back.

OpenAI encrypts what it packs. Here it is packed and no more: it holds what the caller sent, and goes back to the caller.
"""

import base64
import binascii
import json
import zlib
from typing import Any, cast

from opencto.sandbox.errors import invalid_value
from opencto.sandbox.responses.items import Item, text_of
from opencto.sandbox.responses.request import CreateResponse

_MOST_BYTES = 16 * 1024 * 1024
_KINDS = {"message", "function_call", "function_call_output", "reasoning"}


def packed(items: list[Item]) -> str:
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(items).encode())).decode()


def unpacked(items: list[Item]) -> list[Item]:
    """The items with what was packed in its place. What the user said stands beside it too, and counts once. Raises ApiError."""
    found: list[Item] = []
    for item in items:
        if item["type"] != "compaction":
            found.append(item)
            continue
        inner = _read(item["encrypted_content"])
        said = {text_of(one) for one in inner if one.get("role") == "user"}
        found = [one for one in found if one.get("role") != "user" or text_of(one) not in said] + inner
    return found


def _read(content: str) -> list[Item]:
    try:
        unzip = zlib.decompressobj()
        raw = unzip.decompress(base64.urlsafe_b64decode(content), _MOST_BYTES)
        found: Any = json.loads(raw)
        items = cast("list[Item]", found)
        # The caller may have written it: it is looked at as if it had been sent plain.
        CreateResponse.model_validate({"model": "any", "input": items})
        if not all(item["type"] in _KINDS for item in items):
            raise ValueError("packed twice")
    except (binascii.Error, zlib.error, ValueError, KeyError, TypeError) as error:
        raise invalid_value(
            "input", "The encrypted content of a compaction item could not be verified or decrypted."
        ) from error
    return items
