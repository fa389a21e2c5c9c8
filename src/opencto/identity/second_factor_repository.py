"""Every statement about the second factor: the sealed secret, the last used step, and recovery codes."""

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from opencto.identity.tables import people, recovery_codes


def set_pending(tx: Connection, person_id: str, sealed: bytes) -> bool:
    """Keep a secret that is not confirmed yet; False when the second factor is on."""
    changed = tx.execute(
        update(people)
        .where(people.c.id == person_id, people.c.totp_enabled_at.is_(None))
        .values(totp_secret=sealed, totp_last_step=None)
    )
    return changed.rowcount == 1


def turn_on(tx: Connection, person_id: str, sealed: bytes, now: int) -> bool:
    """False when it is on already, or the secret is not the one that was confirmed."""
    changed = tx.execute(
        update(people)
        .where(people.c.id == person_id, people.c.totp_enabled_at.is_(None), people.c.totp_secret == sealed)
        .values(totp_enabled_at=now)
    )
    return changed.rowcount == 1


def turn_off(tx: Connection, person_id: str) -> None:
    tx.execute(
        update(people)
        .where(people.c.id == person_id)
        .values(totp_secret=None, totp_enabled_at=None, totp_last_step=None)
    )
    tx.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))


def turn_off_everywhere(tx: Connection) -> int:
    """For the day the key that seals the secrets is lost; how many people had it on."""
    on = tx.execute(select(func.count()).where(people.c.totp_enabled_at.is_not(None))).scalar_one()
    tx.execute(update(people).values(totp_secret=None, totp_enabled_at=None, totp_last_step=None))
    tx.execute(delete(recovery_codes))
    return on


def use_step(tx: Connection, person_id: str, step: int) -> bool:
    """Whether this time step is later than the last one used; it is used now. Of two at once one gets True."""
    changed = tx.execute(
        update(people)
        .where(people.c.id == person_id, or_(people.c.totp_last_step.is_(None), people.c.totp_last_step < step))
        .values(totp_last_step=step)
    )
    return changed.rowcount == 1


def replace_recovery_codes(tx: Connection, person_id: str, hashes: list[bytes]) -> None:
    tx.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))
    tx.execute(insert(recovery_codes), [{"person_id": person_id, "code_hash": one, "used_at": None} for one in hashes])


def use_recovery_code(tx: Connection, person_id: str, code_hash: bytes, now: int) -> bool:
    """Whether the code was there and unused; it is used now. Of two at once one gets True."""
    changed = tx.execute(
        update(recovery_codes)
        .where(
            recovery_codes.c.person_id == person_id,
            recovery_codes.c.code_hash == code_hash,
            recovery_codes.c.used_at.is_(None),
        )
        .values(used_at=now)
    )
    return changed.rowcount == 1


def count_unused(tx: Connection, person_id: str) -> int:
    query = select(func.count()).where(recovery_codes.c.person_id == person_id, recovery_codes.c.used_at.is_(None))
    return tx.execute(query).scalar_one()
