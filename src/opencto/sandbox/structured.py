"""The smallest value that a JSON Schema allows, for callers who ask for structured output. Simple schemas only."""

from typing import Any, cast

_MAX_DEPTH = 12
Schema = dict[str, Any]


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
        return _fill(cast("list[Schema]", schema["anyOf"])[0], root, text, depth + 1)
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
    for keyword in ("pattern", "format"):
        if keyword in schema:
            raise TooComplicated(keyword)
    text = text[: int(schema.get("maxLength", len(text)))]
    return text.ljust(int(schema.get("minLength", 0)), ".")


def _number(schema: Schema) -> int | float:
    for keyword in ("multipleOf", "exclusiveMinimum", "exclusiveMaximum"):
        if keyword in schema:
            raise TooComplicated(keyword)
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    if lowest is not None and lowest > 0:
        return lowest
    return highest if highest is not None and highest < 0 else 0


def strict_mistake(schema: Schema, path: tuple[str, ...] = ()) -> str | None:
    """What OpenAI's strict mode would refuse: every object closed and every property required. None when it is well."""
    where = f"In context=({', '.join(repr(part) for part in path)}{',' if len(path) == 1 else ''})"
    if schema.get("type") == "object" or "properties" in schema:
        properties = cast("dict[str, Schema]", schema.get("properties", {}))
        if schema.get("additionalProperties") is not False:
            return f"{where}, 'additionalProperties' is required to be supplied and to be false."
        missing = [name for name in properties if name not in cast("list[str]", schema.get("required", []))]
        if missing:
            return f"{where}, 'required' is required to be supplied and to be an array including every key in properties. Missing '{missing[0]}'."
        for name, inner in properties.items():
            found = strict_mistake(inner, (*path, "properties", name))
            if found:
                return found
    items = schema.get("items")
    if isinstance(items, dict):
        return strict_mistake(cast(Schema, items), (*path, "items"))
    for index, branch in enumerate(cast("list[Schema]", schema.get("anyOf", []))):
        found = strict_mistake(branch, (*path, "anyOf", str(index)))
        if found:
            return found
    for name, inner in cast("dict[str, Schema]", schema.get("$defs", {})).items():
        found = strict_mistake(inner, (*path, "$defs", name))
        if found:
            return found
    return None
