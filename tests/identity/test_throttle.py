"""Guessing is slowed, and nobody is locked out by it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, func, select

from identity.conftest import ADA, Browser, NewBrowser
from opencto.core.database import Database
from opencto.identity.caller import Origin
from opencto.identity.errors import SignInSlowed
from opencto.identity.ports import AuditEvent
from opencto.identity.refusals import Refusals
from opencto.identity.services import IdentityServices
from opencto.identity.tables import people, sign_in_attempts
from opencto.identity.throttle import KINDS, RULES, Kind, Throttle
from opencto.testing import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def throttle(clock: ManualClock) -> Throttle:
    return Throttle(bytes(range(32)), clock)


def passes(database: Database, throttle: Throttle, account: str, address: str, device: str | None = None) -> bool:
    try:
        with database.write() as tx:
            throttle.take(tx, throttle.for_sign_in(account, address, device))
    except SignInSlowed:
        return False
    return True


def test_a_burst_passes_then_one_place_comes_back_at_a_time(
    database: Database, throttle: Throttle, clock: ManualClock
) -> None:
    tries = [passes(database, throttle, "ada@example.com", "203.0.113.7") for _ in range(12)]
    assert tries == [True] * 10 + [False] * 2
    clock.advance(59)
    assert not passes(database, throttle, "ada@example.com", "203.0.113.7")
    clock.advance(1)
    assert passes(database, throttle, "ada@example.com", "203.0.113.7")
    assert not passes(database, throttle, "ada@example.com", "203.0.113.200"), "the same /24"
    assert passes(database, throttle, "ada@example.com", "203.0.114.7"), "another network"


def test_many_at_the_same_moment_get_exactly_the_burst(database: Database, throttle: Throttle) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(passes, database, throttle, "ada@example.com", "203.0.113.7") for _ in range(40)]
        assert sum(one.result(60) for one in done) == 10


def test_one_address_that_tries_many_accounts_is_slowed(database: Database, throttle: Throttle) -> None:
    tries = [passes(database, throttle, f"p{number}@example.com", "2001:db8::1") for number in range(40)]
    assert tries == [True] * 30 + [False] * 10
    assert not passes(database, throttle, "new@example.com", "2001:db8::ffff"), "the same /64"


def test_many_networks_that_try_one_account_are_slowed(database: Database, throttle: Throttle) -> None:
    tries = [passes(database, throttle, "ada@example.com", f"10.{number}.0.1") for number in range(120)]
    assert tries == [True] * 100 + [False] * 20


def test_a_clock_that_is_set_back_locks_nobody_out(database: Database, throttle: Throttle, clock: ManualClock) -> None:
    for _ in range(10):
        assert passes(database, throttle, "ada@example.com", "203.0.113.7")
    clock.jump(-86_400)
    assert passes(database, throttle, "ada@example.com", "203.0.113.7")
    clock.jump(-86_400)
    with database.write() as tx:
        throttle.forget_old(tx)
        assert tx.execute(select(func.count()).select_from(sign_in_attempts)).scalar_one() == 0


def test_a_flood_of_invented_accounts_and_addresses_stays_within_the_bound(
    database: Database, throttle: Throttle, clock: ManualClock
) -> None:
    places = [
        place
        for number in range(20_000)
        for place in throttle.for_sign_in(f"{number}@example.com", f"10.{number >> 8 & 255}.{number & 255}.1", None)
    ]
    assert all(0 <= place.bucket < KINDS * 65_536 and place.bucket >> 16 == place.kind for place in places)
    with database.write() as tx:
        for number in range(0, 60_000, 40):
            clock.advance(30)
            throttle.take(tx, places[number : number + 3])
        rows = tx.execute(select(func.count()).select_from(sign_in_attempts)).scalar_one()
        assert rows <= 3 * 1_500
        clock.advance(max(rule.burst * rule.every_seconds for rule in RULES.values()))
        throttle.forget_old(tx)
        assert tx.execute(select(func.count()).select_from(sign_in_attempts)).scalar_one() == 0
    assert set(RULES) == set(Kind)


@pytest.mark.usefixtures("ada")
async def test_a_refusal_says_whose_limit_it_was_and_when_it_frees(new_browser: NewBrowser) -> None:
    eve = await new_browser("203.0.113.7")
    answers = [await eve.login(password="wrong password") for _ in range(11)]
    assert [one.status_code for one in answers] == [401] * 10 + [429]
    last, body = answers[-1], answers[-1].json()
    assert (body["code"], body["origin"], body["rule"]) == ("RATE_LIMITED", "opencto", "sign_in")
    assert (body["scope"], body["limit"], body["used"]) == ("account and network", 10, 10)
    assert body["resetsAt"] == "2026-11-23T12:01:00.000Z"
    assert last.headers["retry-after"] == "60"
    assert last.headers["ratelimit"] == '"sign_in";r=0;t=60'
    assert last.headers["ratelimit-policy"] == '"sign_in";q=10;w=600'


@pytest.mark.usefixtures("ada")
async def test_an_unknown_account_is_slowed_just_the_same(new_browser: NewBrowser) -> None:
    eve = await new_browser("203.0.113.7")
    codes = [(await eve.login("nobody@example.com")).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]


async def test_an_attack_never_keeps_out_a_browser_that_has_signed_in_before(
    ada: Browser, new_browser: NewBrowser
) -> None:
    eve = await new_browser("127.0.0.1")
    codes = [(await eve.login(password="wrong password")).status_code for _ in range(11)]
    assert codes[-1] == 429
    assert (await (await new_browser("127.0.0.1")).login()).status_code == 429
    await ada.post("/api/v1/auth/logout")
    assert (await ada.login()).status_code == 200


@pytest.mark.parametrize("change", ["owner", "expiry", "mac", "junk"])
async def test_a_device_cookie_that_was_tampered_with_counts_for_nothing(
    ada: Browser, new_browser: NewBrowser, change: str
) -> None:
    parts = ada.http.cookies["opencto_device"].split(".")
    match change:
        case "owner":
            parts[1] = "usr_other"
        case "expiry":
            parts[3] = "99999999999"
        case "mac":
            parts[4] = "0" * 64
        case _:
            parts = ["v1'--"]
    eve = await new_browser("203.0.113.7")
    eve.http.cookies.set("opencto_device", ".".join(parts))
    codes = [(await eve.login(password="wrong password")).status_code for _ in range(11)]
    assert codes[-1] == 429


@pytest.mark.usefixtures("ada")
async def test_sign_ins_that_succeed_do_not_count(new_browser: NewBrowser) -> None:
    for _ in range(15):
        assert (await (await new_browser("203.0.113.7")).login()).status_code == 200


@pytest.mark.usefixtures("ada")
async def test_junk_links_are_slowed_and_leave_nothing_behind(
    new_browser: NewBrowser, identity: IdentityServices
) -> None:
    eve = await new_browser("203.0.113.7")
    count = select(func.count()).select_from(sign_in_attempts)
    with identity.database.read() as tx:
        before = tx.execute(count).scalar_one()
    body = {"token": "octo_reset_" + "x" * 49, "newPassword": "a fresh password"}
    codes = [(await eve.post("/api/v1/auth/reset", body)).status_code for _ in range(32)]
    assert codes == [401] * 30 + [429] * 2
    with identity.database.read() as tx:
        assert tx.execute(count).scalar_one() == before + 1


async def test_proofs_of_a_signed_in_browser_are_slowed(ada: Browser) -> None:
    body = {"currentPassword": "not it at all", "newPassword": "a fresh password"}
    codes = [(await ada.send("PUT", "/api/v1/auth/password", body)).status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]
    assert (await ada.get("/api/v1/auth/sessions")).status_code == 200


class Book:
    """An audit trail that can be read."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []

    def record(self, tx: Connection, event: AuditEvent) -> None:
        assert not tx.closed
        self.events.append(event)


@pytest.fixture
def book() -> Book:
    return Book()


def test_a_flood_of_refusals_is_two_audit_rows_an_account(database: Database, clock: ManualClock, book: Book) -> None:
    refusals = Refusals(database, clock, book)
    for number in range(1_000):
        refusals.note("usr_ada", "password", Origin(f"10.0.{number % 200}.1", "curl", "req_1"))
        refusals.note(None, "password" if number % 2 else "slowed", Origin("10.1.1.1", "curl", "req_2"))
    assert [(one.target_id, one.details) for one in book.events] == [
        ("usr_ada", {"reason": "password", "attempts": 1}),
        (None, {"reason": "slowed", "attempts": 1}),
    ]
    refusals.flush()
    assert len(book.events) == 2, "the window is not over"
    clock.advance(300)
    refusals.flush()
    assert [(one.target_id, one.details) for one in book.events[2:]] == [
        ("usr_ada", {"reasons": ["password: 999"], "attempts": 999, "addresses": 100}),
        (None, {"reasons": ["password: 500", "slowed: 499"], "attempts": 999, "addresses": 1}),
    ]
    refusals.flush(everything=True)
    assert len(book.events) == 4


@pytest.mark.usefixtures("ada")
async def test_refused_and_successful_sign_ins_are_in_the_audit_trail(
    new_browser: NewBrowser, identity: IdentityServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Book()

    def keep(_: object, tx: Connection, event: AuditEvent) -> None:
        book.record(tx, event)

    monkeypatch.setattr(type(identity.audit), "record", keep)
    browser = await new_browser("203.0.113.7")
    await browser.login(password="wrong password")
    await browser.login()
    with identity.database.read() as tx:
        ada_id = tx.execute(select(people.c.id)).scalar_one()
    assert [(one.action, one.target_id, one.origin and one.origin.address) for one in book.events] == [
        ("sign_in.refused", ada_id, "203.0.113.7"),
        ("sign_in.succeeded", ada_id, "203.0.113.7"),
    ]
    assert ADA["password"] not in repr(book.events)
