"""The vault beside the data directory, with a way out to the provider, and closed again."""

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from opencto.cli.context import open_local_house
from opencto.cli.options import local_workspace
from opencto.wire.identity import Role
from opencto.wire.keys import KeyDeleted, KeyList, KeyProvider, KeySave, KeySaved, KeyScope, StoredKey

if TYPE_CHECKING:
    from opencto.house import House
    from opencto.identity.caller import WorkspaceCaller
    from opencto.providers.doors import Doors
    from opencto.vault.service import VaultService

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class LocalVault:
    """The vault of this machine. `ask` may be used once: it closes the way out."""

    house: "House"
    service: "VaultService"
    doors: "Doors"

    def within(self, workspace: str | None, at_least: Role) -> "WorkspaceCaller":
        """The person who owns this machine, in a workspace."""
        with self.house.database.read() as tx:
            return local_workspace(tx, workspace, at_least)

    def request_id(self) -> str:
        """What stands in the ledger for what this command asks."""
        from opencto.identity.api_tokens import local_caller

        with self.house.database.read() as tx:
            return local_caller(tx).origin.request_id

    def ask(self, question: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Run what talks with the provider."""

        async def run() -> ResultT:
            try:
                return await question
            finally:
                await self.doors.aclose()

        return asyncio.run(run())


@contextmanager
def local_vault(data_dir: Path | None) -> Generator[LocalVault]:
    """The keys on this machine, also while its server runs."""
    from opencto.calls.checking import KeyTrial
    from opencto.core.batch import BatchWriter
    from opencto.house import open_vault
    from opencto.ledger.usage import Ledger
    from opencto.providers.doors import Doors
    from opencto.providers.openai import OPENAI
    from opencto.telemetry import log

    with open_local_house(data_dir) as house:
        log.configure(house.settings.log_format, "error")  # a key that is refused is what these commands report
        writer, doors = BatchWriter(house.database), Doors(house.clock)
        ledger = Ledger(house.database, house.clock)
        trial = KeyTrial(doors, house.settings.openai_base_url or OPENAI, writer, ledger, house.clock)
        writer.start()
        try:
            yield LocalVault(house, open_vault(house, trial), doors)
        finally:
            writer.stop()


@dataclass(frozen=True)
class LocalDesk:
    """The person who owns this machine, with the keys of one workspace."""

    vault: LocalVault
    who: "WorkspaceCaller"

    @property
    def slug(self) -> str:
        return self.who.slug

    def list(self) -> KeyList:
        return self.vault.service.list_keys(self.who)

    def save(self, provider: KeyProvider, body: KeySave) -> KeySaved:
        report = self.vault.ask(self.vault.service.examine(self.who, provider, body))
        self.vault.service.prepare()
        with self.vault.house.database.write() as tx:
            return self.vault.service.save(tx, self.who, provider, body, report)

    def check(self, provider: KeyProvider, scope: KeyScope) -> StoredKey:
        return self.vault.ask(self.vault.service.check(self.who, provider, scope))

    def delete(self, provider: KeyProvider, scope: KeyScope) -> KeyDeleted:
        with self.vault.house.database.write() as tx:
            return self.vault.service.delete(tx, self.who, provider, scope)
