"""What may go wrong while somebody signs in or takes the server."""

from typing import Any

from opencto.core.problems import Conflict, Invalid, RateLimited, Unauthenticated, Unavailable


class AlreadyClaimed(Conflict):
    code, title = "ALREADY_CLAIMED", "Somebody owns this server already"

    def __init__(self) -> None:
        super().__init__("This server has an owner. Sign in, or ask the owner for an invitation.")


class LinkRefused(Unauthenticated):
    code, title = "LINK_REFUSED", "This link does not work"

    @classmethod
    def claim(cls) -> "LinkRefused":
        return cls("This claim link is wrong, used or over. Run `opencto claim` on the server for a fresh one.")

    @classmethod
    def claim_elsewhere(cls) -> "LinkRefused":
        return cls(
            "This claim link works on the server's own machine only. Open it there, or run `opencto claim` for one that works from here."
        )

    @classmethod
    def reset(cls) -> "LinkRefused":
        return cls(
            "This reset link is wrong, used or over. Ask whoever runs the server for `opencto people reset-password`."
        )


class SignInRefused(Unauthenticated):
    """One and the same for an unknown address, a wrong password, a wrong code and a disabled person."""

    code, title = "SIGN_IN_REFUSED", "That did not match"

    def __init__(self) -> None:
        super().__init__("Address, password or code do not match. Try again, or ask for a reset link.")


class SecondFactorRequired(Unauthenticated):
    code, title = "SECOND_FACTOR_REQUIRED", "A code is needed too"

    def __init__(self) -> None:
        super().__init__("Send `code` too: the six digits of your authenticator app, or a recovery code.")


class ProofRefused(Invalid):
    """A signed-in person did not prove that it is them. 422 and not 401: the session itself is fine."""

    code, title = "PROOF_REFUSED", "That did not match"


class AccountChanged(Conflict):
    code, title = "ACCOUNT_CHANGED", "The account was changed at the same moment"

    def __init__(self) -> None:
        super().__init__("The account was changed at the same moment. Reload and try again.")


class SecondFactorOff(Conflict):
    code, title = "SECOND_FACTOR_OFF", "The second factor is not on"


class SecondFactorAlreadyOn(Conflict):
    code, title = "SECOND_FACTOR_ALREADY_ON", "The second factor is on already"


class PasswordNeeded(Conflict):
    code, title = "PASSWORD_NEEDED", "Set a password first"

    def __init__(self) -> None:
        super().__init__(
            "You sign in through single sign-on, whose own second factor counts. Set a password first to protect it with a code."
        )


class SignInBusy(Unavailable):
    code, title = "SIGN_IN_BUSY", "Too many sign-ins at once"

    def __init__(self) -> None:
        super().__init__("Too many people sign in at this moment. Try again shortly.", headers={"Retry-After": "2"})


class SignInSlowed(RateLimited):
    """Too many tries, by our own rule."""

    def __init__(self, detail: str, **extra: Any) -> None:
        seconds = extra.pop("retry_seconds")
        policy, limit = extra["rule"], extra["limit"]
        super().__init__(
            detail,
            headers={
                "Retry-After": str(seconds),
                "RateLimit-Policy": f'"{policy}";q={limit};w={extra.pop("window_seconds")}',
                "RateLimit": f'"{policy}";r=0;t={seconds}',
            },
            origin="opencto",
            **extra,
        )
