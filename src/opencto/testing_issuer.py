"""A strict OpenID Connect issuer for tests, on a real socket: it refuses whatever an honest issuer refuses (wrong client
secret, redirect address, PKCE verifier, a code used twice), signs with real keys, and misbehaves on request.
"""

import base64
import contextlib
import functools
import gzip
import hashlib
import hmac
import json
import secrets
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from joserfc import jwk, jwt

from opencto.core.clock import Clock, millis

Fault = Literal[
    "wrong nonce",
    "no nonce",
    "wrong audience",
    "second audience",
    "other issuer",
    "expired",
    "alg none",
    "hmac with the public key",
    "forged signature",
    "unknown key",
    "endless answer",
    "broken answer",
    "nested answer",
    "packed answer",
    "redirect",
    "server error",
    "slow headers",
    "slow body",
]
DRIP_SECONDS = 0.05


@dataclass(frozen=True)
class Somebody:
    """Who is signed in at the issuer."""

    subject: str = "subject-1"
    email: str | None = "grace@example.com"
    email_verified: object = True
    name: str | None = "Grace"


@dataclass
class _Grant:
    """What a code stands for until it is used."""

    redirect_uri: str
    challenge: str
    nonce: str
    who: Somebody


@functools.cache
def _first_key() -> jwk.RSAKey:
    """One for the process, since 2048 bits take 80 ms; `rotate_keys` makes another."""
    return jwk.RSAKey.generate_key(2048, {"use": "sig", "kid": "key-1"})


class FakeIssuer:
    """Use as a context manager. `url` is the issuer; `somebody` is who signs in; `fault` is what goes wrong, at the path
    `fault_at` alone where it is set. With `tls` it speaks HTTPS alone.
    """

    def __init__(
        self, clock: Clock, *, redirect_uri: str, name: str | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.client_id = "opencto client:1"
        self.client_secret = f"{secrets.token_urlsafe(12)}:&%"
        self.somebody = Somebody()
        self.fault: Fault | None = None
        self.fault_at: str | None = None
        self.stopped = threading.Event()
        self.email_in_userinfo_only = False
        self.requests: list[str] = []
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._grants: dict[str, _Grant] = {}
        self._access: dict[str, Somebody] = {}
        self._key = _first_key()
        handler = type("Handler", (_Handler,), {"issuer": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.socket_url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self._server.server_port}"
        self.url = name or self.socket_url
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> "FakeIssuer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def environ(self) -> dict[str, str]:
        """The settings of a server that trusts this issuer; the list of who may come in is the test's."""
        return {
            "OPENCTO_OIDC_ISSUER": self.url,
            "OPENCTO_OIDC_CLIENT_ID": self.client_id,
            "OPENCTO_OIDC_CLIENT_SECRET": self.client_secret,
        }

    def rotate_keys(self) -> None:
        """Sign with another key from now on; the old one is gone from the key set."""
        kid = f"key-{secrets.token_hex(4)}"
        self._key = jwk.RSAKey.generate_key(2048, {"use": "sig", "kid": kid})

    def authorize(self, query: Mapping[str, str]) -> str:
        """What the browser does at the issuer: the address that it is sent back to. Raises ValueError as an honest one refuses."""
        wanted = {"response_type": "code", "client_id": self.client_id, "redirect_uri": self._redirect_uri}
        if any(query.get(name) != value for name, value in wanted.items()):
            raise ValueError("unknown client or redirect address")
        if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
            raise ValueError("PKCE is missing")
        if "openid" not in query.get("scope", "").split() or not query.get("state") or not query.get("nonce"):
            raise ValueError("scope, state or nonce is missing")
        code = secrets.token_urlsafe(16)
        self._grants[code] = _Grant(query["redirect_uri"], query["code_challenge"], query["nonce"], self.somebody)
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.url})}"

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: str) -> tuple[int, Any, dict[str, str]]:
        """Status, JSON and headers for a request."""
        address = urlsplit(path)
        self.requests.append(f"{method} {address.path}")
        match method, address.path:
            case "GET", "/.well-known/openid-configuration":
                return 200, self._metadata(), {}
            case "GET", "/jwks":
                return 200, {"keys": [{"kty": "unknown"}, self._key.as_dict(private=False)]}, {}
            case "GET", "/authorize":
                try:
                    return 302, {}, {"Location": self.authorize(_single(address.query))}
                except ValueError as error:
                    return 400, {"error": str(error)}, {}
            case "POST", "/token":
                return self._token(headers, _single(body))
            case "GET", "/userinfo":
                who = self._access.get(headers.get("authorization", "").removeprefix("Bearer "))
                return (401, {}, {}) if who is None else (200, {"sub": who.subject, **_profile(who)}, {})
            case _:
                return 404, {}, {}

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            **{
                name: f"{self.url}/{path}"
                for name, path in (
                    ("authorization_endpoint", "authorize"),
                    ("token_endpoint", "token"),
                    ("jwks_uri", "jwks"),
                    ("userinfo_endpoint", "userinfo"),
                )
            },
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "authorization_response_iss_parameter_supported": True,
        }

    def _token(self, headers: Mapping[str, str], form: Mapping[str, str]) -> tuple[int, Any, dict[str, str]]:
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}".encode()
        if headers.get("authorization") != f"Basic {base64.b64encode(pair).decode()}":
            return 401, {"error": "invalid_client"}, {}
        grant = self._grants.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        is_right = (
            grant is not None
            and form.get("grant_type") == "authorization_code"
            and form.get("redirect_uri") == grant.redirect_uri
            and challenge == grant.challenge
        )
        if grant is None or not is_right:
            return 400, {"error": "invalid_grant"}, {}
        access = secrets.token_urlsafe(16)
        self._access[access] = grant.who
        answer = {"token_type": "Bearer", "access_token": access, "expires_in": 60, "id_token": self._id_token(grant)}
        return 200, answer, {}

    def _id_token(self, grant: _Grant) -> str:
        now = millis(self._clock.now()) // 1000
        claims: dict[str, Any] = {
            "iss": "https://evil.example" if self.fault == "other issuer" else self.url,
            "sub": grant.who.subject,
            "aud": self.client_id,
            "iat": now,
            "exp": now - 3600 if self.fault == "expired" else now + 300,
            "nonce": "another" if self.fault == "wrong nonce" else grant.nonce,
            **({} if self.email_in_userinfo_only else _profile(grant.who)),
        }
        if self.fault == "wrong audience":
            claims["aud"] = "somebody-else"
        if self.fault == "second audience":
            claims.update(aud=[self.client_id, "somebody-else"], azp="somebody-else")
        if self.fault == "no nonce":
            del claims["nonce"]
        return self._signed(claims)

    def _signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": "RS256", "kid": self._key.kid}
        match self.fault:
            case "alg none":
                parts = ({"alg": "none"}, claims)
                return ".".join(_base64(json.dumps(part).encode()) for part in parts) + "."
            case "hmac with the public key":
                text = ".".join(_base64(json.dumps(part).encode()) for part in ({**header, "alg": "HS256"}, claims))
                mac = hmac.new(self._key.as_pem(private=False), text.encode(), hashlib.sha256).digest()
                return f"{text}.{_base64(mac)}"
            case "forged signature":
                forger = jwk.RSAKey.generate_key(2048)
                return jwt.encode(header, claims, forger, ["RS256"])
            case "unknown key":
                return jwt.encode({**header, "kid": "nobody"}, claims, jwk.RSAKey.generate_key(2048), ["RS256"])
            case _:
                return jwt.encode(header, claims, self._key, ["RS256"])


class _Handler(BaseHTTPRequestHandler):
    issuer: FakeIssuer

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # a client that does not trust our certificate hangs up
            super().handle()

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, answer, extra = self.issuer.answer(method, self.path, headers, body)
        content = json.dumps(answer).encode()
        hits = self.issuer.fault_at in {None, urlsplit(self.path).path}
        fault = self.issuer.fault if hits else None
        match fault:
            case "endless answer":
                content = b" " * 3_000_000
            case "broken answer":
                content = b"<html>"
            case "nested answer":
                content = b"[" * 200_000
            case "packed answer":
                content, extra = gzip.compress(content), {"Content-Encoding": "gzip"}
            case "redirect":
                status, extra = 302, {"Location": self.issuer.url}
            case "server error":
                status = 503
            case "slow headers":
                content, extra = b"", {"X-Slow": "a" * 10_000}
            case "slow body":
                content = b" " * 10_000
            case _:
                pass
        try:
            self._send(status, content, extra, fault)
        except OSError:
            return  # the client had enough

    def _send(self, status: int, content: bytes, extra: Mapping[str, str], fault: Fault | None) -> None:
        lines = [f"HTTP/1.1 {status} Answer", "Content-Type: application/json", f"Content-Length: {len(content)}"]
        lines += [*(f"{name}: {value}" for name, value in extra.items()), "Connection: close"]
        for part, sent in (("headers", "\r\n".join([*lines, "", ""]).encode()), ("body", content)):
            if fault != f"slow {part}":
                self.wfile.write(sent)
                continue
            for byte in sent:
                self.wfile.write(bytes((byte,)))
                if self.issuer.stopped.wait(DRIP_SECONDS):
                    return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Quiet: tests look at `FakeIssuer.requests`."""


def _profile(who: Somebody) -> dict[str, Any]:
    said = {"email": who.email, "email_verified": who.email_verified, "name": who.name}
    return {name: value for name, value in said.items() if value is not None}


def _single(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
