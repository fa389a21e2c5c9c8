"""Whether somebody owns the server yet. Once claimed it stays claimed, so the answer is remembered for good."""

from opencto.core.database import Database

_QUERY = "SELECT 1 FROM people WHERE email_key IS NOT NULL LIMIT 1"


class ClaimState:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._claimed = False

    async def is_claimed(self) -> bool:
        if not self._claimed:
            self._claimed = bool(await self._database.fetch(_QUERY, {}))
        return self._claimed
