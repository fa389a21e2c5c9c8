"""The events of a streamed response, in OpenAI's order and numbered from 0."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from opencto.sandbox.responses.items import Item, content_part
from opencto.sandbox.saying import obfuscation


class Events:
    def __init__(self, *, is_padded: bool, first: int = 0) -> None:
        """Those with a number before `first` are counted, and come out empty."""
        self._is_padded = is_padded
        self._first = first
        self._number = 0

    def event(self, kind: str, **fields: Any) -> str:
        body = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return "" if self._number <= self._first else f"event: {kind}\ndata: {json.dumps(body)}\n\n"

    def of_output(self, index: int, item: Item, pieces: Sequence[str]) -> Iterator[tuple[str, int]]:
        """Everything about one output item, given whole; with each event the tokens that it costs."""
        is_call = item["type"] == "function_call"
        empty: Item = {"arguments": ""} if is_call else {"content": []}
        yield (
            self.event(
                "response.output_item.added", item={**item, "status": "in_progress", **empty}, output_index=index
            ),
            0,
        )
        where: Item = {"item_id": item["id"], "output_index": index}
        done: Item
        if is_call:
            kind = "function_call_arguments"
            done = {"arguments": item["arguments"]}
        else:
            where["content_index"] = 0
            [part] = item["content"]
            if part["type"] == "refusal":
                kind = "refusal"
                done = {"refusal": part["refusal"]}
            else:
                kind = "output_text"
                done = {"text": part["text"], "logprobs": []}
            yield self.event("response.content_part.added", **where, part=content_part(part["type"], "")), 0
        extra: Item = {"logprobs": []} if kind == "output_text" else {}
        for piece in pieces:
            padding = {"obfuscation": obfuscation()} if self._is_padded and kind != "refusal" else {}
            yield self.event(f"response.{kind}.delta", **where, delta=piece, **extra, **padding), 1
        yield self.event(f"response.{kind}.done", **where, **done), 0
        if not is_call:
            yield self.event("response.content_part.done", **where, part=item["content"][0]), 0
        yield self.event("response.output_item.done", item=item, output_index=index), 0
