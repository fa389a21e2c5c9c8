"""The way back for who forgot the password."""

import asyncio

import pytest
from sqlalchemy import select, update

from identity.conftest import ADA, Browser, NewBrowser
from opencto.core.problems import NotFound
from opencto.identity.services import IdentityServices
from opencto.identity.tables import people
from opencto.testing import ManualClock

pytestmark = pytest.mark.anyio


def reset_token(identity: IdentityServices, *, drop_second_factor: bool = False) -> str:
    with identity.database.write() as tx:
        person_id = tx.execute(select(people.c.id)).scalar_one()
        url = identity.passwords.new_reset_link(tx, person_id, drop_second_factor=drop_second_factor)
    assert url.startswith("http://127.0.0.1:8787/reset#octo_reset_")
    return url.partition("#")[2]


async def test_the_link_sets_a_new_password_once_and_signs_everybody_out(
    ada: Browser, identity: IdentityServices, new_browser: NewBrowser
) -> None:
    token, browser = reset_token(identity), await new_browser()
    body = {"token": token, "newPassword": "a fresh password"}
    assert (await browser.post("/api/v1/auth/reset", body)).json() == {"ok": True}
    assert not await ada.is_signed_in()
    assert not await browser.is_signed_in()
    again = await browser.post("/api/v1/auth/reset", body)
    assert (again.status_code, again.json()["code"]) == (401, "LINK_REFUSED")
    assert (await browser.login()).status_code == 401
    assert (await browser.login(password="a fresh password")).status_code == 200


@pytest.mark.usefixtures("ada")
async def test_two_uses_at_the_same_moment_change_the_password_once(
    identity: IdentityServices, new_browser: NewBrowser
) -> None:
    token, browser = reset_token(identity), await new_browser()
    answers = await asyncio.gather(
        *(browser.post("/api/v1/auth/reset", {"token": token, "newPassword": f"password number {n}"}) for n in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401]


@pytest.mark.usefixtures("ada")
async def test_an_old_a_replaced_and_a_disabled_persons_link_are_refused(
    identity: IdentityServices, new_browser: NewBrowser, clock: ManualClock
) -> None:
    browser = await new_browser()
    replaced, fresh = reset_token(identity), reset_token(identity)

    async def use(token: str) -> int:
        body = {"token": token, "newPassword": "a fresh password"}
        return (await browser.post("/api/v1/auth/reset", body)).status_code

    assert await use(replaced) == 401
    with identity.database.write() as tx:
        tx.execute(update(people).values(disabled_at=1))
    assert await use(fresh) == 401
    with identity.database.write() as tx, pytest.raises(NotFound):
        identity.passwords.new_reset_link(tx, tx.execute(select(people.c.id)).scalar_one(), drop_second_factor=False)
    with identity.database.write() as tx:
        tx.execute(update(people).values(disabled_at=None))
    clock.advance(3600)
    assert await use(fresh) == 401
    assert (await browser.login(password=ADA["password"])).status_code == 200
    with identity.database.write() as tx:
        identity.housekeeping.prune(tx)


async def test_a_reset_keeps_the_second_factor_unless_asked_to_drop_it(
    ada: Browser, identity: IdentityServices, new_browser: NewBrowser, clock: ManualClock
) -> None:
    from identity.test_second_factor import turn_on

    await turn_on(ada, clock)
    browser = await new_browser()
    for drop, expected in ((False, 401), (True, 200)):
        token = reset_token(identity, drop_second_factor=drop)
        await browser.post("/api/v1/auth/reset", {"token": token, "newPassword": "a fresh password"})
        assert (await browser.login(password="a fresh password")).status_code == expected
