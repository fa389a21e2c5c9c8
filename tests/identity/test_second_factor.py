"""Codes of an authenticator app, and recovery codes."""

import asyncio
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag
from pyotp.totp import TOTP
from sqlalchemy import select, update

from identity.conftest import ADA, Browser, NewBrowser
from opencto.identity import people_repository
from opencto.identity.services import IdentityServices
from opencto.identity.tables import people, recovery_codes
from opencto.testing import ManualClock

pytestmark = pytest.mark.anyio
PATH = "/api/v1/auth/second-factor"


async def turn_on(browser: Browser, clock: ManualClock) -> tuple[TOTP, list[str]]:
    """Set it up and confirm it; the app's generator and the recovery codes."""
    setup = (await browser.post(PATH, {"password": ADA["password"]})).json()
    totp = TOTP(setup["secret"])
    answer = await browser.post(f"{PATH}/confirm", {"code": totp.at(clock.now())})
    assert answer.status_code == 200, answer.text
    return totp, answer.json()["recoveryCodes"]


async def test_setup_needs_the_password_and_a_confirmed_code(
    ada: Browser, clock: ManualClock, identity: IdentityServices
) -> None:
    assert (await ada.post(PATH, {"password": "not it at all"})).json()["code"] == "PROOF_REFUSED"
    setup = (await ada.post(PATH, {"password": ADA["password"]})).json()
    assert setup["otpauthUrl"].startswith("otpauth://totp/OpenCTO:ada%40example.com?secret=")
    assert setup["qrSvg"].startswith("<svg")
    assert not (await ada.get("/api/v1/auth/session")).json()["person"]["secondFactor"]
    totp = TOTP(setup["secret"])
    right = totp.at(clock.now())
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    assert (await ada.post(f"{PATH}/confirm", {"code": wrong})).json()["code"] == "PROOF_REFUSED"
    codes = (await ada.post(f"{PATH}/confirm", {"code": right})).json()["recoveryCodes"]
    assert len(set(codes)) == 10
    assert (await ada.get("/api/v1/auth/session")).json()["person"]["secondFactor"]
    assert (await ada.post(PATH, {"password": ADA["password"]})).json()["code"] == "SECOND_FACTOR_ALREADY_ON"
    with identity.database.read() as tx:
        sealed = tx.execute(select(people.c.totp_secret)).scalar_one()
        hashes = list(tx.execute(select(recovery_codes.c.code_hash)).scalars())
    assert setup["secret"].encode() not in sealed
    assert len(hashes) == 10
    assert not {one.encode() for one in codes} & set(hashes)


async def test_sign_in_asks_for_the_code_and_takes_each_once(
    ada: Browser, clock: ManualClock, new_browser: NewBrowser
) -> None:
    totp, _ = await turn_on(ada, clock)
    browser = await new_browser()
    assert (await browser.login(password="wrong password", code="000000")).json()["code"] == "SIGN_IN_REFUSED"
    without = await browser.login()
    assert (without.status_code, without.json()["code"]) == (401, "SECOND_FACTOR_REQUIRED")
    reused = await browser.login(code=totp.at(clock.now()))
    assert (reused.status_code, reused.json()["code"]) == (401, "SIGN_IN_REFUSED")
    clock.advance(30)
    wrong = f"{(int(totp.at(clock.now())) + 1) % 1_000_000:06d}"
    assert (await browser.login(code=wrong)).json()["code"] == "SIGN_IN_REFUSED"
    early = totp.at(clock.now() + timedelta(seconds=1 * 30))
    assert (await browser.login(code=early)).status_code == 200
    assert (await browser.login(code=early)).status_code == 401
    assert (await browser.login(code=totp.at(clock.now()))).status_code == 401, "a step before the last used one"
    clock.advance(120)
    assert (await browser.login(code=totp.at(clock.now() + timedelta(seconds=-2 * 30)))).status_code == 401
    assert (await browser.login(code=totp.at(clock.now() + timedelta(seconds=-1 * 30)))).status_code == 200


async def test_one_recovery_code_signs_in_once_also_when_sent_twice_at_the_same_moment(
    ada: Browser, clock: ManualClock, new_browser: NewBrowser
) -> None:
    _, codes = await turn_on(ada, clock)
    browsers = [await new_browser() for _ in range(3)]
    answers = await asyncio.gather(*(one.login(code=codes[0].upper()) for one in browsers))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401]
    assert (await browsers[0].login(code=codes[0])).status_code == 401
    assert (await browsers[0].login(code=codes[1])).status_code == 200


async def test_one_app_code_signs_in_once_also_when_sent_twice_at_the_same_moment(
    ada: Browser, clock: ManualClock, new_browser: NewBrowser
) -> None:
    totp, _ = await turn_on(ada, clock)
    clock.advance(30)
    browsers = [await new_browser() for _ in range(3)]
    answers = await asyncio.gather(*(one.login(code=totp.at(clock.now())) for one in browsers))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401]


async def test_it_is_turned_off_with_the_password(ada: Browser, clock: ManualClock, new_browser: NewBrowser) -> None:
    await turn_on(ada, clock)
    assert (await ada.send("DELETE", PATH, {"password": "not it at all"})).status_code == 422
    assert (await ada.send("DELETE", PATH, {"password": ADA["password"]})).json() == {"ok": True}
    assert (await ada.send("DELETE", PATH, {"password": ADA["password"]})).json()["code"] == "SECOND_FACTOR_OFF"
    assert (await (await new_browser()).login()).status_code == 200


async def test_a_sealed_secret_does_not_open_for_another_person(
    ada: Browser, clock: ManualClock, identity: IdentityServices
) -> None:
    totp, _ = await turn_on(ada, clock)
    with identity.database.write() as tx:
        sealed = tx.execute(select(people.c.totp_secret)).scalar_one()
        other_id = people_repository.insert_person(tx, name="Eve", email="eve@example.com", now=1)
        tx.execute(update(people).where(people.c.id == other_id).values(totp_secret=sealed, totp_enabled_at=1))
        other = people_repository.get(tx, other_id)
        assert other is not None
        with pytest.raises(InvalidTag):
            identity.second_factor.use(tx, other, totp.at(clock.now()))


async def test_guessing_codes_is_slowed_although_the_password_is_right(
    ada: Browser, clock: ManualClock, new_browser: NewBrowser
) -> None:
    totp, _ = await turn_on(ada, clock)
    answers: list[int] = []
    for index in range(12):
        thief = await new_browser(f"198.51.{index}.7")
        wrong = f"{(int(totp.at(clock.now())) + 1 + index) % 1_000_000:06d}"
        answers.append((await thief.login(code=wrong)).status_code)
    assert answers == [401] * 10 + [429] * 2
