"""The keys of one workspace, as `opencto keys` sees them: beside the data directory or through a server elsewhere."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from opencto.cli.elsewhere import Room, elsewhere, room, signed_in
from opencto.wire.identity import Role
from opencto.wire.keys import KeyDeleted, KeyList, KeyProvider, KeySave, KeySaved, KeyScope, StoredKey

if TYPE_CHECKING:
    from opencto.client import OpenCTO


class KeyDesk(Protocol):
    """What both can do. A check or a saving goes to the provider, and happens once a desk."""

    @property
    def slug(self) -> str: ...
    def list(self) -> KeyList: ...
    def save(self, provider: KeyProvider, body: KeySave) -> KeySaved: ...
    def check(self, provider: KeyProvider, scope: KeyScope) -> StoredKey: ...
    def delete(self, provider: KeyProvider, scope: KeyScope) -> KeyDeleted: ...


@dataclass(frozen=True)
class _RemoteDesk:
    client: "OpenCTO"
    room: Room

    @property
    def slug(self) -> str:
        return self.room.slug

    def list(self) -> KeyList:
        return self.client.keys.list(workspace_id=self.room.id)

    def save(self, provider: KeyProvider, body: KeySave) -> KeySaved:
        return self.client.keys.save(provider, body.api_key, scope=body.scope, workspace_id=self.room.id)

    def check(self, provider: KeyProvider, scope: KeyScope) -> StoredKey:
        return self.client.keys.check(provider, scope=scope, workspace_id=self.room.id)

    def delete(self, provider: KeyProvider, scope: KeyScope) -> KeyDeleted:
        return self.client.keys.delete(provider, scope=scope, workspace_id=self.room.id)


@contextmanager
def key_desk(data_dir: Path | None, workspace: str | None, at_least: Role) -> Generator[KeyDesk]:
    """Raises NotFound and Forbidden with the same sentences on both ways."""
    where = elsewhere(data_dir)
    if where is not None:
        with signed_in(where) as client:
            yield _RemoteDesk(client, room(client, workspace, at_least))
        return
    from opencto.cli.keys_local import LocalDesk, local_vault

    with local_vault(data_dir) as vault:
        yield LocalDesk(vault, vault.within(workspace, at_least))


def stored(desk: KeyDesk, provider: KeyProvider, scope: KeyScope) -> StoredKey:
    """A key that is there. Raises NoSuchKey."""
    from opencto.vault.errors import NoSuchKey

    for one in desk.list().keys:
        if (one.provider, one.scope) == (provider, scope):
            return one
    raise NoSuchKey(provider, scope, desk.slug)
