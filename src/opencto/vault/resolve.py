"""Which upstream serves a caller, and with which key: the table of wire.md as one function.

The caller's own key, else the one that the workspace shares, else the server's. A key that is rejected or does not open
is an error, never a reason to try the next one or the sandbox: nobody is billed, or answered, by surprise.
"""

from collections.abc import Callable
from dataclasses import dataclass

from opencto.core.clock import Clock
from opencto.core.database import Database
from opencto.core.fresh import Fresh
from opencto.core.secret import Secret
from opencto.core.settings import Settings
from opencto.vault import repository
from opencto.vault.errors import NoProviderKey
from opencto.vault.repository import FIND_FOR_USE, KeyRow, shared_slot, slot
from opencto.wire.keys import KeyProvider
from opencto.wire.openai import KeySource

OPENAI_URL = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a call goes. `key` None sends no Authorization header; `key_id` is set for stored keys alone."""

    base_url: str
    key: Secret | None
    source: KeySource
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class LocalSandbox:
    """The sandbox of this server: where it is, and its own keys for both kinds of call."""

    base_url: str
    key: Secret
    admin_key: Secret


class Resolver:
    """Finds the upstream for a caller. Sealed rows are kept for less than a second; a key is opened for one call alone."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        open_key: Callable[[KeyRow], Secret],
        sandbox: LocalSandbox | None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._open_key = open_key
        self._rows = Fresh(self._read, clock)
        self._sandbox = sandbox if settings.sandbox != "off" and not settings.byok_only else None

    async def inference(self, workspace_id: str, person_id: str) -> Destination:
        """Raises NoProviderKey, or KeyUnreadable for a stored key that does not open."""
        found = await self._stored(workspace_id, person_id, KeyProvider.OPENAI)
        if found is not None:
            return found
        settings = self._settings
        if settings.openai_api_key and not settings.byok_only:
            return Destination(self._base_url, settings.openai_api_key, "server")
        if settings.openai_base_url:
            return Destination(settings.openai_base_url, None, "none")
        if self._sandbox is None:
            raise NoProviderKey
        return Destination(self._sandbox.base_url, self._sandbox.key, "sandbox")

    async def administration(self, workspace_id: str, person_id: str) -> Destination | None:
        """For usage and costs; None where our own ledger has to answer (an inference key and no admin key)."""
        found = await self._stored(workspace_id, person_id, KeyProvider.OPENAI_ADMIN)
        if found is not None:
            return found
        if self._settings.openai_admin_key and not self._settings.byok_only:
            return Destination(self._base_url, self._settings.openai_admin_key, "server")
        if self._sandbox is not None and await self._served_by_sandbox(workspace_id, person_id):
            return Destination(self._sandbox.base_url, self._sandbox.admin_key, "sandbox")
        return None

    def forget(self) -> None:
        """After a key was saved or deleted in this process: the next call sees it."""
        self._rows.forget_all()

    @property
    def _base_url(self) -> str:
        return self._settings.openai_base_url or OPENAI_URL

    async def _served_by_sandbox(self, workspace_id: str, person_id: str) -> bool:
        return (await self.inference(workspace_id, person_id)).source == "sandbox"

    async def _stored(self, workspace_id: str, person_id: str, provider: KeyProvider) -> Destination | None:
        row = await self._rows.of(slot(workspace_id, person_id, provider.value))
        if row is None:
            return None
        return Destination(self._base_url, self._open_key(row), row.scope, row.id)

    async def _read(self, own: str) -> KeyRow | None:
        found = await self._database.fetch(FIND_FOR_USE, {"own": own, "shared": shared_slot(own)})
        rows = [repository.for_use(row) for row in found]
        return next((one for one in rows if one.person_id is not None), rows[0] if rows else None)
