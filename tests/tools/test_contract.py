"""A tool as OpenAI is told of it, and the registry."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from opencto.identity.caller import WorkspaceCaller
from opencto.tools.contract import Arguments, Tool
from opencto.tools.errors import ToolNotFound
from opencto.tools.registry import Registry


class Place(BaseModel):
    """Somewhere."""

    title: str


class Asked(Arguments):
    """For people."""

    colour: Literal["red", "blue"] = Field(description="Which one.")
    place: Place
    places: list[Place] = Field(default_factory=list[Place])
    pair: list[int] | str | None = None
    many: Annotated[int, Field(ge=1)] | None = Field(default=None, description="How many.")
    note: str | None = None


class Nothing(Arguments):
    pass


async def answer(_who: WorkspaceCaller, _asked: Arguments) -> str:
    return "done"


def tool(name: str, arguments: type[Any] = Nothing) -> Tool[Any]:
    return Tool(name, "Do it.", arguments, answer, "reads")


def test_the_schema_has_neither_references_nor_titles() -> None:
    place = {
        "type": "object",
        "description": "Somewhere.",
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
    }
    assert tool("paint", Asked).parameters == {
        "type": "object",
        "additionalProperties": False,
        "required": ["colour", "place"],
        "properties": {
            "colour": {"type": "string", "enum": ["red", "blue"], "description": "Which one."},
            "place": place,
            "places": {"type": "array", "items": place},
            "pair": {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "string"}]},
            "many": {"type": "integer", "minimum": 1, "description": "How many."},
            "note": {"type": "string"},
        },
    }
    assert tool("rest").parameters == {"type": "object", "additionalProperties": False, "properties": {}}


def test_a_name_is_plain_and_belongs_to_one_tool() -> None:
    registry = Registry([tool("paint")])
    assert registry.named("paint").function().name == "paint"
    with pytest.raises(ToolNotFound):
        registry.named("sing")
    with pytest.raises(ValueError, match="two tools called paint"):
        Registry([tool("paint"), tool("paint")])
    with pytest.raises(ValueError, match="is no name of a tool"):
        Registry([tool("Paint It")])
