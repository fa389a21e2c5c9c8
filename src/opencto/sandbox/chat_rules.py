"""What Chat Completions refuses for reasons that no single field shows: the model, two fields together, the order of messages."""

from opencto.sandbox.catalogue import Model
from opencto.sandbox.chat_request import (
    AssistantMessage,
    ChooseFunction,
    CreateCompletion,
    JsonObjectFormat,
    JsonSchemaFormat,
    ToolMessage,
)
from opencto.sandbox.errors import ApiError, bad_request, invalid_value, not_in_sandbox
from opencto.sandbox.strict_schema import strict_mistake


def check(asked: CreateCompletion, model: Model) -> None:
    """What depends on more than one field, or on the model. Raises ApiError."""
    if model.reasons and asked.max_tokens is not None:
        raise bad_request(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        )
    if not model.reasons and asked.reasoning_effort is not None:
        raise bad_request("Unrecognized request argument supplied: reasoning_effort")
    if asked.max_tokens is not None and asked.max_completion_tokens is not None:
        raise bad_request("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
    if asked.stream_options is not None and not asked.stream:
        raise bad_request(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    for field, what in (
        ("audio", "audio in Chat Completions"),
        ("prediction", "predicted outputs"),
        ("web_search_options", "web search"),
        ("moderation", "moderation"),
        ("functions", "the deprecated functions; use tools"),
        ("function_call", "the deprecated function_call; use tool_choice"),
        ("logprobs", "log probabilities"),
        ("top_logprobs", "log probabilities"),
    ):
        if getattr(asked, field):
            raise not_in_sandbox(field, what)
    if asked.modalities and "audio" in asked.modalities:
        raise not_in_sandbox("modalities", "audio in Chat Completions")
    if asked.n is not None and asked.n > 1:
        raise not_in_sandbox("n", "more than one choice")
    _check_format(asked)
    _check_tools(asked)
    _check_tool_messages(asked)


def _check_format(asked: CreateCompletion) -> None:
    wanted = asked.response_format
    if isinstance(wanted, JsonObjectFormat) and not any("json" in text.lower() for text in asked.texts()):
        raise bad_request(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            param="messages",
        )
    if isinstance(wanted, JsonSchemaFormat) and wanted.json_schema.strict:
        mistake = strict_mistake(wanted.json_schema.schema_)
        if mistake:
            raise bad_request(
                f"Invalid schema for response_format '{wanted.json_schema.name}': {mistake}", param="response_format"
            )


def _check_tools(asked: CreateCompletion) -> None:
    tools = asked.tools or []
    for index, tool in enumerate(tools):
        mistake = strict_mistake(tool.function.parameters or {"type": "object"}) if tool.function.strict else None
        if mistake:
            raise bad_request(
                f"Invalid schema for function '{tool.function.name}': {mistake}",
                param=f"tools[{index}].function.parameters",
                code="invalid_function_parameters",
            )
    if "tool_choice" in asked.model_fields_set and not tools:
        raise bad_request("'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice")
    if asked.parallel_tool_calls is not None and not tools:
        raise bad_request(
            "'parallel_tool_calls' is only allowed when 'tools' are specified.", param="parallel_tool_calls"
        )
    if isinstance(asked.tool_choice, ChooseFunction):
        name = asked.tool_choice.function.name
        if name not in {tool.function.name for tool in tools}:
            raise invalid_value("tool_choice", f"Tool choice '{name}' not found in 'tools' parameter.")


def _check_tool_messages(asked: CreateCompletion) -> None:
    waiting: list[str] = []
    for index, message in enumerate(asked.messages):
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in waiting:
                raise bad_request(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
                    param=f"messages.[{index}].role",
                )
            waiting.remove(message.tool_call_id)
            continue
        if waiting:
            raise _unanswered(waiting, index)
        if isinstance(message, AssistantMessage):
            waiting = [call.id for call in message.tool_calls or []]
            if message.content is None and not waiting and message.refusal is None:
                raise bad_request(
                    f"Invalid value for 'content': expected a string, got null. (messages[{index}])",
                    param=f"messages.[{index}].content",
                )
    if waiting:
        raise _unanswered(waiting, len(asked.messages))


def _unanswered(waiting: list[str], index: int) -> ApiError:
    return bad_request(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {', '.join(waiting)}",
        param=f"messages.[{index}].role",
    )
