"""What a person looks after in their own account besides the password: recovery codes and linked identities."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from opencto.core.describe import fails_with
from opencto.identity import access
from opencto.identity.dependencies import Identity
from opencto.identity.errors import ProofRefused, SignInSlowed
from opencto.identity.guard import CurrentCaller, GuardedRoute
from opencto.identity.oidc_identities import LastWayIn
from opencto.identity.work import Work
from opencto.wire.base import Page
from opencto.wire.identity import Done, FactorProof, Id, LinkedIdentity, SecondFactorOn, SecondFactorState

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/auth", tags=["sign-in"])


@router.get("/second-factor")
@access.signed_in(session_only=True)
def show_second_factor(caller: CurrentCaller, services: Identity) -> SecondFactorState:
    """Whether it is on, and how many recovery codes are left."""
    with services.database.read() as tx:
        return services.second_factor.state(tx, caller)


@router.post(
    "/second-factor/recovery-codes", response_model=SecondFactorOn, responses=fails_with(SignInSlowed, ProofRefused)
)
@access.signed_in(session_only=True)
def renew_recovery_codes(body: FactorProof, caller: CurrentCaller, work: Work, services: Identity) -> Response:
    """Ten fresh recovery codes, shown this once; the old ones stop. Send your password, or a code of the app."""
    before = work.remembered(body)
    if before is not None:
        return before
    services.sign_in.prove_either(caller, body)
    return work.commit(body, lambda tx: services.second_factor.renew_recovery_codes(tx, caller))


@router.get("/identities")
@access.signed_in(session_only=True)
def list_identities(caller: CurrentCaller, services: Identity) -> Page[LinkedIdentity]:
    """Your identities at the single sign-on issuer."""
    with services.database.read() as tx:
        return services.oidc_identities.list(tx, caller)


@router.delete("/identities/{identity}", response_model=Done, responses=fails_with(LastWayIn))
@access.signed_in(session_only=True)
def unlink_identity(
    identity: Annotated[Id, Path(description="Its id in the list.")],
    caller: CurrentCaller,
    work: Work,
    services: Identity,
) -> Response:
    """Unlink one; signing in with it does not lead to this account any more. The last way to sign in stays."""
    return work.commit(None, lambda tx: services.oidc_identities.unlink(tx, caller, identity))
