"""The books of one workspace, as `opencto ledger` reads them: beside the data directory or through a server elsewhere."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from opencto.cli.context import open_local_house
from opencto.cli.elsewhere import Room, elsewhere, room, signed_in
from opencto.cli.options import local_workspace
from opencto.wire.identity import Role
from opencto.wire.ledger import LedgerCall, LedgerTotals

if TYPE_CHECKING:
    from opencto.client import OpenCTO
    from opencto.identity.caller import WorkspaceCaller
    from opencto.ledger.usage import Ledger

PAGE = 200


@dataclass(frozen=True)
class Asked:
    """Which calls."""

    surface: str | None
    since: datetime | None
    until: datetime | None


class Books(Protocol):
    """What both can do."""

    @property
    def slug(self) -> str: ...
    def calls(self, asked: Asked, limit: int | None) -> Iterator[LedgerCall]:
        """The newest ones, page by page; `limit` None gives all."""
        ...

    def totals(self, asked: Asked) -> LedgerTotals: ...


@dataclass(frozen=True)
class _LocalBooks:
    ledger: "Ledger"
    who: "WorkspaceCaller"

    @property
    def slug(self) -> str:
        return self.who.slug

    def calls(self, asked: Asked, limit: int | None) -> Iterator[LedgerCall]:
        return islice(self._every(asked, _page(limit)), limit)

    def _every(self, asked: Asked, size: int) -> Iterator[LedgerCall]:
        cursor = None
        while True:
            page = self.ledger.list_calls(
                self.who, limit=size, cursor=cursor, surface=asked.surface, since=asked.since, until=asked.until
            )
            yield from page.data
            cursor = page.next_cursor
            if cursor is None:
                return

    def totals(self, asked: Asked) -> LedgerTotals:
        return self.ledger.totals(self.who, surface=asked.surface, since=asked.since, until=asked.until)


@dataclass(frozen=True)
class _RemoteBooks:
    client: "OpenCTO"
    room: Room

    @property
    def slug(self) -> str:
        return self.room.slug

    def calls(self, asked: Asked, limit: int | None) -> Iterator[LedgerCall]:
        found = self.client.ledger.list(
            surface=asked.surface,
            since=asked.since,
            until=asked.until,
            limit=_page(limit),
            workspace_id=self.room.id,
        )
        return islice(found, limit)

    def totals(self, asked: Asked) -> LedgerTotals:
        return self.client.ledger.totals(
            surface=asked.surface, since=asked.since, until=asked.until, workspace_id=self.room.id
        )


def _page(limit: int | None) -> int:
    return PAGE if limit is None else min(limit, PAGE)


@contextmanager
def open_books(data_dir: Path | None, workspace: str | None) -> Generator[Books]:
    """Raises NotFound and Forbidden with the same sentences on both ways."""
    where = elsewhere(data_dir)
    if where is not None:
        with signed_in(where) as client:
            yield _RemoteBooks(client, room(client, workspace, Role.ADMIN))
        return
    with open_local_house(data_dir) as house:
        from opencto.ledger.usage import Ledger

        with house.database.read() as tx:
            who = local_workspace(tx, workspace, Role.ADMIN)
        yield _LocalBooks(Ledger(house.database, house.clock), who)
