"""Reading a JSON body on a plain Starlette route, with the same refusals as on the others."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from opencto.core.problems import BadJson, Invalid
from opencto.wire.problems import FieldError

BodyT = TypeVar("BodyT", bound=BaseModel)


async def read_body(request: Request, shape: type[BodyT]) -> BodyT:
    """The body as `shape`; an absent body is `{}`. Raises BadJson, Invalid or TooLarge."""
    content = await request.body()
    try:
        return shape.model_validate_json(content or b"{}")
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False, include_context=False)
        if mistakes[0]["type"] == "json_invalid":
            raise BadJson("The body is not readable JSON. Check quotes, commas, brackets and depth.") from None
        errors = [FieldError(path=".".join(map(str, item["loc"])), message=_message(item["msg"])) for item in mistakes]
        raise Invalid("; ".join(f"{one.path}: {one.message}" for one in errors[:3]), errors=errors) from None


def _message(text: str) -> str:
    text = text.removeprefix("Value error, ")
    return f"{text[:1].lower()}{text[1:]}"
