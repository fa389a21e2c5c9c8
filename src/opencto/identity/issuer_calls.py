"""How we ask an issuer: one deadline over the whole exchange, answers of bounded size, nothing that has to be unpacked.

The proxy and the certificates are those of the environment (core/outbound.py). Each exchange has a client of its own:
sign-ins are rare, and nothing stays open towards somebody else's server.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote_plus, urlsplit

from opencto.core.errors import StartError
from opencto.core.secret import Secret

if TYPE_CHECKING:
    import aiohttp

EXCHANGE_SECONDS = 15.0
"""Everything that one step of a sign-in asks of the issuer, from the first name lookup to the last byte."""
ANSWER_BYTES = 1_048_576
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}

Result = TypeVar("Result")
Json = Mapping[str, Any]


class IssuerUnreachableError(Exception):
    """The issuer does not answer, or not as OpenID Connect Discovery says. For the log."""


class IssuerCalls:
    """The requests of one exchange."""

    def __init__(self, session: "aiohttp.ClientSession") -> None:
        self._session = session

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Json:
        """A JSON object. Raises IssuerUnreachableError for every other answer."""
        async with self._session.get(url, headers={**_HEADERS, **(headers or {})}, allow_redirects=False) as answer:
            if answer.status != 200:
                raise IssuerUnreachableError(f"{urlsplit(url).path} answers {answer.status}")
            return await _object(answer)

    async def post(self, url: str, form: Mapping[str, str], basic: tuple[str, Secret] | None) -> tuple[int, Json]:
        """Status and JSON object; `basic` is the client's id and secret where they go into a header."""
        headers = _HEADERS if basic is None else {**_HEADERS, "Authorization": _basic(*basic)}
        async with self._session.post(url, data=dict(form), headers=headers, allow_redirects=False) as answer:
            if 300 <= answer.status < 400 or answer.status >= 500:
                raise IssuerUnreachableError(f"{urlsplit(url).path} answers {answer.status}")
            return answer.status, await _object(answer)


def exchange(work: Callable[[IssuerCalls], Awaitable[Result]]) -> Result:
    """Do `work` within the deadline, from a thread without an event loop. Raises IssuerUnreachableError, and what `work` raises."""
    return asyncio.run(_exchange(work))


async def _exchange(work: Callable[[IssuerCalls], Awaitable[Result]]) -> Result:
    import aiohttp

    from opencto.core.outbound import open_session

    try:
        async with (
            asyncio.timeout(EXCHANGE_SECONDS),
            open_session(connections=4, total_seconds=EXCHANGE_SECONDS, auto_decompress=False) as session,
        ):
            return await work(IssuerCalls(session))
    except TimeoutError as error:
        raise IssuerUnreachableError("no answer in time") from error
    except (aiohttp.ClientError, OSError) as error:
        raise IssuerUnreachableError(type(error).__name__) from error
    except StartError as error:  # SSL_CERT_FILE names a file that is gone
        raise IssuerUnreachableError(str(error)) from error


async def _object(answer: "aiohttp.ClientResponse") -> Json:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise IssuerUnreachableError("the answer is packed, which was not asked for")
    content = bytearray()
    async for part in answer.content.iter_any():
        content += part
        if len(content) > ANSWER_BYTES:
            raise IssuerUnreachableError("the answer is too large")
    try:
        found: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise IssuerUnreachableError("the answer is not JSON") from error
    if not isinstance(found, dict):
        raise IssuerUnreachableError("the answer is not a JSON object")
    return cast("dict[str, Any]", found)


def _basic(client_id: str, secret: Secret) -> str:
    """RFC 6749, 2.3.1: both are form-encoded first, so that a colon in the id or a percent sign in the secret survives."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret.reveal())}"
    return f"Basic {b64encode(pair.encode()).decode()}"
