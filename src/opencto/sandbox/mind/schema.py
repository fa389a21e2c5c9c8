"""The parameters of a tool, read from its JSON Schema. Callers send any schema: what is too deep or strange is a plain string."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

Kind = Literal["string", "integer", "number", "boolean", "array", "object"]
_MOST_FIELDS = 64
_MOST_VALUES = 200
_MOST_STEPS = 16
_KINDS: Final = {"string", "integer", "number", "boolean", "array", "object"}
_NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    description: str = ""
    kind: Kind = "string"
    values: tuple[Any, ...] = ()
    """The only values, where the schema counts them up."""
    format: str = ""
    is_required: bool = False
    may_be_null: bool = False
    has_default: bool = False
    default: Any = None
    items: "Field | None" = None
    fields: "tuple[Field, ...]" = ()
    """Of an object."""
    least: float | None = None
    most: float | None = None
    pattern: str = ""
    longest: int | None = None
    examples: tuple[Any, ...] = ()


def read(parameters: Mapping[str, Any]) -> tuple[Field, ...]:
    return _fields(parameters, parameters, 0)


def _fields(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> tuple[Field, ...]:
    schema, _ = _resolved(schema, root)
    given = schema.get("properties")
    properties: dict[str, Any] = dict(cast("Mapping[str, Any]", given)) if isinstance(given, Mapping) else {}
    if depth > 3:
        return ()
    listed = schema.get("required")
    required: set[Any] = {*map(str, cast("list[Any]", listed))} if isinstance(listed, list) else set()
    properties |= {key: {} for key in sorted(required - properties.keys())}  # required, and not described
    found: list[Field] = []
    for name, inner in list(properties.items())[:_MOST_FIELDS]:
        plain: Mapping[str, Any] = cast("Mapping[str, Any]", inner) if isinstance(inner, Mapping) else {}
        found.append(_field(str(name), plain, root, is_required=name in required, depth=depth))
    return tuple(found)


def _field(name: str, given: Mapping[str, Any], root: Mapping[str, Any], *, is_required: bool, depth: int) -> Field:
    schema, may_be_null = _resolved(given, root)
    kind = _kind(schema)
    listed = schema.get("enum")
    values = tuple(cast("list[Any]", listed))[:_MOST_VALUES] if isinstance(listed, list) else ()
    if "const" in schema:
        values = (schema["const"],)
    values = tuple(value for value in values if value is None or isinstance(value, (str, int, float, bool)))
    if None in values:
        may_be_null = True
        values = tuple(value for value in values if value is not None)
    default = given.get("default", schema.get("default", _NOTHING))
    items = schema.get("items")
    examples = schema.get("examples")
    return Field(
        name=name,
        description=_text(given.get("description")) or _text(schema.get("description")) or _text(schema.get("title")),
        kind=kind,
        values=values,
        format=_text(schema.get("format")),
        is_required=is_required,
        may_be_null=may_be_null,
        has_default=default is not _NOTHING,
        default=None if default is _NOTHING else default,
        items=_field(name, cast("Mapping[str, Any]", items), root, is_required=True, depth=depth + 1)
        if isinstance(items, Mapping) and depth <= 3
        else None,
        fields=_fields(schema, root, depth + 1) if kind == "object" else (),
        least=_number(schema.get("minimum", schema.get("exclusiveMinimum"))),
        most=_number(schema.get("maximum", schema.get("exclusiveMaximum"))),
        pattern=_text(schema.get("pattern")),
        longest=_whole(schema.get("maxLength")),
        examples=tuple(cast("list[Any]", examples))[:10] if isinstance(examples, list) else (),
    )


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Without references and choices: the first branch that is not null. Says whether null was one."""
    may_be_null = False
    for _ in range(_MOST_STEPS):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**_target(reference, root), **beside}
            continue
        for keyword in ("anyOf", "oneOf", "allOf"):
            branches = schema.get(keyword)
            if isinstance(branches, list) and branches:
                break
        else:
            break
        plain = [cast("Mapping[str, Any]", one) for one in cast("list[Any]", branches) if isinstance(one, Mapping)]
        real = [one for one in plain if one.get("type") != "null"]
        may_be_null = may_be_null or len(real) < len(plain)
        beside = {key: value for key, value in schema.items() if key != keyword}
        schema = {**(real[0] if real else {}), **beside}
    kind = schema.get("type")
    if isinstance(kind, list) and "null" in kind:
        may_be_null = True
    return schema, may_be_null


def _target(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    node: Any = root
    for part in reference.removeprefix("#").strip("/").split("/")[:_MOST_STEPS]:
        if part:
            node = cast("Mapping[str, Any]", node).get(part) if isinstance(node, Mapping) else None
    return cast("Mapping[str, Any]", node) if isinstance(node, Mapping) and node is not root else {}


def _kind(schema: Mapping[str, Any]) -> Kind:
    kind: Any = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in cast("list[Any]", kind) if one != "null"), None)
    if isinstance(kind, str) and kind in _KINDS:
        return cast("Kind", kind)
    if "properties" in schema:
        return "object"
    listed = schema.get("enum")
    first: Any = cast("list[Any]", listed)[0] if isinstance(listed, list) and listed else schema.get("const")
    if type(first) is int:
        return "integer"
    return "boolean" if isinstance(first, bool) else "string"


def _text(value: Any) -> str:
    return value[:2000] if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None
