"""Single sign-on against a strict issuer on a real socket, honest and with planted faults."""

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from identity.conftest import Browser, browser_of, claim_token, claim_with, serve
from identity.signing_on import CALLBACK, ORIGIN, START, at_issuer, led_to, sign_in, to_issuer
from opencto.core.certificates import self_signed
from opencto.core.clock import SystemClock
from opencto.core.database import Database
from opencto.core.secret import Secret
from opencto.identity import issuer_calls, people_repository
from opencto.identity.tables import memberships, oidc_identities, people
from opencto.testing import ManualClock
from opencto.testing_issuer import FakeIssuer, Fault, Somebody

pytestmark = pytest.mark.anyio
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Dear, and the database has no part in what it tries."""


async def test_somebody_on_the_list_joins_with_the_configured_role_and_comes_back_as_the_same_person(
    browser: Browser, issuer: FakeIssuer, database: Database
) -> None:
    assert (await browser.get("/api/v1/auth/session")).json()["oidcName"] == "Acme"
    assert await sign_in(browser) == "/"
    session = (await browser.get("/api/v1/auth/session")).json()
    assert (session["person"]["name"], session["person"]["email"]) == ("Grace", "grace@example.com")
    assert (session["person"]["isOperator"], session["via"]) == (False, "session")
    assert [(one["slug"], one["role"]) for one in session["workspaces"]] == [("default", "member")]
    issuer.somebody = Somebody(email="grace.hopper@example.com", name="Admiral")
    assert await sign_in(browser) == "/"
    again = (await browser.get("/api/v1/auth/session")).json()
    assert again["person"] == session["person"], "the subject is the identity; the address does not matter any more"
    with database.read() as tx:
        assert len(tx.execute(select(people.c.id)).all()) == 2
        assert tx.execute(select(people.c.password_hash).where(people.c.name == "Grace")).scalar_one() is None


async def test_the_request_carries_state_nonce_and_pkce_and_the_cookie_is_unreadable(browser: Browser) -> None:
    query = parse_qs(urlsplit(await to_issuer(browser)).query)
    assert query["redirect_uri"] == [f"{ORIGIN}{CALLBACK}"]
    assert query["code_challenge_method"] == ["S256"]
    assert set(query["scope"][0].split()) == {"openid", "email", "profile"}
    cookie = browser.http.cookies["opencto_oidc"]
    assert query["state"][0] not in cookie
    assert query["nonce"][0] not in cookie


async def test_a_forged_host_does_not_change_where_the_issuer_sends_people(browser: Browser) -> None:
    answer = await browser.http.get(START, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert parse_qs(urlsplit(answer.headers["location"]).query)["redirect_uri"] == [f"{ORIGIN}{CALLBACK}"]


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("wrong nonce", "OIDC_REFUSED"),
        ("no nonce", "OIDC_REFUSED"),
        ("wrong audience", "OIDC_REFUSED"),
        ("second audience", "OIDC_REFUSED"),
        ("other issuer", "OIDC_REFUSED"),
        ("expired", "OIDC_REFUSED"),
        ("alg none", "OIDC_REFUSED"),
        ("hmac with the public key", "OIDC_REFUSED"),
        ("forged signature", "OIDC_REFUSED"),
        ("unknown key", "OIDC_REFUSED"),
        ("endless answer", "OIDC_UNREACHABLE"),
        ("broken answer", "OIDC_UNREACHABLE"),
    ],
)
@ON_SQLITE
async def test_what_a_dishonest_issuer_says_signs_nobody_in(
    browser: Browser, issuer: FakeIssuer, fault: Fault, problem: str, database: Database
) -> None:
    back = at_issuer(await to_issuer(browser))
    issuer.fault = fault
    assert led_to(await browser.get(back)) == f"/login?problem={problem}"
    assert not await browser.is_signed_in()
    with database.read() as tx:
        assert tx.execute(select(oidc_identities)).first() is None


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks", "/userinfo"])
@pytest.mark.parametrize(
    "fault",
    ["endless answer", "broken answer", "nested answer", "packed answer", "redirect", "server error"],
)
@ON_SQLITE
async def test_no_answer_of_an_issuer_is_read_further_than_it_makes_sense(
    browser: Browser, issuer: FakeIssuer, fault: Fault, path: str, clock: ManualClock
) -> None:
    issuer.email_in_userinfo_only = True
    back = at_issuer(await to_issuer(browser))
    clock.advance(500)
    issuer.fault, issuer.fault_at = fault, path
    if path.startswith("/."):
        clock.advance(3600)
        assert await to_issuer(browser) == "/login?problem=OIDC_UNREACHABLE"
    else:
        assert led_to(await browser.get(back)) == "/login?problem=OIDC_UNREACHABLE"
    assert f"GET {path}" in issuer.requests or f"POST {path}" in issuer.requests
    issuer.fault = None
    assert await sign_in(browser) == "/"


@ON_SQLITE
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks", "/userinfo"])
@pytest.mark.parametrize("fault", ["slow headers", "slow body"])
async def test_an_issuer_that_drips_is_left_after_the_deadline_of_the_whole_exchange(
    browser: Browser,
    issuer: FakeIssuer,
    fault: Fault,
    path: str,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issuer.email_in_userinfo_only = True
    back = at_issuer(await to_issuer(browser))
    issuer.fault, issuer.fault_at = fault, path  # a byte now and then: no single wait is ever long
    monkeypatch.setattr(issuer_calls, "EXCHANGE_SECONDS", 0.5)
    with anyio.fail_after(20):  # dripping to the end would take minutes
        if path.startswith("/."):
            clock.advance(3600)
            assert await to_issuer(browser) == "/login?problem=OIDC_UNREACHABLE"
        else:
            assert led_to(await browser.get(back)) == "/login?problem=OIDC_UNREACHABLE"
    assert not await browser.is_signed_in()


@pytest.mark.parametrize(
    ("somebody", "problem"),
    [
        (Somebody(email_verified=False), "OIDC_EMAIL_UNVERIFIED"),
        (Somebody(email_verified="false"), "OIDC_EMAIL_UNVERIFIED"),
        (Somebody(email_verified=None), "OIDC_EMAIL_UNVERIFIED"),
        (Somebody(email=None), "OIDC_EMAIL_UNVERIFIED"),
        (Somebody(email="grace@example.com\u202e"), "OIDC_EMAIL_UNVERIFIED"),
        (Somebody(email="grace@sub.example.com"), "OIDC_NOT_ALLOWED"),
        (Somebody(email="grace@notexample.com"), "OIDC_NOT_ALLOWED"),
        (Somebody(email="ada@example.com"), "OIDC_ACCOUNT_EXISTS"),
        (Somebody(email="ADA@EXAMPLE.COM"), "OIDC_ACCOUNT_EXISTS"),
    ],
)
@ON_SQLITE
async def test_who_is_not_verified_listed_and_new_does_not_come_in(
    browser: Browser, issuer: FakeIssuer, somebody: Somebody, problem: str
) -> None:
    issuer.somebody = somebody
    assert await sign_in(browser) == f"/login?problem={problem}"
    assert not await browser.is_signed_in()


@pytest.mark.parametrize("email", ["linus@example.org", "Linus@Example.Org", "someone@EXAMPLE.com"])
async def test_the_list_takes_addresses_and_domains_in_any_case(
    browser: Browser, issuer: FakeIssuer, email: str
) -> None:
    issuer.somebody = Somebody(email=email, name="\u202e")
    assert await sign_in(browser) == "/"
    assert (await browser.get("/api/v1/auth/session")).json()["person"]["name"] == email.partition("@")[0]


async def test_the_address_may_come_from_the_user_information(browser: Browser, issuer: FakeIssuer) -> None:
    issuer.email_in_userinfo_only = True
    assert await sign_in(browser) == "/"
    assert "GET /userinfo" in issuer.requests


@pytest.mark.usefixtures("issuer")
async def test_a_code_works_once_and_a_mixed_up_or_missing_state_never(
    sso: FastAPI, browser: Browser, clock: ManualClock
) -> None:
    back = at_issuer(await to_issuer(browser))
    sealed = browser.http.cookies["opencto_oidc"]
    async with browser_of(sso) as victim:
        assert led_to(await victim.get(back)) == "/login?problem=OIDC_OUT_OF_DATE"
        await to_issuer(victim)
        assert led_to(await victim.get(back)) == "/login?problem=OIDC_OUT_OF_DATE"
        assert not await victim.is_signed_in()
    assert (await browser.get(back)).headers["location"] == "/"
    browser.http.cookies.set("opencto_oidc", sealed, path="/api/v1/auth/oidc", domain="127.0.0.1")
    assert led_to(await browser.get(back)) == "/login?problem=OIDC_REFUSED"
    browser.http.cookies.clear()
    for junk in ("", "x" * 100, sealed[:-8] + "AAAAAAAA", "é"):
        answer = await browser.http.get(back, headers=[(b"Cookie", f"opencto_oidc={junk}".encode())])
        assert led_to(answer) == "/login?problem=OIDC_OUT_OF_DATE"
    late = at_issuer(await to_issuer(browser))
    clock.advance(601)
    assert led_to(await browser.get(late)) == "/login?problem=OIDC_OUT_OF_DATE"


async def test_an_answer_of_another_issuer_is_not_exchanged(browser: Browser, issuer: FakeIssuer) -> None:
    back = at_issuer(await to_issuer(browser))
    before = issuer.requests.count("POST /token")
    mixed_up = back.partition("&iss=")[0]
    answer = await browser.get(f"{mixed_up}&iss=https://evil.example")
    assert led_to(answer) == "/login?problem=OIDC_REFUSED"
    assert issuer.requests.count("POST /token") == before


async def test_somebody_who_says_no_at_the_issuer_ends_at_the_login_page(browser: Browser) -> None:
    state = parse_qs(urlsplit(await to_issuer(browser)).query)["state"][0]
    answer = await browser.get(f"{CALLBACK}?error=access_denied&state={state}")
    assert led_to(answer) == "/login?problem=OIDC_CANCELLED"


async def test_keys_are_cached_and_a_new_one_is_fetched_when_it_appears(
    browser: Browser, issuer: FakeIssuer, clock: ManualClock
) -> None:
    assert await sign_in(browser) == "/"
    assert await sign_in(browser) == "/"
    assert issuer.requests.count("GET /jwks") == 1
    assert issuer.requests.count("GET /.well-known/openid-configuration") == 1
    clock.advance(31)
    issuer.rotate_keys()
    assert await sign_in(browser) == "/"
    assert issuer.requests.count("GET /jwks") == 2


@pytest.mark.usefixtures("database")
async def test_an_issuer_that_is_gone_is_a_problem_on_the_login_page(
    environ: dict[str, str], clock: ManualClock, free_port: int
) -> None:
    with FakeIssuer(clock, redirect_uri=f"{ORIGIN}{CALLBACK}") as issuer:
        environ.update(issuer.environ, OPENCTO_OIDC_ALLOW="@example.com")
    environ["OPENCTO_OIDC_ISSUER"] = f"http://127.0.0.1:{free_port}"
    async with serve(environ, clock) as app, browser_of(app) as browser:
        await claim_with(browser, claim_token(app.state.identity))
        assert led_to(await browser.get(START)) == "/login?problem=OIDC_UNREACHABLE"


async def test_a_disabled_person_does_not_come_in(browser: Browser, database: Database) -> None:
    assert await sign_in(browser) == "/"
    with database.write() as tx:
        tx.execute(update(people).where(people.c.name == "Grace").values(disabled_at=1))
    assert not await browser.is_signed_in()
    assert await sign_in(browser) == "/login?problem=ACCOUNT_DISABLED"


async def test_the_owner_of_an_account_links_it_signed_in_and_then_signs_in_with_either(
    sso: FastAPI, issuer: FakeIssuer, database: Database
) -> None:
    issuer.somebody = Somebody(email="ada@example.com", subject="ada-at-acme")
    async with browser_of(sso) as ada, browser_of(sso) as elsewhere:
        await ada.login()
        assert (await ada.get(at_issuer(await to_issuer(ada, link=True)))).headers["location"] == "/account"
        assert await sign_in(elsewhere) == "/"
        assert (await elsewhere.get("/api/v1/auth/session")).json()["person"]["isOperator"] is True
    with database.read() as tx:
        assert len(tx.execute(select(memberships)).all()) == 1


async def test_linking_needs_the_same_browser_signed_in_and_the_same_address(
    sso: FastAPI, issuer: FakeIssuer, database: Database
) -> None:
    async with browser_of(sso) as ada, browser_of(sso) as nobody:
        assert await to_issuer(nobody, link=True) == "/login?problem=OIDC_OUT_OF_DATE"
        await ada.login()
        back = at_issuer(await to_issuer(ada, link=True))
        assert led_to(await ada.get(back)) == "/login?problem=OIDC_OTHER_ACCOUNT"
        issuer.somebody = Somebody(email="ada@example.com")
        back = at_issuer(await to_issuer(ada, link=True))
        await ada.post("/api/v1/auth/logout")
        assert led_to(await ada.get(back)) == "/login?problem=OIDC_OUT_OF_DATE"
    with database.read() as tx:
        assert tx.execute(select(oidc_identities)).first() is None


@pytest.mark.usefixtures("database")
async def test_nobody_signs_in_before_the_server_is_claimed(
    issuer: FakeIssuer, environ: dict[str, str], clock: ManualClock
) -> None:
    environ.update(issuer.environ, OPENCTO_OIDC_ALLOW="@example.com")
    async with serve(environ, clock) as app, browser_of(app) as near, browser_of(app, "203.0.113.9") as far:
        claim_token(app.state.identity)
        assert led_to(await near.get(START)) == "/login?problem=NOT_CLAIMED"
        assert (await far.get(START)).json()["code"] == "NOT_CLAIMED"


async def test_without_settings_there_is_no_single_sign_on(client: httpx2.AsyncClient) -> None:
    assert [(await client.get(path)).status_code for path in (START, CALLBACK)] == [404, 404]


async def test_an_account_made_by_single_sign_on_can_set_a_password_and_has_no_second_factor_before(
    browser: Browser, database: Database
) -> None:
    assert await sign_in(browser) == "/"
    browser.csrf = (await browser.get("/api/v1/auth/session")).json()["csrfToken"]
    answer = await browser.post("/api/v1/auth/second-factor", {"password": "whatever it is"})
    assert (answer.status_code, answer.json()["code"]) == (409, "PASSWORD_NEEDED")
    with database.read() as tx:
        person = people_repository.find_by_email(tx, "grace@example.com")
    assert person is not None
    refused = await browser.login("grace@example.com", Secret("whatever it is").reveal())
    assert refused.status_code == 401
    assert (await browser.send("PUT", "/api/v1/auth/password", {"newPassword": "my new password"})).status_code == 200
    assert (await browser.login("grace@example.com", "my new password")).status_code == 200


@asynccontextmanager
async def behind_a_proxy(
    environ: dict[str, str], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[FastAPI, FakeIssuer]]:
    name = "http://issuer.test"
    with FakeIssuer(clock, redirect_uri=f"{ORIGIN}{CALLBACK}", name=name) as issuer:
        environ.update(issuer.environ, OPENCTO_OIDC_ALLOW="@example.com")
        monkeypatch.setenv("HTTP_PROXY", issuer.socket_url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with serve(environ, clock) as app:
            yield app, issuer


@pytest.mark.usefixtures("database")
async def test_the_issuer_is_reached_through_the_proxy_of_the_environment(
    environ: dict[str, str], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with behind_a_proxy(environ, clock, monkeypatch) as (app, issuer), browser_of(app) as browser:
        await claim_with(browser, claim_token(app.state.identity))
        address = urlsplit(await to_issuer(browser))
        back = urlsplit(issuer.authorize({name: one[0] for name, one in parse_qs(address.query).items()}))
        answer = await browser.get(f"{back.path}?{back.query}")
        assert answer.headers["location"] == "/"
        monkeypatch.setenv("NO_PROXY", "issuer.test")
    assert {"POST /token", "GET /jwks"} <= set(issuer.requests)


async def come_in(app: FastAPI, issuer: FakeIssuer) -> str:
    """Sign in at an issuer that this process itself cannot ask; where the browser ends."""
    async with browser_of(app) as browser:
        address = urlsplit(await to_issuer(browser))
        if address.path == "/login":
            return f"{address.path}?{address.query}"
        back = urlsplit(issuer.authorize({name: one[0] for name, one in parse_qs(address.query).items()}))
        return led_to(await browser.get(f"{back.path}?{back.query}"))


async def test_an_issuer_behind_a_private_ca_is_trusted_only_while_the_environment_names_that_ca(
    environ: dict[str, str],
    database: Database,  # noqa: ARG001 - wanted for its effect
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    certificate = self_signed(tmp_path / "issuer", SystemClock())
    another = self_signed(tmp_path / "another", SystemClock())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with FakeIssuer(clock, redirect_uri=f"{ORIGIN}{CALLBACK}", tls=context) as issuer:
        assert issuer.url.startswith("https://")
        environ.update(issuer.environ, OPENCTO_OIDC_ALLOW="@example.com")
        async with serve(environ, clock) as app, browser_of(app) as owner:
            await claim_with(owner, claim_token(app.state.identity))
            assert await come_in(app, issuer) == "/login?problem=OIDC_UNREACHABLE"
            for untrusted in (another.chain, tmp_path / "gone.pem"):
                monkeypatch.setenv("SSL_CERT_FILE", str(untrusted))
                assert await come_in(app, issuer) == "/login?problem=OIDC_UNREACHABLE"
            assert issuer.requests == []
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate.chain))
            assert await come_in(app, issuer) == "/"
            monkeypatch.setenv("SSL_CERT_FILE", str(another.chain))
            assert await come_in(app, issuer) == "/login?problem=OIDC_UNREACHABLE"
