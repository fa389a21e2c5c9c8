"""How a route reaches the services of identity."""

from typing import Annotated

from fastapi import Depends, Request

from opencto.identity.services import IdentityServices


async def _identity(request: Request) -> IdentityServices:
    return request.app.state.identity


Identity = Annotated[IdentityServices, Depends(_identity)]
