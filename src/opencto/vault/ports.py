"""What the vault needs from others; `app.py` hands it in."""

from dataclasses import dataclass
from typing import Protocol

from opencto.core.secret import Secret
from opencto.wire.keys import KeyProvider, KeyReport


@dataclass(frozen=True, slots=True)
class OnBehalf:
    """For whom a key is tried. `person_id` None: nobody in particular, it is the daily check of a shared key."""

    workspace_id: str
    person_id: str | None
    request_id: str
    key_id: str | None = None


class KeyChecker(Protocol):
    """Tries a key at the provider."""

    async def check(self, provider: KeyProvider, key: Secret, owner: OnBehalf) -> KeyReport:
        """The report card. Never raises for what the provider answers: an unreachable one is `valid: null`."""
        ...
