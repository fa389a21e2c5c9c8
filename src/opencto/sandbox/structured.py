"""The smallest value that a JSON Schema allows, for callers who ask for structured output. Simple schemas only."""

from typing import Any, cast

_MAX_DEPTH = 12
Schema = dict[str, Any]
FORMATS = {
    "date-time": "1970-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "date": "1970-01-01",
    "duration": "PT0S",
    "email": "sandbox@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
"""The formats that OpenAI's strict mode knows, each with a value that nobody takes for a real one."""


class TooComplicated(Exception):  # noqa: N818 - it is the schema's quality, not a defect
    """The sandbox does not fill this schema. The message names the keyword."""


def smallest(schema: Schema, text: str) -> Any:
    """A value that the schema allows, with `text` where a free string may stand. Raises TooComplicated."""
    return _fill(schema, schema, text, 0)


def _fill(schema: Schema, root: Schema, text: str, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise TooComplicated("recursion")
    for keyword in ("allOf", "oneOf", "not", "if", "patternProperties", "prefixItems", "dependentRequired"):
        if keyword in schema:
            raise TooComplicated(keyword)
    if "$ref" in schema:
        return _fill(_resolve(str(schema["$ref"]), root), root, text, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return cast("list[Any]", schema["enum"])[0]
    if "anyOf" in schema:
        return _first_that_fills(cast("list[Schema]", schema["anyOf"]), root, text, depth + 1)
    kind: Any = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = cast("list[str]", kind)[0]
    match kind:
        case "object":
            properties = cast("dict[str, Schema]", schema.get("properties", {}))
            wanted = cast("list[str]", schema.get("required", list(properties)))
            return {name: _fill(properties.get(name, {}), root, text, depth + 1) for name in wanted}
        case "array":
            items = cast(Schema, schema.get("items", {}))
            return [_fill(items, root, text, depth + 1) for _ in range(int(schema.get("minItems", 0)))]
        case "string":
            return _string(schema, text)
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return False
        case "null":
            return None
        case _:
            raise TooComplicated(f"type {kind}")


def _first_that_fills(branches: list[Schema], root: Schema, text: str, depth: int) -> Any:
    """Of a schema that contains itself, that is the branch that ends."""
    refusal = TooComplicated("an empty anyOf")
    for branch in branches:
        try:
            return _fill(branch, root, text, depth)
        except TooComplicated as error:
            refusal = error
    raise refusal


def _resolve(reference: str, root: Schema) -> Schema:
    if reference == "#":
        return root
    node: Any = root
    for part in reference.removeprefix("#/").split("/"):
        if not isinstance(node, dict) or part not in node:
            raise TooComplicated("$ref")
        node = cast("dict[str, Any]", node)[part]
    return cast(Schema, node)


def _string(schema: Schema, text: str) -> str:
    if "pattern" in schema:
        raise TooComplicated("pattern")
    if "format" in schema:
        if schema["format"] not in FORMATS:
            raise TooComplicated(f"format {schema['format']}")
        return FORMATS[schema["format"]]
    text = text[: int(schema.get("maxLength", len(text)))]
    return text.ljust(int(schema.get("minLength", 0)), ".")


def _number(schema: Schema) -> int | float:
    """Zero where it may stand, else the allowed number next to it."""
    step: int | float = schema.get("multipleOf", 1)
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if above is not None and (lowest is None or above >= lowest):
        lowest = (above // step + 1) * step
    if below is not None and (highest is None or below <= highest):
        highest = -((-below) // step + 1) * step
    if lowest is not None and lowest > 0:
        return -(-lowest // step) * step if "multipleOf" in schema else lowest
    if highest is not None and highest < 0:
        return highest // step * step if "multipleOf" in schema else highest
    return 0
