"""A rotation reaches every key, goes on where it was stopped, and never closes one."""
# ruff: noqa: ARG001 - some fixtures are wanted for their effect

import threading

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select, update
from tests.vault.conftest import Vault

from opencto.core.database import Database
from opencto.core.keyring import Keyring
from opencto.core.settings import Settings
from opencto.identity.caller import WorkspaceCaller
from opencto.testing import ManualClock
from opencto.vault import repository, rotation
from opencto.vault.envelope import KeyWrapper, decrypt, encrypt
from opencto.vault.service import VaultService
from opencto.vault.tables import provider_keys, wrapping_keys
from opencto.vault.wrapping import KeyringWrapper
from opencto.wire.keys import KeyProvider, KeySave

pytestmark = pytest.mark.anyio

ADAS = "sk-proj-" + "adas" * 20 + "Ada1"
SHARED = "sk-proj-" + "team" * 20 + "Team"
BENS = "sk-proj-" + "bens" * 20 + "Ben1"


def nothing(_done: int, _total: int) -> None:
    """Nobody watches."""


def wrapped_with(vault: Vault) -> list[int]:
    with vault.database.read() as tx:
        return sorted(tx.execute(select(provider_keys.c.wrapping_version)).scalars())


def versions(vault: Vault) -> list[int]:
    with vault.database.read() as tx:
        return sorted(tx.execute(select(wrapping_keys.c.version)).scalars())


def secrets_of(vault: Vault) -> set[str]:
    return {vault.service.open_key(row).reveal() for row in vault.service.everything()}


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 1)


async def test_it_rewraps_everything_and_an_older_secret_cannot_come_back(
    vault: Vault, ada: WorkspaceCaller, admin: WorkspaceCaller, one_at_a_time: None
) -> None:
    await vault.save(ada, BENS)
    with vault.database.read() as tx:
        replaced = tx.execute(select(provider_keys.c.wrapped_key, provider_keys.c.sealed)).one()
    await vault.save(ada, ADAS)
    await vault.save(admin, SHARED, "workspace")
    progress: list[tuple[int, int]] = []
    result = vault.service.rotate(lambda done, total: progress.append((done, total)))
    assert (result.version, result.is_continued, result.wrapped, result.stuck) == (2, False, 2, [])
    assert progress == [(1, 2), (2, 2)]
    assert (wrapped_with(vault), versions(vault)) == ([2, 2], [1, 2])
    assert secrets_of(vault) == {ADAS, SHARED}
    assert vault.service.left_to_rotate() == 0
    assert [event.action for event in vault.events.recorded][-1] == "keys.rotated"
    with vault.database.write() as tx:
        mine = provider_keys.c.person_id == "usr_ada"
        old = {"wrapped_key": replaced.wrapped_key, "sealed": replaced.sealed, "wrapping_version": 1}
        tx.execute(update(provider_keys).where(mine).values(**old))
    assert [key.state for key in vault.service.list_keys(ada).keys if key.scope == "user"] == ["unreadable"]


async def test_stopped_anywhere_it_leaves_every_key_open_and_goes_on_without_a_further_version(
    vault: Vault, ada: WorkspaceCaller, admin: WorkspaceCaller, one_at_a_time: None
) -> None:
    await vault.save(ada, ADAS)
    await vault.save(admin, SHARED, "workspace")

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vault.service.rotate(stop)
    assert wrapped_with(vault) == [1, 2]
    assert secrets_of(vault) == {ADAS, SHARED}
    assert vault.service.left_to_rotate() == 1
    again = vault.service.rotate(nothing)
    assert (again.version, again.is_continued, again.wrapped) == (2, True, 1)
    assert (wrapped_with(vault), versions(vault)) == ([2, 2], [1, 2])
    assert vault.service.rotate(nothing).version == 3
    assert secrets_of(vault) == {ADAS, SHARED}


async def test_stopped_before_its_first_key_it_goes_on_with_the_version_it_began(
    vault: Vault, ada: WorkspaceCaller
) -> None:
    await vault.save(ada, ADAS)
    assert vault.wrapper.begin_version(1) == 2
    result = vault.service.rotate(nothing)
    assert (result.version, result.is_continued, versions(vault)) == (2, True, [1, 2])


async def test_a_key_that_does_not_open_stops_nothing_and_holds_up_no_later_rotation(
    vault: Vault, ada: WorkspaceCaller, admin: WorkspaceCaller
) -> None:
    await vault.save(ada, ADAS)
    await vault.save(admin, SHARED, "workspace")
    with vault.database.write() as tx:
        tx.execute(update(provider_keys).where(provider_keys.c.person_id == "usr_ada").values(wrapped_key=b"broken"))
    for version in (2, 3):
        result = vault.service.rotate(nothing)
        assert (result.version, result.wrapped) == (version, 1)
        assert [(one.key.person_id, one.why) for one in result.stuck] == [
            ("usr_ada", "It is not what was written for this owner and place.")
        ]
    assert wrapped_with(vault) == [1, 3]
    assert {key.scope: key.state for key in vault.service.list_keys(ada).keys} == {
        "user": "unreadable",
        "workspace": "ok",
    }


async def test_a_version_whose_secret_is_gone_is_named_and_its_keys_wait_for_it(
    vault: Vault, ada: WorkspaceCaller, settings: Settings, clock: ManualClock
) -> None:
    await vault.save(ada, ADAS)
    secret = settings.data_dir / "secrets" / "vault-1.key"
    kept = secret.read_bytes()
    secret.unlink()
    (stuck,) = _reopened(vault, settings, clock).rotate(nothing).stuck
    assert "vault-1.key is missing" in stuck.why
    assert [one.opens for one in _reopened(vault, settings, clock).verify()] == [False]
    secret.write_bytes(kept)
    secret.chmod(0o600)
    after = _reopened(vault, settings, clock)
    assert (after.rotate(nothing).stuck, [one.opens for one in after.verify()]) == ([], [True])
    assert wrapped_with(vault) == [2]


def _reopened(vault: Vault, settings: Settings, clock: ManualClock) -> VaultService:
    """The vault as another process opens it: nothing of the keyring in memory."""
    keyring = Keyring(settings.data_dir / "secrets", settings.master_key, vault.database, clock)
    wrapper = KeyringWrapper(keyring, vault.database, clock)
    return VaultService(vault.database, clock, wrapper, vault.events, vault.verdict)


async def test_two_that_begin_together_agree_on_one_version(
    vault: Vault, ada: WorkspaceCaller, settings: Settings, clock: ManualClock
) -> None:
    await vault.save(ada, ADAS)
    begun: list[int] = []
    together = threading.Barrier(4)

    def begin() -> None:
        keyring = Keyring(settings.data_dir / "secrets", settings.master_key, vault.database, clock)
        wrapper = KeyringWrapper(keyring, vault.database, clock)
        together.wait(10)
        begun.append(wrapper.begin_version(1))

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert begun == [2, 2, 2, 2]
    assert versions(vault) == [1, 2]


async def test_a_key_that_is_being_saved_while_it_begins_is_not_left_behind(
    vault: Vault, ada: WorkspaceCaller, admin: WorkspaceCaller
) -> None:
    """A save holds the old version; the rotation wraps the rest and waits for it before it calls itself done."""
    await vault.save(admin, SHARED, "workspace")
    body = KeySave(api_key=ADAS, scope="user")
    report = await vault.service.examine(ada, KeyProvider.OPENAI, body)
    vault.service.prepare()
    rotated = threading.Event()

    def rotate() -> None:
        vault.service.rotate(nothing)
        rotated.set()

    rotating = threading.Thread(target=rotate)
    with vault.database.write() as tx:
        vault.service.save(tx, ada, KeyProvider.OPENAI, body, report)
        rotating.start()
        assert not rotated.wait(0.5)
    rotating.join(30)
    assert rotated.is_set()
    assert wrapped_with(vault) == [2, 2]
    assert secrets_of(vault) == {ADAS, SHARED}


async def test_a_key_that_is_replaced_while_it_is_wrapped_anew_is_the_new_one(
    vault: Vault, ada: WorkspaceCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading a row and storing what came of it somebody saves another key: theirs stands."""
    await vault.save(ada, BENS)
    body = KeySave(api_key=ADAS, scope="user")
    report = await vault.service.examine(ada, KeyProvider.OPENAI, body)
    unwrap, replaced = vault.wrapper.unwrap, list[bool]()

    def replace_meanwhile(version: int, wrapped: bytes, context: bytes) -> bytes:
        if not replaced and vault.wrapper.current_version() == 2:
            replaced.append(True)
            vault.service.prepare()
            with vault.database.write() as tx:
                vault.service.save(tx, ada, KeyProvider.OPENAI, body, report)
        return unwrap(version, wrapped, context)

    monkeypatch.setattr(vault.wrapper, "unwrap", replace_meanwhile)
    vault.wrapper.begin_version(1)
    result = vault.service.rotate(nothing)
    assert (replaced, result.wrapped, result.stuck) == ([True], 0, [])
    assert (secrets_of(vault), wrapped_with(vault)) == ({ADAS}, [2])


async def test_the_newest_version_is_the_one_that_is_held(vault: Vault, ada: WorkspaceCaller) -> None:
    await vault.save(ada, ADAS)
    with vault.database.write() as tx:
        assert repository.hold_wrapping_version(tx) == 1
    vault.wrapper.begin_version(1)
    with vault.database.write() as tx:
        assert repository.hold_wrapping_version(tx) == 2


class Kms:
    """A key service elsewhere: keys that never leave it, reached through `wrap` and `unwrap` alone."""

    def __init__(self) -> None:
        self._keys = {1: AESGCM(bytes(32))}
        self.asked: list[str] = []

    def current_version(self) -> int:
        return max(self._keys)

    def begin_version(self, after: int) -> int:
        self._keys[after + 1] = AESGCM(bytes([after]) * 32)
        return after + 1

    def prepare(self) -> None:
        self.asked.append("prepare")

    def is_prepared(self, version: int) -> bool:
        return version in self._keys

    def wrap(self, version: int, data_key: bytes, context: bytes) -> bytes:
        self.asked.append("wrap")
        return encrypt(self._keys[version], data_key, context)

    def unwrap(self, version: int, wrapped: bytes, context: bytes) -> bytes:
        return decrypt(self._keys[version], wrapped, context)


async def test_a_kms_stands_in_for_the_keyring(
    vault: Vault, ada: WorkspaceCaller, clock: ManualClock, database: Database
) -> None:
    kms = Kms()
    wrapper: KeyWrapper = kms
    service = VaultService(database, clock, wrapper, vault.events, vault.verdict)
    vault.wrapper.prepare()  # the versions are numbered in the database, whoever keeps their keys
    body = KeySave(api_key=ADAS)
    report = await service.examine(ada, KeyProvider.OPENAI, body)
    service.prepare()
    with database.write() as tx:
        service.save(tx, ada, KeyProvider.OPENAI, body, report)
    assert kms.asked == ["prepare", "wrap"]
    assert [service.open_key(row).reveal() for row in service.everything()] == [ADAS]
    assert [one.opens for one in vault.service.verify()] == [False]  # the keyring's own key of that number is another
