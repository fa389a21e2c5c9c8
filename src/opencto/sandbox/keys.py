"""Who asks: keys by their beginning, and the refusals of facts that OpenAI gives for each kind.

Some test words after `sk-` provoke a state on purpose, so that a program's handling of it can be tried by hand.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Literal

from starlette.requests import HTTPConnection

from opencto.core.secret import Secret
from opencto.sandbox import catalogue
from opencto.sandbox.config import InternalKeys
from opencto.sandbox.errors import ApiError, insufficient_quota, model_not_found, rate_limited

ORGANIZATION = "org-sandbox"
DEFAULT_PROJECT = "proj_sandbox"
TEST_WORDS = {
    "sk-revoked": "401 invalid_api_key, as a key that was deleted",
    "sk-restricted": "403 Missing scopes, as a restricted key that may do nothing",
    "sk-country": "403 unsupported_country_region_territory",
    "sk-norealtime": "no realtime models: not listed, and 403 model_not_found when minting",
    "sk-quota": "models work, everything else is 429 insufficient_quota",
    "sk-ratelimited": "models work, everything else is 429 rate_limit_exceeded with retry-after",
    "sk-admin-revoked": "401 invalid_api_key for usage and costs",
}
_MISSING = (
    "You have insufficient permissions for this operation. Missing scopes: {scope}. Check that you have the correct role in your organization "
    "(Reader, Writer, Owner) and project (Member, Owner), and if you're using a restricted API key, that it has the necessary scopes."
)


@dataclass(frozen=True, slots=True)
class Key:
    """An accepted key: never its text."""

    kind: Literal["inference", "admin"]
    id: str
    project_id: str
    test_word: str | None

    def allows(self, model: catalogue.Model) -> bool:
        return not (self.test_word == "sk-norealtime" and model.kind == "realtime")

    def require_working(self, model: str) -> None:
        """Raises what a key without money or without room gets when it makes the model work."""
        if self.test_word == "sk-quota":
            raise insufficient_quota()
        if self.test_word == "sk-ratelimited":
            raise rate_limited(model, "requests", 3, 3, 1, 20.0)

    def model(self, name: str, today: date, kind: catalogue.Kind) -> catalogue.Model | None:
        """The model if it is one of the kind; None if it lives but is of another kind. Raises ApiError."""
        model = catalogue.find(name, today)
        if model is None:
            raise model_not_found(name)
        if not self.allows(model):
            raise ApiError(
                403,
                f"Project `{self.project_id}` does not have access to model `{name}`",
                param="model",
                code="model_not_found",
            )
        return model if model.kind == kind else None


class Doorkeeper:
    """Reads the Authorization header."""

    def __init__(self, internal: InternalKeys | None) -> None:
        self._internal = internal

    def inference(self, request: HTTPConnection, scope: str = "model.request") -> Key:
        """The key of a call that makes a model work, or lists models. Raises ApiError."""
        return self._may_infer(self._key(request), scope)

    def of_socket(self, connection: HTTPConnection, value: str) -> Key:
        """The key that a Realtime socket brought, in whichever place. Raises ApiError."""
        return self._may_infer(self._accepted(connection, value), "model.request")

    def _may_infer(self, key: Key, scope: str) -> Key:
        if key.kind == "admin" or key.test_word == "sk-restricted":
            raise ApiError(403, _MISSING.format(scope=scope))
        return key

    def admin(self, request: HTTPConnection) -> Key:
        """The key of a call for usage or costs. Raises ApiError."""
        key = self._key(request)
        if key.kind != "admin":
            raise ApiError(401, _MISSING.format(scope="api.usage.read"))
        return key

    def _key(self, request: HTTPConnection) -> Key:
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        value = value.strip()
        if kind.lower() != "bearer" or not value:
            raise missing_key()
        return self._accepted(request, value)

    def _accepted(self, request: HTTPConnection, value: str) -> Key:
        word = next((word for word in TEST_WORDS if value.startswith(word)), None)
        if not self._is_taken(value) or word in {"sk-revoked", "sk-admin-revoked"}:
            raise wrong_key(value)
        if word == "sk-country":
            raise ApiError(
                403,
                "Country, region, or territory not supported",
                type="request_forbidden",
                code="unsupported_country_region_territory",
            )
        project = request.headers.get("openai-project") or DEFAULT_PROJECT
        request.state.sandbox_project = project
        return Key("admin" if value.startswith("sk-admin-") else "inference", key_id(value), project, word)

    def _is_taken(self, value: str) -> bool:
        if self._internal is not None:
            return Secret(value) in (self._internal.inference, self._internal.admin)
        return value.startswith("sk-") and len(value) > len("sk-")


def missing_key() -> ApiError:
    return ApiError(401, "Missing bearer or basic authentication in header")


def wrong_key(value: str) -> ApiError:
    return ApiError(
        401,
        f"Incorrect API key provided: {masked(value)}. You can find your API key at https://platform.openai.com/account/api-keys.",
        code="invalid_api_key",
    )


def key_id(value: str) -> str:
    """`key_…`: the same for the same key, and nothing that leads back to it."""
    return f"key_{hashlib.sha256(value.encode()).hexdigest()[:24]}"


def masked(value: str) -> str:
    """A key the way OpenAI shows it in its 401: its beginning and its last four characters. Others must not repeat it."""
    if len(value) < 16:
        return "*" * len(value)
    return f"{value[:8]}{'*' * (len(value) - 12)}{value[-4:]}"
