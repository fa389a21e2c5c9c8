"""Slows guessing without locking people out.

Each try takes a place in a few buckets (GCRA: a burst, then one place every so often). A bucket is a keyed hash of
what it counts, cut to 16 bits, so no flood of invented addresses makes the table larger than `KINDS` x 65,536 rows; two
things that share a bucket share its limit, which is why the limits are generous. A browser that has signed in before
carries a signed cookie and has a bucket of its own: whoever attacks the account from elsewhere, even through the same
address, fills other buckets. A try that is refused takes no place, so an attack cannot move the moment of relief.
"""

import hashlib
import hmac
import math
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import ip_address, ip_network

from sqlalchemy import Connection, bindparam, delete, select, text, update

from opencto.core.clock import Clock, from_millis, millis
from opencto.identity.errors import SignInSlowed
from opencto.identity.tables import sign_in_attempts


class Kind(IntEnum):
    """What a bucket counts. The numbers are the upper bits of the stored bucket: never reuse one."""

    ACCOUNT_FROM_NETWORK = 0
    ADDRESS = 1
    ACCOUNT = 2
    DEVICE = 3
    SECOND_FACTOR = 4
    LINK = 5
    PROOF = 6


KINDS = len(Kind)


@dataclass(frozen=True, slots=True)
class Rule:
    """`burst` places at once, then one more every `every_seconds`."""

    burst: int
    every_seconds: int
    scope: str


RULES = {
    Kind.ACCOUNT_FROM_NETWORK: Rule(10, 60, "account and network"),
    Kind.ADDRESS: Rule(30, 10, "address"),
    Kind.ACCOUNT: Rule(100, 30, "account"),
    Kind.DEVICE: Rule(20, 60, "browser"),
    Kind.SECOND_FACTOR: Rule(10, 600, "second factor"),
    Kind.LINK: Rule(30, 10, "address"),
    Kind.PROOF: Rule(10, 60, "account"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """One bucket that a try must find room in."""

    bucket: int
    kind: Kind


# The clock may have been set back: a time that no try can have written counts as empty, or people would wait for a day.
_TAKE = text(
    """
    INSERT INTO sign_in_attempts (bucket, free_at) VALUES (:bucket, :now + :every)
    ON CONFLICT (bucket) DO UPDATE SET free_at = :every +
        CASE WHEN sign_in_attempts.free_at <= :now OR sign_in_attempts.free_at > :now + :room THEN :now
             ELSE sign_in_attempts.free_at END
    WHERE sign_in_attempts.free_at <= :now + :room - :every OR sign_in_attempts.free_at > :now + :room
    RETURNING bucket
    """
).bindparams(
    bindparam("now", type_=sign_in_attempts.c.free_at.type),
    bindparam("every", type_=sign_in_attempts.c.free_at.type),
    bindparam("room", type_=sign_in_attempts.c.free_at.type),
)


class Throttle:
    """The buckets. Thread-safe, and exact over processes: one atomic statement a bucket."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def for_sign_in(self, account: str, address: str, device: str | None) -> list[Place]:
        """Where a password try counts. `account` is what was typed, known here or not; `device` a proven one or None."""
        if device is not None:
            return [self._place(Kind.DEVICE, device)]
        return [
            self._place(Kind.ACCOUNT_FROM_NETWORK, f"{account}\x00{network(address)}"),
            self._place(Kind.ADDRESS, host(address)),
            self._place(Kind.ACCOUNT, account),
        ]

    def for_second_factor(self, person_id: str, device: str | None) -> list[Place]:
        """Where a code counts, after the password was right."""
        return [self._place(Kind.SECOND_FACTOR, f"{person_id}\x00{device or ''}")]

    def for_link(self, address: str) -> list[Place]:
        """Where the use of a claim, reset or invitation link counts, and the return from single sign-on."""
        return [self._place(Kind.LINK, host(address))]

    def for_proof(self, person_id: str) -> list[Place]:
        """Where a signed-in person's password or code counts when it is asked for again."""
        return [self._place(Kind.PROOF, person_id)]

    def take(self, tx: Connection, places: list[Place]) -> None:
        """Take a place in every bucket. Raises SignInSlowed when one is full; roll back then, so that none is taken."""
        now = millis(self._clock.now())
        for place in sorted(places, key=lambda one: one.bucket):  # one order for all, so that two never wait in a ring
            rule = RULES[place.kind]
            every = rule.every_seconds * 1000
            values = {"bucket": place.bucket, "now": now, "every": every, "room": every * rule.burst}
            if tx.execute(_TAKE, values).first() is None:
                raise self._slowed(tx, place, now)

    def give_back(self, tx: Connection, places: list[Place]) -> None:
        """A try that was right does not count."""
        for place in sorted(places, key=lambda one: one.bucket):
            column = sign_in_attempts.c
            tx.execute(
                update(sign_in_attempts)
                .where(column.bucket == place.bucket)
                .values(free_at=column.free_at - RULES[place.kind].every_seconds * 1000)
            )

    def forget_old(self, tx: Connection) -> None:
        """Drop the buckets that are empty again."""
        now = millis(self._clock.now())
        longest = max(rule.burst * rule.every_seconds for rule in RULES.values()) * 1000
        column = sign_in_attempts.c.free_at
        tx.execute(delete(sign_in_attempts).where((column <= now) | (column > now + longest)))

    def _place(self, kind: Kind, what: str) -> Place:
        mac = hmac.new(self._key, bytes([kind]) + what.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        return Place((kind << 16) | int.from_bytes(mac[:2], "big"), kind)

    def _slowed(self, tx: Connection, place: Place, now: int) -> SignInSlowed:
        rule = RULES[place.kind]
        free_at = tx.execute(
            select(sign_in_attempts.c.free_at).where(sign_in_attempts.c.bucket == place.bucket)
        ).scalar_one()
        every = rule.every_seconds * 1000
        opens = max(now + 1, free_at + every - rule.burst * every)
        seconds = math.ceil((opens - now) / 1000)
        return SignInSlowed(
            f"Too many tries for this {rule.scope}. Wait {seconds} seconds; a browser that has signed in before has tries of its own.",
            rule="sign_in",
            scope=rule.scope,
            limit=rule.burst,
            used=rule.burst,
            resetsAt=from_millis(opens).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            retry_seconds=seconds,
            window_seconds=rule.burst * rule.every_seconds,
        )


def network(address: str) -> str:
    """The neighbourhood of an address: /24 or /64; an unreadable address is its own."""
    return _prefix(address, 24)


def host(address: str) -> str:
    """One subscriber: an IPv4 address, or the /64 that a household gets."""
    return _prefix(address, 32)


def _prefix(address: str, bits_of_v4: int) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, bits_of_v4 if parsed.version == 4 else 64), strict=False))
