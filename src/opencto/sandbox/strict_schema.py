"""What OpenAI's strict mode refuses in a JSON Schema, in its words: every object closed, every property required, few keywords."""

from collections.abc import Iterator
from typing import Any, cast

from opencto.sandbox.structured import FORMATS, Schema

MOST_LEVELS = 10
MOST_PROPERTIES = 5000
MOST_ENUM_VALUES = 1000
MOST_CHARACTERS = 120_000
MOST_CHARACTERS_OF_A_LONG_ENUM = 15_000
_LONG_ENUM = 250
_REFUSED = (
    "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties",
    "propertyNames", "unevaluatedProperties", "minProperties", "maxProperties", "prefixItems", "unevaluatedItems",
    "contains", "minContains", "maxContains", "uniqueItems", "default",
)  # fmt: skip
Path = tuple[str, ...]


class _Mistake(Exception):  # noqa: N818 - an answer on its way out
    pass


def strict_mistake(schema: Schema) -> str | None:
    """The first thing that would be refused, as a sentence; None when it is well."""
    try:
        _look(schema, schema, ())
        _measure(schema)
    except _Mistake as mistake:
        return str(mistake)
    return None


def _look(node: Any, root: Schema, path: Path) -> None:
    where = f"context=({', '.join(repr(part) for part in path)}{',' if len(path) == 1 else ''})"
    if not isinstance(node, dict):
        raise _Mistake(f"In {where}, schema must be a JSON Schema object.")
    schema = cast(Schema, node)
    if "$ref" in schema:
        beside = sorted(schema.keys() - {"$ref", "$defs", "definitions"})
        if beside:
            raise _Mistake(f"{where}, $ref cannot have keywords {{{', '.join(map(repr, beside))}}}.")
        if _target(str(schema["$ref"]), root) is None:
            raise _Mistake(f"In {where}, reference to component '{schema['$ref']}' which was not found in the schema.")
    for keyword in _REFUSED:
        if keyword in schema:
            raise _Mistake(f"In {where}, '{keyword}' is not permitted.")
    if not schema.keys() & {"$ref", "anyOf", "type"}:
        raise _Mistake(f"In {where}, schema must have a 'type' key.")
    _look_at_values(schema, where)
    for inner, more in _below(schema):
        _look(inner, root, (*path, *more))


def _look_at_values(schema: Schema, where: str) -> None:
    kinds = _kinds(schema)
    if "object" in kinds or "properties" in schema:
        properties = cast("dict[str, Any]", schema.get("properties", {}))
        if schema.get("additionalProperties") is not False:
            raise _Mistake(f"In {where}, 'additionalProperties' is required to be supplied and to be false.")
        required = cast("list[str]", schema.get("required", []))
        wanted = (
            f"In {where}, 'required' is required to be supplied and to be an array including every key in properties."
        )
        for name in properties:
            if name not in required:
                raise _Mistake(f"{wanted} Missing '{name}'.")
        for name in required:
            if name not in properties:
                raise _Mistake(f"{wanted} Extra required key '{name}' supplied.")
    if "array" in kinds and "items" not in schema:
        raise _Mistake(f"In {where}, array schema missing items.")
    if "format" in schema and schema["format"] not in FORMATS:
        raise _Mistake(f"In {where}, '{schema['format']}' is not a valid format.")
    values = cast("list[object]", schema.get("enum", []))
    if len({type(value).__name__ for value in values if value is not None}) > 1:
        raise _Mistake(f"In {where}, enum values must be of the same type.")


def _kinds(schema: Schema) -> list[Any]:
    kind: Any = schema.get("type")
    return cast("list[Any]", kind) if isinstance(kind, list) else [kind]


def _below(schema: Schema) -> Iterator[tuple[Any, Path]]:
    for keyword in ("properties", "$defs", "definitions"):
        for name, inner in cast("dict[str, Any]", schema.get(keyword, {})).items():
            yield inner, (keyword, name)
    if "items" in schema:
        yield schema["items"], ("items",)
    for index, branch in enumerate(cast("list[Any]", schema.get("anyOf", []))):
        yield branch, ("anyOf", str(index))


def _measure(root: Schema) -> None:
    properties = enum_values = characters = 0
    for node in _every(root):
        names = list(cast("dict[str, Any]", node.get("properties", {})))
        values = [str(value) for value in cast("list[Any]", node.get("enum", []))]
        long_enum = sum(map(len, values))
        if len(values) > _LONG_ENUM and long_enum > MOST_CHARACTERS_OF_A_LONG_ENUM:
            raise _over(long_enum, "characters in the values of an enum", MOST_CHARACTERS_OF_A_LONG_ENUM)
        properties += len(names)
        enum_values += len(values)
        defined = [*cast(Schema, node.get("$defs", {})), *cast(Schema, node.get("definitions", {}))]
        characters += long_enum + sum(map(len, [*names, *defined])) + len(str(node.get("const", "")))
    if properties > MOST_PROPERTIES:
        raise _over(properties, "parameters", MOST_PROPERTIES)
    levels = _levels(root, root, frozenset())
    if levels > MOST_LEVELS:
        raise _over(levels, "levels of nesting", MOST_LEVELS)
    if enum_values > MOST_ENUM_VALUES:
        raise _over(enum_values, "enum values", MOST_ENUM_VALUES)
    if characters > MOST_CHARACTERS:
        raise _over(characters, "characters in names and values", MOST_CHARACTERS)


def _over(found: int, what: str, most: int) -> _Mistake:
    return _Mistake(f"{found} {what} exceeds limit of {most}.")


def _every(schema: Schema) -> Iterator[Schema]:
    yield schema
    for inner, _ in _below(schema):
        yield from _every(inner)


def _levels(schema: Schema, root: Schema, seen: frozenset[str]) -> int:
    """Steps from a value to its innermost value; choices and references are none. What contains itself is counted once."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        target = _target(reference, root)
        return 0 if reference in seen or target is None else _levels(target, root, seen | {reference})
    deepest = 0
    for inner, path in _below(schema):
        if path[0] in {"properties", "items"}:
            deepest = max(deepest, 1 + _levels(inner, root, seen))
        elif path[0] == "anyOf":
            deepest = max(deepest, _levels(inner, root, seen))
    return deepest


def _target(reference: str, root: Schema) -> Schema | None:
    node: Any = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        if part:
            node = cast(Schema, node).get(part) if isinstance(node, dict) else None
    return cast(Schema, node) if isinstance(node, dict) else None
