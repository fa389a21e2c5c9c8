"""What we ask of an OpenID Connect issuer: its metadata and keys (cached), the exchange of a code, and whether an ID
token is its own, fresh and meant for us. Who may come in is `oidc.py`'s business.

How it is asked (deadline, size, proxy, certificates) is said in `issuer_calls.py`. Authlib knows OAuth's parameters and
checks the claims; joserfc, to which Authlib delegates, checks signatures. Imported where an issuer is configured.
"""

import threading
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from joserfc import jwk, jwt
from joserfc.errors import BadSignatureError, ClaimError, JoseError
from pydantic import BaseModel, ValidationError

from opencto.core.clock import Clock, millis
from opencto.core.secret import Secret
from opencto.identity.issuer_calls import IssuerCalls, IssuerUnreachableError, exchange
from opencto.identity.oidc_claims import Claims, TokenRefusedError

METADATA_SECONDS = 3600
REFETCH_SECONDS = 30
"""An unknown key id fetches the keys anew, but not more often than this."""
LEEWAY_SECONDS = 60
# Public-key signatures alone: neither `none` nor an HMAC whose "secret" would be the public key.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]


class _Metadata(BaseModel):
    """The part of the discovery document that we use."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] | None = None
    authorization_response_iss_parameter_supported: bool = False


class Issuer:
    """One issuer, as configured. Thread-safe."""

    def __init__(self, url: str, client_id: str, client_secret: Secret, redirect_uri: str, clock: Clock) -> None:
        self._url = url
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._lock = threading.Lock()
        self._metadata: tuple[float, _Metadata] | None = None
        self._keys: tuple[float, list[jwk.Key]] | None = None

    def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where to send the browser. Raises IssuerUnreachableError."""
        from authlib.oauth2 import rfc7636
        from authlib.oauth2.rfc6749 import parameters

        metadata = self._known_metadata() or exchange(self._discover)
        return cast(Any, parameters).prepare_grant_uri(
            metadata.authorization_endpoint,
            self._client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope="openid email profile",
            state=state,
            nonce=nonce,
            code_challenge=cast(Any, rfc7636).create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )

    def claims(self, code: str, *, nonce: str, verifier: str, answered_by: str | None) -> Claims:
        """Exchange the code and check everything. `answered_by` is the `iss` of the redirect (RFC 9207) or None.

        Raises IssuerUnreachableError or TokenRefusedError.
        """
        return exchange(lambda calls: self._claims(calls, code, nonce, verifier, answered_by))

    async def _claims(
        self, calls: IssuerCalls, code: str, nonce: str, verifier: str, answered_by: str | None
    ) -> Claims:
        metadata = await self._discover(calls)
        if answered_by != metadata.issuer and (
            answered_by is not None or metadata.authorization_response_iss_parameter_supported
        ):
            raise TokenRefusedError("another issuer answered")
        token = await self._redeem(calls, metadata, code, verifier)
        id_token, access_token = token.get("id_token"), token.get("access_token")
        if not isinstance(id_token, str):
            raise TokenRefusedError("no ID token")
        access_token = access_token if isinstance(access_token, str) else None
        claims = await self._checked(calls, metadata, id_token, nonce, access_token)
        subject = claims["sub"]
        if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
            raise TokenRefusedError("the subject is not usable")
        if "email" not in claims and metadata.userinfo_endpoint is not None and access_token is not None:
            claims = await _user_info(calls, metadata.userinfo_endpoint, access_token, subject)
        email, name = claims.get("email"), claims.get("name")
        return Claims(
            metadata.issuer,
            subject,
            email if isinstance(email, str) else None,
            claims.get("email_verified") in (True, "true"),  # some issuers write it as text
            name if isinstance(name, str) else None,
        )

    async def _redeem(self, calls: IssuerCalls, metadata: _Metadata, code: str, verifier: str) -> Mapping[str, Any]:
        """What the token endpoint gives for the code."""
        supported = metadata.token_endpoint_auth_methods_supported or ["client_secret_basic"]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": self._redirect_uri,
        }
        basic = (self._client_id, self._client_secret)
        if "client_secret_basic" not in supported:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret.reveal()}
            basic = None
        status, answer = await calls.post(metadata.token_endpoint, form, basic)
        if status != 200 or "error" in answer:
            raise TokenRefusedError("the issuer refused the code")
        return answer

    async def _checked(
        self, calls: IssuerCalls, metadata: _Metadata, id_token: str, nonce: str, access_token: str | None
    ) -> Mapping[str, Any]:
        from authlib.oidc.core import CodeIDToken

        token = await self._verified(calls, metadata, id_token)
        options = {
            "iss": {"essential": True, "value": metadata.issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        params = {"nonce": nonce, "client_id": self._client_id, "access_token": access_token}
        checker = cast(Any, CodeIDToken)(token.claims, token.header, options, params)
        try:
            checker.validate(now=millis(self._clock.now()) // 1000, leeway=LEEWAY_SECONDS)
        except ClaimError as error:
            raise TokenRefusedError(f"claim {error.claim}: {error.error}") from error
        return token.claims

    async def _verified(self, calls: IssuerCalls, metadata: _Metadata, id_token: str) -> jwt.Token:
        """The token, whose signature is by a key of the issuer; a key that is new there is fetched."""
        for may_fetch in (False, True):
            for key in await self._signing_keys(calls, metadata, fetch=may_fetch):
                try:
                    token = jwt.decode(id_token, key, algorithms=ALGORITHMS)
                except BadSignatureError:
                    continue
                except (JoseError, ValueError) as error:
                    if isinstance(error, JoseError) and error.error in _KEY_MISFITS:
                        continue
                    raise TokenRefusedError(f"ID token: {type(error).__name__}") from error
                kid = token.header.get("kid")
                if kid is None or key.kid is None or kid == key.kid:
                    return token
        raise TokenRefusedError("no key of the issuer made this signature")

    async def _signing_keys(self, calls: IssuerCalls, metadata: _Metadata, *, fetch: bool) -> list[jwk.Key]:
        now = self._clock.monotonic()
        with self._lock:
            cached = self._keys
        if cached is not None and now - cached[0] < (REFETCH_SECONDS if fetch else METADATA_SECONDS):
            return cached[1]
        found = (await calls.get(metadata.jwks_uri)).get("keys")
        if not isinstance(found, list):
            raise IssuerUnreachableError("the key set is not one")
        keys = [key for key in map(_public_key, cast("list[Any]", found)) if key is not None]
        with self._lock:
            self._keys = (now, keys)
        return keys

    def _known_metadata(self) -> _Metadata | None:
        with self._lock:
            cached = self._metadata
        is_fresh = cached is not None and self._clock.monotonic() - cached[0] < METADATA_SECONDS
        return cached[1] if cached is not None and is_fresh else None

    async def _discover(self, calls: IssuerCalls) -> _Metadata:
        known, now = self._known_metadata(), self._clock.monotonic()
        if known is not None:
            return known
        document = await calls.get(f"{self._url}/.well-known/openid-configuration")
        try:
            metadata = _Metadata.model_validate(document)
        except ValidationError as error:
            raise IssuerUnreachableError("the discovery document lacks a field") from error
        if metadata.issuer.rstrip("/") != self._url:
            raise IssuerUnreachableError("the discovery document is another issuer's")
        scheme = urlsplit(self._url).scheme
        endpoints = [metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri]
        if metadata.userinfo_endpoint is not None:
            endpoints.append(metadata.userinfo_endpoint)
        if any(urlsplit(one).scheme not in {scheme, "https"} for one in endpoints):
            raise IssuerUnreachableError("an endpoint of the issuer is less protected than the issuer")
        with self._lock:
            self._metadata = (now, metadata)
        return metadata


async def _user_info(calls: IssuerCalls, url: str, access_token: str, subject: str) -> Mapping[str, Any]:
    claims = await calls.get(url, {"Authorization": f"Bearer {access_token}"})
    if claims.get("sub") != subject:
        raise TokenRefusedError("the user information is somebody else's")
    return claims


_KEY_MISFITS = frozenset(
    {"invalid_key_type", "invalid_key_length", "unsupported_key_algorithm", "unsupported_key_use", "invalid_key_curve"}
)
"""joserfc's words for a key of another sort than the token's: the next one may fit."""


def _public_key(item: Any) -> jwk.Key | None:
    """A key for checking signatures, None for any other sort."""
    if not isinstance(item, dict):
        return None
    fields = cast("dict[str, Any]", item)
    if fields.get("kty") not in {"RSA", "EC", "OKP"} or fields.get("use", "sig") != "sig":
        return None
    try:
        return jwk.import_key(fields)
    except (JoseError, ValueError):
        return None
