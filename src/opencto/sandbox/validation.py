"""Reading a body, and saying what is wrong with it in OpenAI's words, codes and `param` notation."""

import json
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from opencto.sandbox.errors import ApiError, bad_request, invalid_value

Body = TypeVar("Body", bound=BaseModel)

_BAD_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API "
    "expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through "
    "our help center at help.openai.com.)"
)
_EXPECTED = {
    "string_type": "a string",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a decimal",
    "bool_type": "a boolean",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


class Closed(BaseModel):
    """A shape that refuses what it does not know and converts nothing."""

    # Built when first used: a start does not pay for a sandbox that nobody calls.
    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=(), defer_build=True)


async def read_json(request: Request, max_bytes: int) -> dict[str, Any]:
    """The body as an object. Raises ApiError."""
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise bad_request(
            f"Unsupported content type: '{kind}'. This API method only accepts 'application/json' requests, but you specified the header 'Content-Type: {kind}'.",
            code="unsupported_content_type",
        )
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > max_bytes:
            raise ApiError(413, f"The request body is larger than {max_bytes} bytes.")
    try:
        found = json.loads(raw, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise bad_request(_BAD_JSON) from error
    if not isinstance(found, dict):
        raise bad_request(f"Invalid type for body: expected an object, but got {_kind_of(found)} instead.")
    return cast("dict[str, Any]", found)


def refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def parse(model: type[Body], data: Any, *, legacy_words: bool = False) -> Body:
    """The typed body, or the first mistake as an ApiError.

    `legacy_words`: the older wording that Chat Completions still uses for an unknown field at the top.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _translate(cast("dict[str, Any]", first), data, legacy_words=legacy_words) from None


def _translate(item: dict[str, Any], data: Any, *, legacy_words: bool) -> ApiError:
    kind: str = item["type"]
    context: dict[str, Any] = item.get("ctx", {})
    value: Any = item["input"]
    path = _path(item["loc"], data, keep_last=kind == "missing")
    if kind.startswith("union_tag"):
        return _wrong_tag(kind, path, context, value)
    match kind:
        case "missing":
            return bad_request(f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter")
        case "extra_forbidden":
            if legacy_words and "." not in path and "[" not in path:
                return bad_request(f"Unrecognized request argument supplied: {path}")
            return bad_request(f"Unknown parameter: '{path}'.", param=path, code="unknown_parameter")
        case "wrong_kind":
            return _wrong_type(path, context["expected"], value)
        case "literal_error":
            if not isinstance(value, str):
                return _wrong_type(path, "a string", value)
            return invalid_value(
                path, f"Invalid value: '{value}'. Supported values are: {_listed(context['expected'])}."
            )
        case "string_pattern_mismatch":
            return invalid_value(
                path,
                f"Invalid '{path}': string does not match pattern. Expected a string that matches the pattern '{context['pattern']}'.",
            )
        case _ if kind in _EXPECTED:
            return _wrong_type(path, _EXPECTED[kind], value)
        case _:
            return _out_of_bounds(kind, path, context, value)


def _wrong_tag(kind: str, path: str, context: dict[str, Any], value: Any) -> ApiError:
    name = str(context["discriminator"]).strip("'")
    path = f"{path}.{name}" if path else name
    if kind == "union_tag_not_found":
        if not isinstance(value, dict):
            return _wrong_type(path.rpartition(".")[0], "an object", value)
        return bad_request(f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter")
    return invalid_value(
        path, f"Invalid value: '{context['tag']}'. Supported values are: {_listed(context['expected_tags'])}."
    )


def _wrong_type(path: str, expected: str, value: Any) -> ApiError:
    return bad_request(
        f"Invalid type for '{path}': expected {expected}, but got {_kind_of(value)} instead.",
        param=path,
        code="invalid_type",
    )


def _out_of_bounds(kind: str, path: str, context: dict[str, Any], value: Any) -> ApiError:
    bound = context.get("ge", context.get("le"))
    number = "integer" if type(bound) is int else "decimal"
    size = len(cast("list[Any]", value)) if isinstance(value, (str, list, dict)) else 0
    match kind:
        case "greater_than_equal":
            code = f"{number}_below_min_value"
            sentence = f"{number} below minimum value. Expected a value >= {bound:g}, but got {value} instead."
        case "less_than_equal":
            code = f"{number}_above_max_value"
            sentence = f"{number} above maximum value. Expected a value <= {bound:g}, but got {value} instead."
        case "string_too_long":
            code = "string_above_max_length"
            sentence = f"string too long. Expected a string with maximum length {context['max_length']}, but got a string with length {size} instead."
        case "string_too_short":
            code = "empty_string"
            sentence = "empty string. Expected a string with minimum length 1, but got an empty string instead."
        case "too_long" if isinstance(value, dict):
            code = "object_above_max_properties"
            sentence = f"too many properties. Expected an object with at most {context['max_length']} properties, but got an object with {size} properties instead."
        case "too_long":
            code = "array_above_max_length"
            sentence = f"array too long. Expected an array with maximum length {context['max_length']}, but got an array with length {size} instead."
        case "too_short":
            code = "empty_array"
            sentence = "empty array. Expected an array with minimum length 1, but got an empty array instead."
        case _:
            return invalid_value(path, f"Invalid value for '{path}'.")
    return bad_request(f"Invalid '{path}': {sentence}", param=path, code=code)


def _path(location: tuple[str | int, ...], data: Any, *, keep_last: bool) -> str:
    """`messages[0].content`. Pydantic puts the tags of unions into the location; whatever does not lead into the body is dropped."""
    path = ""
    node = data
    for position, part in enumerate(location):
        is_last = position == len(location) - 1
        if isinstance(part, int) and isinstance(node, list):
            items = cast("list[Any]", node)
            path += f"[{part}]"
            node = items[part] if part < len(items) else None
        elif isinstance(part, str) and isinstance(node, dict) and part in node:
            path += f".{part}" if path else part
            node = cast("dict[str, Any]", node)[part]
        elif is_last and keep_last:
            path += f".{part}" if path else str(part)
    return path


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _listed(expected: str) -> str:
    """Pydantic says "'a', 'b' or 'c'", OpenAI "'a', 'b', and 'c'"."""
    values = [part.strip() for part in expected.replace(" or ", ", ").split(",")]
    if len(values) < 3:
        return " and ".join(values)
    return f"{', '.join(values[:-1])}, and {values[-1]}"
