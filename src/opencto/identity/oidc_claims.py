"""What comes of asking an issuer about somebody: claims that were checked, or a refusal."""

from dataclasses import dataclass


class TokenRefusedError(Exception):
    """The code or the token is not good. For the log: says which check failed, never what the issuer wrote."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What the issuer says of somebody, checked."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    name: str | None
