"""The cookie of a browser that has signed in before. It grants nothing: it chooses a bucket of its own in the throttle
(OWASP calls the idea device cookies), so that a stranger's attack on an account never keeps its owner out.
"""

import hashlib
import hmac
import secrets

from opencto.core.clock import Clock, millis

DEVICE_COOKIE = "opencto_device"
DEVICE_DAYS = 365


class Devices:
    """Makes and checks the cookies: `v1.person.random.expiry.mac`."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def issue(self, person_id: str) -> str:
        expires = millis(self._clock.now()) // 1000 + DEVICE_DAYS * 86_400
        body = f"v1.{person_id}.{secrets.token_hex(16)}.{expires}"
        return f"{body}.{self._mac(body)}"

    def recognise(self, presented: str | None, person_id: str | None) -> str | None:
        """The name of the device when it has signed this person in before, else None."""
        if presented is None or person_id is None or len(presented) > 300 or not presented.isascii():
            return None
        body, _, mac = presented.rpartition(".")
        if not hmac.compare_digest(self._mac(body).encode(), mac.encode()):
            return None
        _, owner, name, expires = body.split(".")
        is_over = int(expires) <= millis(self._clock.now()) // 1000
        return None if owner != person_id or is_over else f"{owner}.{name}"

    def _mac(self, body: str) -> str:
        return hmac.new(self._key, b"device\x00" + body.encode(), hashlib.sha256).hexdigest()
