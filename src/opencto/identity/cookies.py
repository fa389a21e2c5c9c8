"""How a secret is left in a browser: unreadable for scripts, never sent along from another site's form."""

from fastapi import Response

from opencto.core.settings import Settings


def keep_cookie(response: Response, name: str, value: str, seconds: int, settings: Settings, path: str = "/") -> None:
    """`seconds` is how long the browser keeps it. Over HTTPS it goes over HTTPS alone."""
    response.set_cookie(
        name, value, max_age=seconds, path=path, secure=settings.cookie_secure, httponly=True, samesite="lax"
    )
