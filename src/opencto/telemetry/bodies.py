"""Reading a JSON body on a plain Starlette route, with the same refusals as on the others."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from opencto.core.problems import BadJson, Invalid
from opencto.wire.problems import FieldError

BodyT = TypeVar("BodyT", bound=BaseModel)


async def read_body(request: Request, shape: type[BodyT]) -> BodyT:
    """The body as `shape`. Raises BadJson, Invalid or TooLarge."""
    content = await request.body()
    if not content:
        raise Invalid("The body is missing: send a JSON object, {} at least.")
    try:
        # As FastAPI reads it: what JSON can spell and nothing can store is named by the shape, and not unreadable.
        found: Any = json.loads(content)
    except (ValueError, RecursionError):
        raise BadJson("The body is not readable JSON. Check quotes, commas, brackets and depth.") from None
    try:
        return shape.model_validate(found)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False, include_context=False)
        errors = [FieldError(path=".".join(map(str, item["loc"])), message=_message(item["msg"])) for item in mistakes]
        said = "; ".join(f"{one.path}: {one.message}" if one.path else one.message for one in errors[:3])
        raise Invalid(said, errors=errors) from None


def _message(text: str) -> str:
    text = text.removeprefix("Value error, ")
    return f"{text[:1].lower()}{text[1:]}"
