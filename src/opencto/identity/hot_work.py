"""Idempotency-Key on a plain Starlette route that calls out: the answer given before, or a pledge to keep."""

import asyncio
from dataclasses import dataclass

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from opencto.identity.work import Pledge, work_of


class IdempotencyHeader(BaseModel):
    """The header, for the document."""

    idempotency_key: str | None = Field(
        None,
        alias="Idempotency-Key",
        description="Any text of your own, up to 200 characters: the same key and body within 24 hours gives the same answer.",
    )


@dataclass(frozen=True, slots=True)
class HotWork:
    """`answered`: the remembered answer. `pledge`: what to hand to the call path; None without a key."""

    answered: Response | None = None
    pledge: Pledge | None = None


_NONE = HotWork()


async def hot_work(request: Request, body: BaseModel) -> HotWork:
    """Raises IdempotencyMismatch, IdempotencyInProgress, or Invalid for a key that is none."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return _NONE
    work = work_of(request, key)
    answered = await asyncio.to_thread(work.remembered, body)
    return HotWork(answered, None if answered is not None else work.pledge(body))
