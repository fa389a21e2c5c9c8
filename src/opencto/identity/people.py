"""People as those who run the server look after them: disable, enable, operator flag, delete.

What a person changes about themselves (name, password, second factor) belongs to sign-in.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from opencto.core.clock import Clock, from_millis, millis, moment_or_none
from opencto.core.problems import Conflict, Forbidden, NotFound
from opencto.identity import members_repository, people_admin_repository, people_repository, workspaces_repository
from opencto.identity.caller import Caller
from opencto.identity.members import LastOwner
from opencto.identity.paging import AnyRow, Asked
from opencto.identity.ports import AuditEvent, AuditTrail, Departure
from opencto.wire.base import Page
from opencto.wire.identity import Done, Membership, Person, PersonDetail, PersonUpdate, Role


class LastOperator(Conflict):
    code, title = "LAST_OPERATOR", "The server needs somebody who runs it"


class People:
    """The verbs. Each that writes holds the operators' rows first and looks at the rights of that moment."""

    def __init__(self, clock: Clock, audit: AuditTrail, departures: Sequence[Departure]) -> None:
        self._clock = clock
        self._audit = audit
        self._departures = departures

    def list(self, tx: Connection, asked: Asked) -> Page[Person]:
        rows, cursor = people_admin_repository.list_all(tx, asked)
        return Page(data=[Person.model_validate(_fields(row)) for row in rows], next_cursor=cursor)

    def get(self, tx: Connection, person_id: str) -> PersonDetail:
        row = people_admin_repository.find(tx, person_id)
        if row is None:
            raise NotFound
        return PersonDetail(**_fields(row), is_local_owner=row.is_local_owner, workspaces=memberships_of(tx, person_id))

    def change(self, tx: Connection, caller: Caller, person_id: str, body: PersonUpdate) -> PersonDetail:
        """Disable or enable, give or take the operator flag, vouch for the address.

        Raises LastOperator or LastOwner when the server or a workspace would be left without one.
        """
        operators, row = self._hold(tx, caller, person_id)
        disables = body.disabled is True and row.disabled_at is None
        if disables or (body.is_operator is False and row.is_operator):
            self._require_other_operator(operators, person_id)
        if disables:
            self._require_other_owners(tx, person_id)
        if body.is_operator is not None and body.is_operator != row.is_operator:
            people_admin_repository.set_operator(tx, person_id, body.is_operator)
            self._record(tx, caller, f"person.operator_{'given' if body.is_operator else 'taken'}", person_id)
        if body.email_verified is not None and body.email_verified != (row.email_verified_at is not None):
            self._vouch(tx, caller, row, body.email_verified)
        if disables:
            people_admin_repository.disable(tx, person_id, millis(self._clock.now()))
            self._record(tx, caller, "person.disabled", person_id)
        elif body.disabled is False and row.disabled_at is not None:
            people_admin_repository.enable(tx, person_id)
            self._record(tx, caller, "person.enabled", person_id)
        if row.is_local_owner and (disables or body.is_operator is False):
            self._hand_over(tx, caller, operators, person_id)
        return self.get(tx, person_id)

    def _vouch(self, tx: Connection, caller: Caller, row: AnyRow, is_verified: bool) -> None:
        if not is_verified:
            people_repository.doubt_email(tx, row.id)
        elif row.email is None:
            raise Conflict("This person has no e-mail address to vouch for.")
        else:
            people_repository.verify_email(tx, row.id, millis(self._clock.now()))
        self._record(tx, caller, f"person.email_{'verified' if is_verified else 'doubted'}", row.id)

    def delete(self, tx: Connection, caller: Caller, person_id: str) -> Done:
        """The person and what is theirs: sign-ins, tokens, memberships, invitations. The audit trail stays."""
        operators, row = self._hold(tx, caller, person_id)
        self._require_other_operator(operators, person_id)
        self._require_other_owners(tx, person_id)
        if row.is_local_owner:
            self._hand_over(tx, caller, operators, person_id)
        for departure in self._departures:
            departure.person_leaves(tx, person_id)
        people_admin_repository.remove(tx, person_id)
        self._record(tx, caller, "person.deleted", person_id, name=row.name)
        return Done()

    def _hold(self, tx: Connection, caller: Caller, person_id: str) -> tuple[Sequence[str], AnyRow]:
        """Lock those who run the server; then they, oldest first, and the person, as they are now."""
        operators = people_admin_repository.lock_operators(tx)
        if caller.person_id not in operators:
            raise Forbidden("Only the people who run this server may do this. Ask one of them.")
        row = people_admin_repository.find(tx, person_id)
        if row is None:
            raise NotFound
        return operators, row

    def _require_other_operator(self, operators: Sequence[str], person_id: str) -> None:
        if list(operators) == [person_id]:
            raise LastOperator("Nobody else runs this server. Make somebody else an operator first.")

    def _require_other_owners(self, tx: Connection, person_id: str) -> None:
        alone: list[str] = []
        for workspace in members_repository.owned_by(tx, person_id):
            workspaces_repository.lock(tx, workspace.id)
            still_owns = members_repository.find(tx, workspace.id, person_id)
            if still_owns is None or still_owns.role != Role.OWNER.value:
                continue
            if not members_repository.has_other_owner(tx, workspace.id, person_id):
                alone.append(workspace.name)
        if alone:
            raise LastOwner(
                f"This is the last owner of {', '.join(alone)}. Make somebody else an owner there, or take it over, first."
            )

    def _hand_over(self, tx: Connection, caller: Caller, operators: Sequence[str], person_id: str) -> None:
        heir = next(one for one in operators if one != person_id)
        people_admin_repository.set_local_owner(tx, heir)
        self._record(tx, caller, "person.local_owner_given", heir)

    def _record(self, tx: Connection, caller: Caller, action: str, person_id: str, **details: str) -> None:
        self._audit.record(tx, AuditEvent.by(caller, action, "person", person_id, **details))


def memberships_of(tx: Connection, person_id: str) -> list[Membership]:
    """The workspaces of a person, by name."""
    return [
        Membership(workspace_id=row.id, slug=row.slug, name=row.name, role=Role(row.role))
        for row in members_repository.of_person(tx, person_id)
    ]


def person_of(tx: Connection, person_id: str) -> Person:
    """Raises NotFound when nobody has this id."""
    row = people_admin_repository.find(tx, person_id)
    if row is None:
        raise NotFound
    return Person.model_validate(_fields(row))


def _fields(row: AnyRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "email": row.email,
        "email_verified": row.email_verified_at is not None,
        "is_operator": row.is_operator,
        "second_factor": row.totp_enabled_at is not None,
        "disabled_at": moment_or_none(row.disabled_at),
        "created_at": from_millis(row.created_at),
    }
