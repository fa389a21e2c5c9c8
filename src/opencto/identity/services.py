"""The services of identity, built once per application and reached by its routes through `Identity`."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from opencto.core.clock import Clock
from opencto.core.database import Database
from opencto.core.keyring import Keyring
from opencto.core.settings import Settings
from opencto.identity.authentication import Authenticator
from opencto.identity.ports import AuditTrail


@dataclass(frozen=True)
class IdentityServices:
    """What the routes and the command line call."""

    settings: Settings
    database: Database
    clock: Clock
    keyring: Keyring
    authenticator: Authenticator
    audit: AuditTrail


def build_identity(
    settings: Settings,
    database: Database,
    clock: Clock,
    keyring: Keyring,
    authenticator: Authenticator,
    audit: AuditTrail,
) -> IdentityServices:
    """Put the services together."""
    return IdentityServices(settings, database, clock, keyring, authenticator, audit)


def _identity(request: Request) -> IdentityServices:
    return request.app.state.identity


Identity = Annotated[IdentityServices, Depends(_identity)]
