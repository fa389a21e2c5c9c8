"""What a tool is. It stands beside the service that it calls; `gate.py` alone decides whether it runs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict

from opencto.identity.caller import WorkspaceCaller
from opencto.providers.requests import FunctionTool
from opencto.wire.identity import Role
from opencto.wire.tools import Risk, ToolInfo, ToolSurface


class Arguments(BaseModel):
    """The base of every argument model: what a model makes up besides is refused."""

    model_config = ConfigDict(extra="forbid")


ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call would do, without doing it: the dry run that an approver reads."""

    effect: str
    """In plain words, with the names and figures of now and of afterwards."""
    precondition: str
    """What the effect was said of. When it reads otherwise at run time, the approval does not hold any more."""


@dataclass(frozen=True)
class Tool(Generic[ArgumentsT]):
    """One thing that the assistant may do. `description` is a sentence that the model reads; `run` gives plain JSON."""

    name: str
    description: str
    arguments: type[ArgumentsT]
    run: Callable[[WorkspaceCaller, ArgumentsT], Awaitable[Any]]
    risk: Risk
    role: Role = Role.VIEWER
    surfaces: tuple[ToolSurface, ...] = ("voice", "chat", "incidents")
    timeout_seconds: float = 20.0
    plan: Callable[[WorkspaceCaller, ArgumentsT], Awaitable[Plan]] | None = None
    """For what changes or destroys: without it the tool cannot be approved, and never runs."""
    approver: Role = Role.ADMIN
    """Who may say yes; it also runs with their rights, of that moment."""

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """JSON Schema of the arguments, without references and titles: each word of it is read by a model, and paid."""
        schema = self.arguments.model_json_schema()
        plain = _plain(schema, cast("Mapping[str, Any]", schema.get("$defs", {})))
        plain.pop("description", None)  # the docstring of the model is for people
        plain.setdefault("properties", {})
        return plain

    def info(self) -> ToolInfo:
        return ToolInfo(
            name=self.name,
            description=self.description,
            parameters=dict(self.parameters),
            risk=self.risk,
            surfaces=list(self.surfaces),
        )

    def function(self) -> FunctionTool:
        """As OpenAI is told of it."""
        return FunctionTool(self.name, self.description, self.parameters)


def _plain(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        named = definitions[str(schema["$ref"]).rpartition("/")[2]]
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return _plain({**named, **beside}, definitions)
    branches = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(branches) == 1:  # optional: leaving it out says the same as null
        beside = {key: value for key, value in schema.items() if key != "anyOf"}
        return _plain({**branches[0], **beside}, definitions)
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key in {"title", "$defs"} or (key == "default" and value is None):
            continue
        if key == "properties":
            found[key] = {name: _plain(one, definitions) for name, one in value.items()}
        elif key == "anyOf":
            found[key] = [_plain(one, definitions) for one in branches]
        elif key == "items" and isinstance(value, dict):
            found[key] = _plain(cast("dict[str, Any]", value), definitions)
        else:
            found[key] = value
    return found
