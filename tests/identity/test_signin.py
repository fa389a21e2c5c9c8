"""Signing in with a password, and what ends a sign-in."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from identity.conftest import ADA, REAL_PROFILE, Browser, NewBrowser
from opencto.core.secret import Secret
from opencto.identity.errors import SignInBusy
from opencto.identity.hashing import AT_ONCE, Hashing
from opencto.identity.services import IdentityServices
from opencto.identity.tables import people, sessions
from opencto.testing import ManualClock

pytestmark = pytest.mark.anyio


async def test_password_signs_in_and_out_again(ada: Browser, new_browser: NewBrowser) -> None:
    browser = await new_browser()
    answer = await browser.login(email="ADA@example.com")
    assert (answer.status_code, answer.json()["via"], answer.json()["person"]["name"]) == (200, "session", "Ada")
    assert await browser.is_signed_in()
    kept = browser.http.cookies["opencto_session"]
    assert (await browser.post("/api/v1/auth/logout")).json() == {"ok": True}
    browser.http.cookies.set("opencto_session", kept)
    assert not await browser.is_signed_in()
    assert await ada.is_signed_in()


async def test_a_write_with_the_cookie_needs_the_csrf_token(ada: Browser) -> None:
    answer = await ada.http.post("/api/v1/auth/logout")
    assert (answer.status_code, answer.json()["code"]) == (403, "CSRF_TOKEN_MISSING")
    session = (await ada.get("/api/v1/auth/session")).json()
    assert session["csrfToken"] == ada.csrf


@pytest.mark.usefixtures("ada")
async def test_unknown_address_and_wrong_password_get_one_and_the_same_answer(new_browser: NewBrowser) -> None:
    browser = await new_browser()
    unknown, wrong = await browser.login(email="eve@example.com"), await browser.login(password="wrong password")
    assert unknown.status_code == wrong.status_code == 401
    assert {**unknown.json(), "requestId": ""} == {**wrong.json(), "requestId": ""}
    assert unknown.json()["code"] == "SIGN_IN_REFUSED"
    assert "set-cookie" not in unknown.headers


async def test_nobody_there_costs_a_whole_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencto.identity.hashing.PROFILE", REAL_PROFILE)
    hashing = Hashing()
    seen: list[str] = []
    verify = PasswordHasher.verify

    def spy(self: PasswordHasher, hash: str, password: str) -> bool:  # noqa: A002 - its name there
        seen.append(hash)
        return verify(self, hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", spy)
    known = hashing.hash_password(Secret("a good password"))
    assert hashing.matches(known, Secret("a good password"))
    assert not hashing.matches(None, Secret("a good password"))
    parameters = [one.rsplit("$", 2)[0] for one in seen]
    assert parameters == ["$argon2id$v=19$m=65536,t=3,p=4"] * 2


async def test_more_hashes_than_may_wait_are_sent_away_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    entered, leave = threading.Semaphore(0), threading.Event()

    def slow(*_: object) -> bool:
        entered.release()
        return leave.wait(30)

    monkeypatch.setattr(PasswordHasher, "verify", slow)
    monkeypatch.setattr("opencto.identity.hashing.WAITING", 0)
    hashing = Hashing()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        inside = [pool.submit(hashing.matches, "stored", Secret("whatever")) for _ in range(AT_ONCE)]
        for _ in inside:
            assert entered.acquire(timeout=30)
        with pytest.raises(SignInBusy):
            hashing.matches("stored", Secret("whatever"))
        leave.set()
        assert all(one.result(30) for one in inside)
    assert hashing.matches("stored", Secret("whatever")), "there is room again"


@pytest.mark.usefixtures("ada")
async def test_an_outdated_hash_is_renewed_at_the_next_sign_in(
    identity: IdentityServices, new_browser: NewBrowser
) -> None:
    weak = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(ADA["password"])
    with identity.database.write() as tx:
        tx.execute(update(people).values(password_hash=weak))
    assert (await (await new_browser()).login()).status_code == 200
    with identity.database.read() as tx:
        assert "m=8,t=1," in tx.execute(select(people.c.password_hash)).scalar_one()


async def test_a_disabled_person_is_out_at_once_and_cannot_come_back(
    ada: Browser, identity: IdentityServices, new_browser: NewBrowser
) -> None:
    with identity.database.write() as tx:
        tx.execute(update(people).values(disabled_at=1))
    assert not await ada.is_signed_in()
    answer = await (await new_browser()).login()
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_IN_REFUSED")


async def test_sessions_are_listed_and_ended_one_by_one_and_all_others(ada: Browser, new_browser: NewBrowser) -> None:
    second, third = await new_browser(), await new_browser("203.0.113.9")
    await second.login()
    await third.login()
    listed = (await ada.get("/api/v1/auth/sessions")).json()
    assert listed["nextCursor"] is None
    assert len(listed["data"]) == 3
    assert [one["current"] for one in listed["data"]].count(True) == 1
    far = next(one for one in listed["data"] if one["address"] == "203.0.113.9")
    assert far["id"].startswith("ses_")
    assert (await ada.send("DELETE", f"/api/v1/auth/sessions/{far['id']}")).status_code == 200
    assert not await third.is_signed_in()
    assert await second.is_signed_in()
    assert (await ada.send("DELETE", f"/api/v1/auth/sessions/{far['id']}")).json()["code"] == "NOT_FOUND"
    assert (await ada.send("DELETE", "/api/v1/auth/sessions")).status_code == 200
    assert not await second.is_signed_in()
    assert await ada.is_signed_in()


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0 Safari/537.36 Edg/128.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1"


async def test_sign_ins_are_sorted_and_narrowed_by_what_the_table_shows_page_by_page(
    ada: Browser, new_browser: NewBrowser, clock: ManualClock
) -> None:
    for agent, address in ((FIREFOX, "203.0.113.9"), (SAFARI, "203.0.113.1"), (EDGE, "203.0.113.5"), ("", "10.0.0.1")):
        clock.advance(60)
        browser = await new_browser(address)
        browser.http.headers["User-Agent"] = agent
        await browser.login()

    async def names(sort: str, q: str = "") -> list[str]:
        found: list[str] = []
        query = {"limit": "2", "sort": sort, "q": q}
        while True:
            page = (await ada.http.get("/api/v1/auth/sessions", params=query)).json()
            found += [one["browser"].partition("/")[0] for one in page["data"]]
            if page["nextCursor"] is None:
                return found
            query["cursor"] = page["nextCursor"]

    edge, firefox, script = "Edge on Windows", "Firefox on Linux", "python-httpx2"
    nameless, safari = "Something without a name", "Safari on iOS"
    assert await names("browser") == [edge, firefox, script, safari, nameless]
    assert await names("-browser") == [nameless, safari, script, firefox, edge]
    assert await names("address") == [nameless, script, safari, edge, firefox]
    assert await names("createdAt") == [script, firefox, safari, edge, nameless]
    assert (await names("-lastSeenAt"))[0] == nameless
    assert await names("browser", "LINUX") == [firefox]
    assert await names("browser", "203.0.113.") == [edge, firefox, safari]
    refused = await ada.get("/api/v1/auth/sessions?sort=userAgent")
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "sort")


async def test_one_sign_in_is_read_by_whose_it_is_until_it_is_over(
    ada: Browser, new_browser: NewBrowser, identity: IdentityServices
) -> None:
    far = await new_browser("203.0.113.9")
    await far.login()
    listed = (await ada.get("/api/v1/auth/sessions?q=203.0.113.9")).json()["data"]
    path = f"/api/v1/auth/sessions/{listed[0]['id']}"
    assert (await ada.get(path)).json() == listed[0]
    assert (await far.get(path)).json() == {**listed[0], "current": True}
    eve = await _eve(identity, new_browser)
    assert (await eve.get(path)).json()["code"] == "NOT_FOUND"
    await ada.send("DELETE", path)
    assert (await ada.get(path)).json()["code"] == "NOT_FOUND"


async def _eve(identity: IdentityServices, new_browser: NewBrowser) -> Browser:
    """Somebody else, signed in."""
    from opencto.identity import people_repository

    with identity.database.write() as tx:
        hashed = identity.sign_in.hash_password(Secret("eves own password"))
        people_repository.insert_person(tx, name="Eve", email="eve@example.com", password_hash=hashed, now=1)
    eve = await new_browser()
    assert (await eve.login("eve@example.com", "eves own password")).status_code == 200
    return eve


async def test_nobody_ends_a_session_of_somebody_else(
    ada: Browser, identity: IdentityServices, new_browser: NewBrowser
) -> None:
    eve = await _eve(identity, new_browser)
    mine = (await ada.get("/api/v1/auth/sessions")).json()["data"][0]["id"]
    assert (await eve.send("DELETE", f"/api/v1/auth/sessions/{mine}")).status_code == 404
    assert (await eve.send("DELETE", "/api/v1/auth/sessions")).status_code == 200
    assert await ada.is_signed_in()


async def test_a_session_ends_after_its_days_and_when_it_is_not_used(
    ada: Browser, new_browser: NewBrowser, clock: ManualClock, identity: IdentityServices
) -> None:
    idle = await new_browser()
    await idle.login()
    for _ in range(5):
        clock.advance(6 * 86_400)
        assert await ada.is_signed_in() is (clock.now().timestamp() < ADA_ENDS)
        identity.authenticator.flush()
    assert not await ada.is_signed_in()
    assert not await idle.is_signed_in()
    with identity.database.write() as tx:
        identity.housekeeping.prune(tx)
        assert tx.execute(select(sessions)).first() is None


ADA_ENDS = ManualClock().now().timestamp() + 30 * 86_400


async def test_changing_the_password_signs_every_other_browser_out(ada: Browser, new_browser: NewBrowser) -> None:
    other = await new_browser()
    await other.login()
    body = {"currentPassword": ADA["password"], "newPassword": "an even better one"}
    wrong = await ada.send("PUT", "/api/v1/auth/password", {**body, "currentPassword": "not it"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "PROOF_REFUSED")
    missing = await ada.send("PUT", "/api/v1/auth/password", {"newPassword": "an even better one"})
    assert missing.json()["code"] == "PROOF_REFUSED"
    changed = await ada.send("PUT", "/api/v1/auth/password", body, **{"Idempotency-Key": "once"})
    assert changed.json() == {"ok": True}
    again = await ada.send("PUT", "/api/v1/auth/password", body, **{"Idempotency-Key": "once"})
    assert (again.json(), again.headers["idempotency-replayed"]) == ({"ok": True}, "true")
    assert await ada.is_signed_in()
    assert not await other.is_signed_in()
    assert (await other.login()).status_code == 401
    assert (await other.login(password="an even better one")).status_code == 200


async def test_the_name_can_be_changed(ada: Browser) -> None:
    answer = await ada.send("PATCH", "/api/v1/auth/account", {"name": "Ada L."})
    assert (answer.status_code, answer.json()["person"]["name"]) == (200, "Ada L.")
    bidi = await ada.send("PATCH", "/api/v1/auth/account", {"name": "Ada\u202eL"})
    assert bidi.status_code == 422


async def test_no_more_than_fifty_browsers_of_one_person_are_kept(
    ada: Browser, identity: IdentityServices, clock: ManualClock
) -> None:
    from opencto.identity.caller import Origin

    with identity.database.write() as tx:
        person_id = tx.execute(select(people.c.id)).scalar_one()
        for _ in range(60):
            clock.advance(1)
            identity.sessions.start(tx, person_id, Origin("203.0.113.1", "script", "req_1"))
        assert len(tx.execute(select(sessions.c.id)).all()) == 50
    assert not await ada.is_signed_in()


@pytest.mark.usefixtures("client", "app")
async def test_a_body_that_is_not_right_is_named_and_never_echoed(ada: Browser) -> None:
    secret = "hunter2 hunter2 hunter2"
    for body in ({"email": 7, "password": secret}, {"email": "ada@example.com", "password": secret, "x": 1}):
        answer = await ada.http.post("/api/v1/auth/login", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
        assert secret not in answer.text
