"""The way through an issuer, as a browser goes it."""

from urllib.parse import urlsplit

import httpx2

from identity.conftest import Browser

ORIGIN = "http://127.0.0.1:8787"
START, CALLBACK = "/api/v1/auth/oidc/start", "/api/v1/auth/oidc/callback"


def led_to(answer: httpx2.Response) -> str:
    """Where a redirect leads. With a problem it also says which request failed, as the log calls it: checked, and left out here."""
    assert answer.status_code == 302, answer.text
    address, _, request_id = answer.headers["location"].partition("&request=")
    assert request_id == (answer.headers["x-request-id"] if "problem=" in address else "")
    return address


async def to_issuer(browser: Browser, *, link: bool = False) -> str:
    """Begin; the address at the issuer."""
    return led_to(await browser.get(f"{START}?link=true" if link else START))


def at_issuer(address: str) -> str:
    """What the browser does at the issuer, over the socket; the path that it is sent back to."""
    answer = httpx2.get(address)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}" == ORIGIN
    return f"{back.path}?{back.query}"


async def sign_in(browser: Browser) -> str:
    """The whole way; where the browser ends."""
    return led_to(await browser.get(at_issuer(await to_issuer(browser))))
