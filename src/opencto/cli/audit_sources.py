"""Where `opencto audit` reads: the trail beside the data directory, or the server elsewhere. Both give the same shapes."""

import codecs
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from opencto.cli.context import open_local_house
from opencto.cli.elsewhere import either, room
from opencto.cli.keys_shown import waiting
from opencto.wire.identity import Role

if TYPE_CHECKING:
    from opencto.client import OpenCTO
    from opencto.ledger.audit import Filters
    from opencto.ledger.verify import Progress
    from opencto.wire.audit import AuditRow, AuditVerification

Format = Literal["jsonl", "csv"]
PAGE = 200


@dataclass(frozen=True)
class Asked:
    """Which rows. Without a workspace: all that the caller may see, of the whole server for those who run it."""

    action: str | None
    actor: str | None
    target: str | None
    workspace: str | None
    since: datetime | None
    until: datetime | None

    def here(self) -> "Filters":
        from opencto.ledger.audit import Filters

        return Filters(self.workspace, self.action, self.actor, self.target, _millis(self.since), _millis(self.until))

    def there(self, client: "OpenCTO") -> dict[str, Any]:
        """The arguments of the SDK."""
        asked = {"action": self.action, "actor_id": self.actor, "target_id": self.target}
        return {**asked, "since": self.since, "until": self.until, **self._whose(client)}

    def _whose(self, client: "OpenCTO") -> dict[str, Any]:
        from opencto.client import ForbiddenError

        if self.workspace is not None:
            return {"workspace_id": self.workspace}
        try:
            client.audit.list(everything=True, limit=1)
        except ForbiddenError:  # not somebody who runs the server, or a token of one workspace: then that one's rows
            return {"workspace_id": room(client, None, Role.ADMIN).id}
        return {"everything": True}


def rows(data_dir: Path | None, asked: Asked, limit: int) -> "list[AuditRow]":
    """The newest ones."""

    def here(data_dir: Path | None) -> "list[AuditRow]":
        from opencto.ledger import presenting

        filters = asked.here()
        with open_local_house(data_dir) as house:
            return [presenting.row(one) for one in house.audit.list(filters, beyond=None, limit=limit)]

    def there(client: "OpenCTO") -> "list[AuditRow]":
        return [*islice(client.audit.list(**asked.there(client), limit=min(limit, PAGE)), limit)]

    return either(data_dir, here, there)


def verification(data_dir: Path | None) -> "AuditVerification":
    """Check the whole trail."""

    def here(data_dir: Path | None) -> "AuditVerification":
        from opencto.ledger import presenting

        with open_local_house(data_dir) as house, _progress() as progress:
            return presenting.verification(house.audit.verify(progress))

    def there(client: "OpenCTO") -> "AuditVerification":
        with waiting("The server checks its rows …"):
            return client.audit.verify()

    return either(data_dir, here, there)


@contextmanager
def exported(data_dir: Path | None, asked: Asked, file_format: Format) -> "Generator[Iterator[str]]":
    """The rows as pieces of text, asked for when the first is taken. That they were taken is a row too."""
    from opencto.cli.elsewhere import elsewhere, signed_in

    where = elsewhere(data_dir)
    if where is not None:
        with (
            signed_in(where) as client,
            client.audit.export(format=file_format, **asked.there(client)) as pieces,
        ):
            yield codecs.iterdecode(pieces, "utf-8")
        return
    from opencto.identity.ports import AuditEvent
    from opencto.ledger.audit import EXPORTED

    filters = asked.here()
    with open_local_house(data_dir) as house:
        audit, about = house.audit, filters.named()
        audit.note(
            AuditEvent.local(EXPORTED, "audit", None, workspace_id=filters.workspace_id, format=file_format, **about)
        )
        yield audit.export_csv(filters) if file_format == "csv" else audit.export_jsonl(filters)


def public_key(data_dir: Path | None) -> str | None:
    """The key of the server that is meant, None where none can be asked."""
    from opencto.client import OpenCTOError
    from opencto.core.errors import StartError

    def here(data_dir: Path | None) -> str:
        with open_local_house(data_dir) as house:
            return house.audit.public_key

    try:
        return either(data_dir, here, lambda client: client.audit.verify().public_key)
    except (StartError, OpenCTOError):
        return None


def _millis(moment: datetime | None) -> int | None:
    return int(moment.timestamp() * 1000) if moment else None


@contextmanager
def _progress() -> "Generator[Progress | None]":
    """A bar on standard error for long runs, where somebody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("checking rows", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
