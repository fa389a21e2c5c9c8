"""What Responses refuses for reasons that no single field shows: two fields together, the model, calls without outputs."""

from opencto.sandbox.catalogue import Model
from opencto.sandbox.errors import bad_request, invalid_value, not_in_sandbox
from opencto.sandbox.responses.items import Item, text_of
from opencto.sandbox.responses.request import (
    ChooseFunction,
    CreateResponse,
    ItemReference,
    JsonObjectFormat,
    JsonSchemaFormat,
)
from opencto.sandbox.strict_schema import strict_mistake
from opencto.sandbox.structured import Schema


def check(asked: CreateResponse, model: Model) -> None:
    """What the request shows by itself. Raises ApiError."""
    if asked.previous_response_id is not None and asked.conversation is not None:
        raise bad_request(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing one of them.",
            code="mutually_exclusive_parameters",
        )
    if asked.input is None and asked.previous_response_id is None and asked.conversation is None:
        raise bad_request("Missing required parameter: 'input'.", param="input", code="missing_required_parameter")
    if asked.input == []:
        raise bad_request(
            "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="input",
            code="empty_array",
        )
    if asked.stream_options is not None and not asked.stream:
        raise bad_request(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    if asked.reasoning is not None and asked.reasoning.effort is not None and not model.reasons:
        raise bad_request(
            "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
            param="reasoning.effort",
            code="unsupported_parameter",
        )
    if asked.background and asked.store is False:
        raise bad_request("Background mode requires 'store' to be true.", param="background")
    _check_absent(asked)
    _check_format(asked)
    _check_tools(asked)


def _check_absent(asked: CreateResponse) -> None:
    for field, what in (
        ("conversation", "conversation objects; use previous_response_id"),
        ("context_management", "context management"),
        ("moderation", "moderation"),
        ("prompt", "stored prompts"),
        ("top_logprobs", "log probabilities"),
    ):
        if getattr(asked, field):
            raise not_in_sandbox(field, what)
    if "message.output_text.logprobs" in (asked.include or []):
        raise not_in_sandbox("include", "log probabilities")
    for index, item in enumerate(asked.input if isinstance(asked.input, list) else []):
        if isinstance(item, ItemReference):
            raise not_in_sandbox(f"input[{index}]", "references to items; send the item or use previous_response_id")


def _check_format(asked: CreateResponse) -> None:
    wanted = asked.text.format if asked.text else None
    if isinstance(wanted, JsonSchemaFormat) and wanted.strict:
        mistake = _mistake(wanted.schema_)
        if mistake:
            raise bad_request(
                f"Invalid schema for response_format '{wanted.name}': {mistake}",
                param="text.format.schema",
                code="invalid_json_schema",
            )


def _check_tools(asked: CreateResponse) -> None:
    tools = asked.tools or []
    for index, tool in enumerate(tools):
        mistake = _mistake(tool.parameters) if tool.strict and tool.parameters is not None else None
        if mistake:
            raise bad_request(
                f"Invalid schema for function '{tool.name}': {mistake}",
                param=f"tools[{index}].parameters",
                code="invalid_function_parameters",
            )
    if asked.tool_choice == "required" and not tools:
        raise bad_request("Tool choice 'required' must be specified with 'tools' parameter.", param="tool_choice")
    if isinstance(asked.tool_choice, ChooseFunction) and asked.tool_choice.name not in {tool.name for tool in tools}:
        raise invalid_value("tool_choice", f"Tool choice '{asked.tool_choice.name}' not found in 'tools' parameter.")


def _mistake(schema: Schema) -> str | None:
    kind = schema.get("type")
    if kind != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
    return strict_mistake(schema)


def check_items(asked: CreateResponse, items: list[Item]) -> None:
    """What shows only with the items of the responses before. Raises ApiError."""
    calls: set[str] = set()
    outputs: set[str] = set()
    for item in items:
        if item["type"] == "function_call":
            calls.add(item["call_id"])
        elif item["type"] == "function_call_output":
            if item["call_id"] not in calls:
                raise bad_request(
                    f"No tool call found for function call output with call_id {item['call_id']}.", param="input"
                )
            outputs.add(item["call_id"])
    missing = sorted(calls - outputs)
    if missing:
        raise bad_request(f"No tool output found for function call {missing[0]}.", param="input")
    wanted = asked.text.format if asked.text else None
    texts = [*(text_of(item) for item in items), asked.instructions or ""]
    if isinstance(wanted, JsonObjectFormat) and not any("json" in text.lower() for text in texts):
        raise bad_request(
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
            param="input",
        )
