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
from opencto.ledger.tables import audit_events
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


RENEW = f"{PATH}/recovery-codes"


def renewals(identity: IdentityServices) -> list[tuple[str, str]]:
    with identity.database.read() as tx:
        rows = tx.execute(
            select(audit_events.c.actor_name, audit_events.c.details)
            .where(audit_events.c.action == "second_factor.recovery_renewed")
            .order_by(audit_events.c.seq)
        )
        return [(row.actor_name, row.details) for row in rows]


async def test_fresh_recovery_codes_replace_the_old_ones_and_the_trail_tells(
    ada: Browser, clock: ManualClock, new_browser: NewBrowser, identity: IdentityServices
) -> None:
    totp, old = await turn_on(ada, clock)
    assert (await (await new_browser()).login(code=old[0])).status_code == 200
    assert (await ada.get(PATH)).json()["recoveryCodesLeft"] == 9
    fresh = (await ada.post(RENEW, {"password": ADA["password"]})).json()["recoveryCodes"]
    assert len(set(fresh)) == 10
    assert not set(fresh) & set(old)
    assert (await ada.get(PATH)).json()["recoveryCodesLeft"] == 10
    browser = await new_browser()
    for dead in old:
        assert (await browser.login(code=dead)).json()["code"] == "SIGN_IN_REFUSED"
        clock.advance(700)  # so that the throttle is not what refuses
    assert (await browser.login(code=fresh[3])).status_code == 200
    assert (await browser.login(code=totp.at(clock.now()))).status_code == 200, "the app goes on as before"
    assert renewals(identity) == [("Ada", '{"voided":9}')]


async def test_fresh_recovery_codes_take_a_current_code_of_the_app_once(
    ada: Browser, clock: ManualClock, identity: IdentityServices
) -> None:
    totp, old = await turn_on(ada, clock)
    clock.advance(30)
    right = totp.at(clock.now())
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    assert (await ada.post(RENEW, {"code": wrong})).json()["code"] == "PROOF_REFUSED"
    assert (await ada.post(RENEW, {"password": "not it at all"})).json()["code"] == "PROOF_REFUSED"
    for shapeless in ({}, {"code": right, "password": ADA["password"]}, {"code": old[0]}, {"code": None}):
        assert (await ada.post(RENEW, shapeless)).json()["code"] == "INVALID_REQUEST"
    assert renewals(identity) == []
    assert (await ada.post(RENEW, {"code": right})).status_code == 200
    assert (await ada.post(RENEW, {"code": right})).json()["code"] == "PROOF_REFUSED", "a code works once"
    assert len(renewals(identity)) == 1


async def test_recovery_codes_are_not_renewed_by_guessing_nor_where_the_factor_is_off_nor_with_a_token(
    ada: Browser, clock: ManualClock
) -> None:
    assert (await ada.get(PATH)).json() == {"enabledAt": None, "recoveryCodesLeft": 0}
    assert (await ada.post(RENEW, {"password": ADA["password"]})).json()["code"] == "SECOND_FACTOR_OFF"
    assert (await ada.post(RENEW, {"code": "123456"})).json()["code"] == "PROOF_REFUSED"
    await turn_on(ada, clock)
    answers = [await ada.post(RENEW, {"code": "000000"}) for _ in range(12)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
    made = await ada.post("/api/v1/tokens", {"name": "t", "scopes": ["all"]})
    bearer = {"Authorization": f"Bearer {made.json()['token']}"}
    assert (await ada.http.post(RENEW, json={"password": ADA["password"]}, headers=bearer)).status_code == 403


async def test_of_two_renewals_at_the_same_moment_one_set_of_codes_holds(
    ada: Browser, clock: ManualClock, identity: IdentityServices
) -> None:
    await turn_on(ada, clock)
    answers = await asyncio.gather(*(ada.post(RENEW, {"password": ADA["password"]}) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    with identity.database.read() as tx:
        assert len(tx.execute(select(recovery_codes.c.code_hash)).all()) == 10


async def test_a_repeated_request_with_its_key_gives_the_same_codes(ada: Browser, clock: ManualClock) -> None:
    totp, _ = await turn_on(ada, clock)
    clock.advance(30)
    body = {"code": totp.at(clock.now())}
    first, second = [await ada.post(RENEW, body, **{"Idempotency-Key": "once"}) for _ in range(2)]
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
