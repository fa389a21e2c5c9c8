"""Strict reading of what claims to be OpenAI's: the types of the `openai` package, validated, and no field that they do not name."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from pydantic import BaseModel, TypeAdapter

T = TypeVar("T")


def strictly(kind: type[T], body: Any) -> T:
    """The body as `kind`. Fails when a field is missing, of another type, or unknown to the package, however deep."""
    found: T = TypeAdapter(kind).validate_python(body)
    unknown = list(_unknown(found, "body"))
    assert not unknown, f"fields that the openai package does not know: {unknown}"
    return found


def _unknown(value: Any, path: str) -> list[str]:
    found: list[str] = []
    if isinstance(value, BaseModel):
        found += [f"{path}.{name}" for name in value.model_extra or {}]
        for name in type(value).model_fields:
            found += _unknown(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            found += _unknown(item, f"{path}[{index}]")
    elif isinstance(value, Mapping):
        for name, item in cast("Mapping[str, Any]", value).items():
            found += _unknown(item, f"{path}.{name}")
    return found
