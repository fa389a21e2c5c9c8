"""What the assistant may be asked about who has access."""

import asyncio
from typing import Annotated, Any

from pydantic import Field

from opencto.core.clock import Clock
from opencto.core.database import Database
from opencto.core.problems import Conflict, NotFound
from opencto.identity.api_tokens import ApiTokens
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.paging import every
from opencto.tools.contract import Arguments, Plan, Tool
from opencto.wire.base import Text
from opencto.wire.identity import ApiToken, Role


class TokenNamed(Arguments):
    token: Annotated[Text, Field(min_length=1, max_length=100)] = Field(
        description="The token's name, its id, or the end of it that lists show."
    )


def access_tools(tokens: ApiTokens, database: Database, clock: Clock) -> list[Tool[Any]]:
    """The tools of access."""

    def find(who: WorkspaceCaller, named: str) -> ApiToken:
        """A living token of the workspace. Raises NotFound, and Conflict when several are called so."""
        with database.read() as tx:
            listed = every(lambda asked: tokens.list(tx, who.caller, asked, workspace=who.workspace_id))
        now, word = clock.now(), named.strip().casefold()
        living = [one for one in listed if one.revoked_at is None and (one.expires_at is None or one.expires_at > now)]
        found = [one for one in living if one.id == named.strip()] or [
            one for one in living if word in {one.name.casefold(), one.hint.casefold()}
        ]
        if not found:
            raise NotFound(f"No living token that is bound to this workspace is called {named}.")
        if len(found) > 1:
            ids = ", ".join(one.id for one in found)
            raise Conflict(f"{len(found)} tokens are called {named}. Say which by its id: {ids}.")
        return found[0]

    async def plan_revoke(who: WorkspaceCaller, asked: TokenNamed) -> Plan:
        token = await asyncio.to_thread(find, who, asked.token)
        return Plan(
            f'Revoke the API token "{token.name}" ({token.hint}). What uses it stops at once, and it cannot be brought back.',
            f"living {token.id}",
        )

    async def revoke(who: WorkspaceCaller, asked: TokenNamed) -> dict[str, Any]:
        def write() -> ApiToken:
            token = find(who, asked.token)
            with database.write() as tx:
                tokens.revoke(tx, who.caller, token.id)
            return token

        token = await asyncio.to_thread(write)
        return {"revoked": token.name, "id": token.id}

    return [
        Tool(
            "revoke_api_token",
            "Revoke an API token that is bound to the workspace, for good. A person must approve it first.",
            TokenNamed,
            revoke,
            "destroys",
            Role.ADMIN,
            plan=plan_revoke,
        )
    ]
