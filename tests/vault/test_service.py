"""Keys are kept closed, belong to one place, survive a rotation, and go with their owner."""

import pytest
from sqlalchemy import delete, select, update
from tests.vault.conftest import Vault

from opencto.core.problems import Forbidden
from opencto.core.secret import Secret
from opencto.core.settings import Settings
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.tables import memberships, people, workspaces
from opencto.testing import ManualClock
from opencto.vault.errors import KeyUnreadable, NoProviderKey, WrongKindOfKey
from opencto.vault.resolve import LocalSandbox, Resolver
from opencto.vault.tables import provider_keys
from opencto.wire.keys import KeyProvider

pytestmark = pytest.mark.anyio

ADAS = "sk-proj-" + "adas" * 20 + "Ada1"
SHARED = "sk-proj-" + "team" * 20 + "Team"
BENS = "sk-proj-" + "bens" * 20 + "Ben1"


def resolver(vault: Vault, settings: Settings, **changes: object) -> Resolver:
    sandbox = LocalSandbox("http://127.0.0.1:1/sandbox/v1", Secret("sk-sandbox"), Secret("sk-admin-sandbox"))
    return Resolver(settings.model_copy(update=changes), vault.database, ManualClock(), vault.service.open_key, sandbox)


async def test_a_saved_key_is_listed_by_its_hint_and_found_nowhere_in_plain(vault: Vault, ada: WorkspaceCaller) -> None:
    saved = await vault.save(ada, ADAS)
    assert (saved.key_hint, saved.state, saved.scope) == ("sk-proj-…Ada1", "ok", "user")
    (listed,) = vault.service.list_keys(ada).keys
    assert (listed.key_hint, listed.state) == ("sk-proj-…Ada1", "ok")
    with vault.database.read() as tx:
        row = tx.execute(select(provider_keys)).one()
    assert ADAS.encode() not in b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    assert [event.action for event in vault.events.recorded] == ["key.saved"]
    assert ADAS not in repr(vault.events.recorded)


async def test_ones_own_key_goes_before_the_shared_one_and_that_before_the_servers(
    vault: Vault, settings: Settings, ada: WorkspaceCaller, admin: WorkspaceCaller
) -> None:
    servers = resolver(vault, settings, openai_api_key=Secret("sk-server-key-0000000"))
    assert (await servers.inference("ws_a", "usr_ada")).source == "server"
    await vault.save(admin, SHARED, "workspace")
    servers.forget()
    shared = await servers.inference("ws_a", "usr_ada")
    assert (shared.source, shared.key) == ("workspace", Secret(SHARED))
    await vault.save(ada, ADAS)
    servers.forget()
    own = await servers.inference("ws_a", "usr_ada")
    assert (own.source, own.key) == ("user", Secret(ADAS))
    assert (await servers.inference("ws_a", "usr_ben")).source == "workspace"
    assert (await servers.inference("ws_b", "usr_ben")).source == "server"


async def test_without_any_key_the_table_of_the_wire_decides(vault: Vault, settings: Settings) -> None:
    assert (await resolver(vault, settings).inference("ws_a", "usr_ada")).source == "sandbox"
    keyless = await resolver(vault, settings, openai_base_url="http://localhost:11434/v1").inference("ws_a", "usr_ada")
    assert (keyless.source, keyless.key, keyless.base_url) == ("none", None, "http://localhost:11434/v1")
    for refused in (
        {"sandbox": "off"},
        {"byok_only": True},
        {"byok_only": True, "openai_api_key": Secret("sk-server-key-0000000")},
    ):
        with pytest.raises(NoProviderKey):
            await resolver(vault, settings, **refused).inference("ws_a", "usr_ada")


async def test_usage_comes_from_the_sandbox_only_where_inference_does(
    vault: Vault, settings: Settings, ada: WorkspaceCaller
) -> None:
    found = await resolver(vault, settings).administration("ws_a", "usr_ada")
    assert found is not None
    assert found.source == "sandbox"
    await vault.save(ada, ADAS)
    assert await resolver(vault, settings).administration("ws_a", "usr_ada") is None
    vault.verdict.kind = "admin"
    await vault.save(ada, "sk-admin-" + "x" * 60, provider=KeyProvider.OPENAI_ADMIN)
    admin_key = await resolver(vault, settings).administration("ws_a", "usr_ada")
    assert admin_key is not None
    assert (admin_key.source, admin_key.base_url) == ("user", "https://api.openai.com/v1")


async def test_each_kind_of_key_is_refused_in_the_others_place(vault: Vault, ada: WorkspaceCaller) -> None:
    with pytest.raises(WrongKindOfKey):
        await vault.save(ada, "sk-admin-" + "x" * 60)
    assert vault.verdict.asked == []  # such a key is not even sent to where it does not belong
    vault.verdict.kind = "admin"
    with pytest.raises(WrongKindOfKey):
        await vault.save(ada, ADAS)
    vault.verdict.kind = "inference"
    with pytest.raises(WrongKindOfKey):
        await vault.save(ada, ADAS, provider=KeyProvider.OPENAI_ADMIN)
    assert vault.service.list_keys(ada).keys == []


@pytest.mark.parametrize(("valid", "state"), [(True, "ok"), (False, "rejected"), (None, "unchecked")])
async def test_the_state_is_what_the_check_found(
    vault: Vault, ada: WorkspaceCaller, valid: bool | None, state: str
) -> None:
    vault.verdict.valid = valid
    assert (await vault.save(ada, ADAS)).state == state


async def test_a_row_that_is_copied_to_another_owner_does_not_open(
    vault: Vault, settings: Settings, ada: WorkspaceCaller, admin: WorkspaceCaller
) -> None:
    await vault.save(ada, ADAS)
    with vault.database.write() as tx:
        tx.execute(update(provider_keys).values(person_id="usr_ben", slot="ws_a/usr_ben/openai"))
    (listed,) = vault.service.list_keys(admin).keys
    assert (listed.state, listed.key_hint) == ("unreadable", "…")
    with pytest.raises(KeyUnreadable):
        await resolver(vault, settings).inference("ws_a", "usr_ben")
    assert [one.opens for one in vault.service.verify()] == [False]


async def test_nobody_sees_or_deletes_anothers_key_and_members_do_not_share(
    vault: Vault, ada: WorkspaceCaller, admin: WorkspaceCaller, ben_in_b: WorkspaceCaller
) -> None:
    await vault.save(ada, ADAS)
    assert vault.service.list_keys(admin).keys == []
    assert vault.service.list_keys(ben_in_b).keys == []
    with vault.database.write() as tx:
        assert vault.service.delete(tx, admin, KeyProvider.OPENAI, "user").deleted is False
    with pytest.raises(Forbidden):
        await vault.save(ada, SHARED, "workspace")
    with pytest.raises(Forbidden), vault.database.write() as tx:
        vault.service.delete(tx, ada, KeyProvider.OPENAI, "workspace")
    with vault.database.write() as tx:
        assert vault.service.delete(tx, ada, KeyProvider.OPENAI, "user").deleted is True
    assert vault.service.list_keys(ada).keys == []


@pytest.mark.parametrize("what", ["person", "membership", "workspace"])
async def test_keys_go_with_their_owner(vault: Vault, ada: WorkspaceCaller, admin: WorkspaceCaller, what: str) -> None:
    await vault.save(ada, ADAS)
    await vault.save(admin, SHARED, "workspace")
    doomed = {
        "person": delete(people).where(people.c.id == "usr_ada"),
        "membership": delete(memberships).where(memberships.c.person_id == "usr_ada"),
        "workspace": delete(workspaces).where(workspaces.c.id == "ws_a"),
    }
    with vault.database.write() as tx:
        tx.execute(doomed[what])
        left = tx.execute(select(provider_keys.c.person_id)).scalars().all()
    assert left == ([] if what == "workspace" else [None])


async def test_a_report_that_comes_after_the_key_was_replaced_is_dropped(
    vault: Vault, ada: WorkspaceCaller, clock: ManualClock
) -> None:
    await vault.save(ada, BENS)
    clock.advance(25 * 3600)
    with vault.database.read() as tx:
        (old,) = vault.service.due(tx)
    await vault.save(ada, ADAS)
    vault.verdict.valid = False
    await vault.service.check_row(old)
    (listed,) = vault.service.list_keys(ada).keys
    assert listed.state == "ok"
