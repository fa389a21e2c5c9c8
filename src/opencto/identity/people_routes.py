"""People, for those who run the server."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from opencto.core.describe import fails_with
from opencto.identity import access
from opencto.identity.dependencies import Identity
from opencto.identity.guard import CurrentCaller, GuardedRoute
from opencto.identity.listing import SearchListing
from opencto.identity.members import LastOwner
from opencto.identity.people import LastOperator
from opencto.identity.work import Work
from opencto.wire.base import Page
from opencto.wire.identity import Done, Id, Person, PersonDetail, PersonUpdate, Scope

router = APIRouter(prefix="/api/v1/people", route_class=GuardedRoute, tags=["people"])

PersonId = Annotated[Id, Path(alias="usr", description="The person's id.")]


@router.get("")
@access.operator(Scope.PEOPLE_READ)
def list_people(services: Identity, asked: SearchListing) -> Page[Person]:
    """Everybody who has an account. Sort by name or createdAt."""
    with services.database.read() as tx:
        return services.people.list(tx, asked)


@router.get("/{usr}")
@access.operator(Scope.PEOPLE_READ)
def get_person(usr: PersonId, services: Identity) -> PersonDetail:
    """One person, with their workspaces."""
    with services.database.read() as tx:
        return services.people.get(tx, usr)


@router.patch("/{usr}", response_model=PersonDetail, responses=fails_with(LastOperator, LastOwner))
@access.operator(Scope.PEOPLE_WRITE)
def change_person(usr: PersonId, body: PersonUpdate, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """Disable or enable somebody, let them run the server, or vouch for their address."""
    return work.commit(body, lambda tx: services.people.change(tx, caller, usr, body))


@router.delete("/{usr}", response_model=Done, responses=fails_with(LastOperator, LastOwner))
@access.operator(Scope.PEOPLE_WRITE)
def delete_person(usr: PersonId, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """Delete somebody with what is theirs: sign-ins, tokens, memberships. There is no way back."""
    return work.commit(None, lambda tx: services.people.delete(tx, caller, usr))
