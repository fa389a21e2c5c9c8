"""Strict validators made from the `openai` package's own parameter types: unknown fields refused, at every depth."""

import types
from collections.abc import Iterable
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

import typing_extensions
from openai._types import SequenceNotStr
from pydantic import ConfigDict, TypeAdapter

_FORBID = ConfigDict(extra="forbid", strict=True)


def validator(shape: Any) -> TypeAdapter[Any]:
    """A validator for a `…Params` type that refuses what the type does not name."""
    return TypeAdapter(_strict(shape, {}))


def _strict(shape: Any, seen: dict[Any, Any]) -> Any:
    origin, arguments = get_origin(shape), get_args(shape)
    if typing_extensions.is_typeddict(shape):
        return _typed_dict(shape, seen)
    if origin in {Union, types.UnionType}:
        return Union[tuple(_strict(one, seen) for one in arguments)]  # noqa: UP007 - built at run time
    if origin in {Iterable, SequenceNotStr, list}:
        return list[_strict(arguments[0], seen)]  # an Iterable would be checked only when somebody walks it
    if origin is Annotated:
        return _strict(arguments[0], seen)
    if origin in {Required, NotRequired, typing_extensions.Required, typing_extensions.NotRequired}:
        return _strict(arguments[0], seen)
    if origin is dict:
        return dict[arguments[0], _strict(arguments[1], seen)]
    if origin is Literal:
        return shape
    return shape


def _typed_dict(shape: Any, seen: dict[Any, Any]) -> Any:
    if shape not in seen:
        hints = typing_extensions.get_type_hints(shape, include_extras=False)
        required = shape.__required_keys__
        fields = {
            name: (Required if name in required else NotRequired)[_strict(hint, seen)] for name, hint in hints.items()
        }
        copy: Any = typing_extensions.TypedDict(f"Strict{shape.__name__}", fields)  # pyright: ignore[reportArgumentType]
        copy.__pydantic_config__ = _FORBID
        seen[shape] = copy
    return seen[shape]
