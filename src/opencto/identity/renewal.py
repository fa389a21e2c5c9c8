"""Going on after secrets were lost for good: what they protected is given up, everything else stays."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from opencto.core.keyring import Keyring
from opencto.identity import second_factor_repository
from opencto.identity.second_factor import CODES_PURPOSE, SECRET_PURPOSE
from opencto.identity.work import Desk

ANSWERS_PURPOSE = "idempotency"
AUDIT_PURPOSE = "audit-signing"
VAULT_PREFIX = "vault-"


@dataclass(frozen=True, slots=True)
class Given:
    """What was given up."""

    purposes: Sequence[str]
    second_factors: int

    def sentences(self) -> list[str]:
        """For the terminal, one for each thing that somebody has to do or to know."""
        told: list[str] = []
        if any(purpose.startswith(VAULT_PREFIX) for purpose in self.purposes):
            told.append("Stored OpenAI keys do not open any more. They show as `unreadable`: save them again.")
        if self.second_factors:
            told.append(
                f"The second factor of {'1 person' if self.second_factors == 1 else f'{self.second_factors} people'} is off. "
                "They sign in with the password and set it up anew."
            )
        if AUDIT_PURPOSE in self.purposes:
            told.append(
                "The audit trail is signed with a new key from here on; `opencto audit verify` names the place."
            )
        return told


def give_up(tx: Connection, keyring: Keyring, purposes: Sequence[str]) -> Given:
    """Forget lost keys and what is of no use without them."""
    factors = 0
    if {SECRET_PURPOSE, CODES_PURPOSE} & set(purposes):
        factors = second_factor_repository.turn_off_everywhere(tx)
    if ANSWERS_PURPOSE in purposes:
        Desk.forget_all(tx)
    keyring.forget(tx, purposes)
    return Given(purposes, factors)
