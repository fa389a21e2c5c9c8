"""One request on its way to its answer, and the response object that shows it."""

import secrets
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from opencto.sandbox import tokens
from opencto.sandbox.endings import REFUSAL, Ending
from opencto.sandbox.errors import server_error
from opencto.sandbox.keys import Key
from opencto.sandbox.ports import Calls, Say
from opencto.sandbox.responses.items import Item, content_part
from opencto.sandbox.responses.request import ChooseFunction, CreateResponse, JsonObjectFormat, JsonSchemaFormat
from opencto.sandbox.saying import ToolCall, as_object, as_schema, tool_calls
from opencto.sandbox.store import Used
from opencto.sandbox.structured import Schema


@dataclass(frozen=True, slots=True)
class Output:
    """One output item, in tokens: a message, or the arguments of one call."""

    pieces: tuple[str, ...]
    is_cut: bool = False
    call: ToolCall | None = None
    is_refusal: bool = False
    item_id: str = field(default_factory=lambda: secrets.token_hex(24))

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def item(self) -> Item:
        """After its last word."""
        shown = "incomplete" if self.is_cut else "completed"
        if self.call is None:
            content = [content_part("refusal" if self.is_refusal else "output_text", self.text)]
            head = {"id": f"msg_{self.item_id}", "type": "message", "status": shown}
            return {**head, "role": "assistant", "content": content}
        head = {"id": f"fc_{self.item_id}", "type": "function_call", "status": shown}
        return {**head, "arguments": self.text, "call_id": self.call.call_id, "name": self.call.name}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the mind said: one message, cut to what was allowed, or calls."""

    outputs: tuple[Output, ...]
    cut_by: Literal["max_output_tokens", "content_filter"] | None = None
    error: dict[str, str] | None = None
    """Code and message of a response that failed."""
    breaks_off: bool = False
    """A stream ends with the error in its middle."""

    @property
    def status(self) -> str:
        if self.error is not None:
            return "failed"
        return "incomplete" if self.cut_by else "completed"

    @property
    def tokens(self) -> int:
        return sum(len(output.pieces) for output in self.outputs)


def answer(asked: CreateResponse, said: Say | Calls, ending: Ending | None = None) -> Answer:
    """Raises ApiError for what the sandbox does not make up, and for an ending that only a stream can have."""
    if ending is None:
        return _well(asked, said)
    match ending.kind:
        case "refusal":
            return Answer((Output(tuple(tokens.split(REFUSAL)), is_refusal=True),))
        case "failed":
            return Answer((), error={"code": ending.code, "message": ending.message})
        case "error_event":
            if not asked.stream or asked.background:
                raise server_error()
            error = {"code": ending.code, "message": ending.message}
            return Answer((Output(tuple(tokens.split(REFUSAL))),), error=error, breaks_off=True)
        case "incomplete":
            pieces = tokens.split(said.text if isinstance(said, Say) else REFUSAL)
            return Answer((Output(tuple(pieces[: len(pieces) // 2 + 1]), is_cut=True),), cut_by="content_filter")


def _well(asked: CreateResponse, said: Say | Calls) -> Answer:
    if isinstance(said, Calls):
        return Answer(tuple(Output(call.pieces, call=call) for call in tool_calls(said)))
    text = said.text
    wanted = asked.text.format if asked.text else None
    if isinstance(wanted, JsonObjectFormat):
        text = as_object(text)
    elif isinstance(wanted, JsonSchemaFormat):
        text = as_schema(wanted.schema_, text, "text.format.schema")
    pieces = tokens.split(text)
    bound = asked.max_output_tokens or len(pieces)
    is_cut = len(pieces) > bound
    return Answer((Output(tuple(pieces[:bound]), is_cut=is_cut),), "max_output_tokens" if is_cut else None)


@dataclass(frozen=True, slots=True)
class Given:
    """A request with its answer. `input` is what came with it, without the items of the responses before."""

    id: str
    created: int
    asked: CreateResponse
    key: Key
    input: list[Item]
    input_tokens: int
    answer: Answer

    def started(self, status: Literal["queued", "in_progress"] = "in_progress") -> dict[str, Any]:
        """The response object before there is an answer."""
        return self._shown(status, [], None, None)

    def ended(self, completed_at: int) -> dict[str, Any]:
        """The response object with its answer."""
        status = self.answer.status
        output = [one.item() for one in self.answer.outputs]
        used = None if status == "failed" else usage(self.input_tokens, self.answer.tokens)
        return self._shown(status, output, completed_at if status == "completed" else None, used)

    def used(self, output_tokens: int) -> Used:
        return Used(
            capability="completions",  # OpenAI books Responses there too
            model=self.asked.model,
            project_id=self.key.project_id,
            user_id="user-sandbox",
            api_key_id=self.key.id,
            input_tokens=self.input_tokens,
            output_tokens=output_tokens,
        )

    def _shown(
        self, status: str, output: list[Item], completed_at: int | None, used: dict[str, Any] | None
    ) -> dict[str, Any]:
        asked = self.asked
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "background": asked.background is True,
            "billing": {"payer": "developer"},
            "completed_at": completed_at,
            "error": self.answer.error if status == "failed" else None,
            "frequency_penalty": 0.0,
            "incomplete_details": {"reason": self.answer.cut_by} if status == "incomplete" else None,
            "instructions": asked.instructions,
            "max_output_tokens": asked.max_output_tokens,
            "max_tool_calls": asked.max_tool_calls,
            "model": asked.model,
            "output": output,
            "parallel_tool_calls": asked.parallel_tool_calls is not False,
            "presence_penalty": 0.0,
            "previous_response_id": asked.previous_response_id,
            "prompt_cache_key": asked.prompt_cache_key,
            "prompt_cache_retention": asked.prompt_cache_retention,
            "reasoning": {
                "effort": asked.reasoning.effort if asked.reasoning else None,
                "summary": asked.reasoning.summary if asked.reasoning else None,
            },
            "safety_identifier": asked.safety_identifier,
            "service_tier": "default",
            "store": asked.store is not False,
            "temperature": 1.0 if asked.temperature is None else asked.temperature,
            "text": _text(asked),
            "tool_choice": asked.tool_choice.model_dump()
            if isinstance(asked.tool_choice, ChooseFunction)
            else asked.tool_choice or "auto",
            "tools": _tools(asked),
            "top_logprobs": 0,
            "top_p": 1.0 if asked.top_p is None else asked.top_p,
            "truncation": asked.truncation or "disabled",
            "usage": used,
            "user": asked.user,
            "metadata": asked.metadata or {},
        }


def usage(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + output_tokens,
    }


def _text(asked: CreateResponse) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": "text"}
    wanted = asked.text.format if asked.text else None
    if isinstance(wanted, JsonSchemaFormat):
        shown = {
            "type": "json_schema",
            "description": wanted.description,
            "name": wanted.name,
            "schema": wanted.schema_,
            "strict": wanted.strict is True,
        }
    elif wanted is not None:
        shown = {"type": wanted.type}
    return {"format": shown, "verbosity": (asked.text and asked.text.verbosity) or "medium"}


def _tools(asked: CreateResponse) -> list[dict[str, Any]]:
    """As they count: `strict` is true unless it was refused, and then a schema that left it open is closed."""
    return [
        {
            "type": "function",
            "description": tool.description,
            "name": tool.name,
            "parameters": closed(tool.parameters or {"type": "object", "properties": {}})
            if tool.strict is None
            else tool.parameters,
            "strict": tool.strict is not False,
        }
        for tool in asked.tools or []
    ]


def closed(schema: Schema) -> Schema:
    """The schema with every object closed and every property required, as OpenAI makes it when `strict` is left out."""
    found: Schema = {}
    for name, value in schema.items():
        if name in {"properties", "$defs"} and isinstance(value, dict):
            found[name] = {key: closed(inner) for key, inner in cast("dict[str, Schema]", value).items()}
        elif name == "items" and isinstance(value, dict):
            found[name] = closed(cast(Schema, value))
        elif name == "anyOf" and isinstance(value, list):
            found[name] = [closed(inner) for inner in cast("list[Schema]", value)]
        else:
            found[name] = value
    if schema.get("type") == "object" or "properties" in schema:
        found["required"] = list(cast("Schema", schema.get("properties", {})))
        found["additionalProperties"] = False
    return found
