"""The strict subset of JSON Schema: what OpenAI refuses is refused in its words, and what passes is filled."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from opencto.sandbox.strict_schema import strict_mistake
from opencto.sandbox.structured import FORMATS, smallest

TEXT: dict[str, Any] = {"type": "string"}


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def nested(levels: int) -> dict[str, Any]:
    return TEXT if levels == 0 else closed(a=nested(levels - 1))


REFUSED: list[tuple[dict[str, Any], str]] = [
    (closed(a={"type": "string", "default": "x"}), "In context=('properties', 'a'), 'default' is not permitted."),
    (closed(a={"oneOf": [TEXT]}), "In context=('properties', 'a'), 'oneOf' is not permitted."),
    (closed(a={**TEXT, "allOf": []}), "In context=('properties', 'a'), 'allOf' is not permitted."),
    (closed(a={"type": "array", "items": TEXT, "uniqueItems": True}),
     "In context=('properties', 'a'), 'uniqueItems' is not permitted."),
    (closed(a={}), "In context=('properties', 'a'), schema must have a 'type' key."),
    (closed(a={"const": "x"}), "In context=('properties', 'a'), schema must have a 'type' key."),
    (closed(a={"type": "array"}), "In context=('properties', 'a'), array schema missing items."),
    (closed(a={"type": "array", "items": {"type": "object"}}),
     "In context=('properties', 'a', 'items'), 'additionalProperties' is required to be supplied and to be false."),
    (closed(a={"type": "string", "format": "uri"}), "In context=('properties', 'a'), 'uri' is not a valid format."),
    (closed(a={"type": "string", "enum": ["x", 1]}),
     "In context=('properties', 'a'), enum values must be of the same type."),
    (closed(a={"$ref": "#/$defs/A"}),
     "In context=('properties', 'a'), reference to component '#/$defs/A' which was not found in the schema."),
    ({**closed(a={"$ref": "#/$defs/A", "description": "x"}), "$defs": {"A": TEXT}},
     "context=('properties', 'a'), $ref cannot have keywords {'description'}."),
    ({**closed(a=TEXT), "required": ["a", "b"]},
     "In context=(), 'required' is required to be supplied and to be an array including every key in properties. "
     "Extra required key 'b' supplied."),
    (nested(11), "11 levels of nesting exceeds limit of 10."),
    (closed(**{f"p{index}": TEXT for index in range(5001)}), "5001 parameters exceeds limit of 5000."),
    (closed(a={"type": "integer", "enum": list(range(1001))}), "1001 enum values exceeds limit of 1000."),
    (closed(a={"type": "string", "enum": [f"{index:0100}" for index in range(251)]}),
     "25100 characters in the values of an enum exceeds limit of 15000."),
    (closed(**{"n" * 120_001: TEXT}), "120001 characters in names and values exceeds limit of 120000."),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "sentence"), REFUSED)
def test_what_strict_mode_refuses_is_named(schema: dict[str, Any], sentence: str) -> None:
    assert strict_mistake(schema) == sentence


TREE: dict[str, Any] = closed(name=TEXT, children={"type": "array", "items": {"$ref": "#"}})
CHAIN: dict[str, Any] = {
    **closed(next={"anyOf": [{"$ref": "#/$defs/Link"}, {"type": "null"}]}),
    "$defs": {"Link": closed(next={"anyOf": [{"$ref": "#/$defs/Link"}, {"type": "null"}]})},
}


@pytest.mark.parametrize(
    "schema",
    [
        nested(10),
        TREE,
        CHAIN,
        closed(**{name: {"type": "string", "format": name} for name in FORMATS}),
        closed(
            a={"type": "integer", "minimum": 7, "multipleOf": 5},
            b={"type": "number", "exclusiveMaximum": -2},
            c={"type": "integer", "exclusiveMinimum": 3, "maximum": 9},
            d={"type": "array", "items": {"type": "string", "enum": ["x", "y"]}, "minItems": 2, "maxItems": 3},
            e={"type": ["string", "null"]},
        ),
    ],
)
def test_what_strict_mode_takes_is_filled_so_that_it_validates(schema: dict[str, Any]) -> None:
    assert strict_mistake(schema) is None
    formats = FormatChecker(("date", "email", "ipv4", "ipv6", "uuid"))  # the library has no RFC 3339 for the others
    validator: Any = Draft202012Validator(schema, format_checker=formats)
    validator.validate(smallest(schema, "hello"))
