"""The services of identity, built once per application and reached by its routes through `dependencies.Identity`."""

from collections.abc import Sequence
from dataclasses import dataclass

from opencto.core.clock import Clock
from opencto.core.database import Database
from opencto.core.keyring import Keyring
from opencto.core.settings import Settings
from opencto.identity.api_tokens import ApiTokens
from opencto.identity.authentication import Authenticator
from opencto.identity.claim import ClaimService
from opencto.identity.devices import Devices
from opencto.identity.hashing import Hashing
from opencto.identity.invitations import Invitations
from opencto.identity.members import Members
from opencto.identity.oidc import Oidc
from opencto.identity.oidc_identities import OidcIdentities
from opencto.identity.passwords import PasswordService
from opencto.identity.people import People
from opencto.identity.ports import AuditTrail, Departure
from opencto.identity.prune import Housekeeping
from opencto.identity.refusals import Refusals
from opencto.identity.second_factor import CODES_PURPOSE, SECRET_PURPOSE, SecondFactor
from opencto.identity.sessions import Sessions
from opencto.identity.signin import SignIn
from opencto.identity.throttle import Throttle
from opencto.identity.workspace_settings import SettingsReader
from opencto.identity.workspaces import Workspaces


@dataclass(frozen=True)
class IdentityServices:
    """What the routes and the command line call."""

    settings: Settings
    database: Database
    clock: Clock
    keyring: Keyring
    authenticator: Authenticator
    audit: AuditTrail
    workspaces: Workspaces
    settings_reader: SettingsReader
    members: Members
    people: People
    invitations: Invitations
    tokens: ApiTokens
    claims: ClaimService
    passwords: PasswordService
    sessions: Sessions
    second_factor: SecondFactor
    sign_in: SignIn
    oidc: Oidc
    oidc_identities: OidcIdentities
    housekeeping: Housekeeping


def build_identity(
    settings: Settings,
    database: Database,
    clock: Clock,
    keyring: Keyring,
    authenticator: Authenticator,
    audit: AuditTrail,
    departures: Sequence[Departure] = (),
) -> IdentityServices:
    """Put the services together. `departures` are told before a workspace or a person is deleted."""
    hashing = Hashing()
    throttle, devices = Throttle(keyring.key("sign-in-attempts"), clock), Devices(keyring.key("device-cookie"), clock)
    refusals = Refusals(database, clock, audit)
    claims, passwords = ClaimService(settings, clock), PasswordService(settings, clock, audit)
    sessions = Sessions(settings, database, clock, authenticator, audit)
    second_factor = SecondFactor(keyring.key(SECRET_PURPOSE), keyring.key(CODES_PURPOSE), clock, audit)
    operators_pin = settings.openai_admin_key is not None and not settings.byok_only
    workspaces = Workspaces(clock, audit, departures, operators_pin=operators_pin)
    return IdentityServices(
        settings=settings,
        database=database,
        clock=clock,
        keyring=keyring,
        authenticator=authenticator,
        audit=audit,
        workspaces=workspaces,
        settings_reader=SettingsReader(database, clock, workspaces),
        members=Members(clock, audit),
        people=People(clock, audit, departures),
        invitations=Invitations(database, clock, audit, settings.origin, hashing, sessions),
        tokens=ApiTokens(clock, audit),
        claims=claims,
        passwords=passwords,
        sessions=sessions,
        second_factor=second_factor,
        sign_in=SignIn(
            database, throttle, devices, hashing, sessions, second_factor, claims, passwords, refusals, audit
        ),
        oidc=Oidc(settings, database, clock, keyring.key("oidc-cookie"), sessions, throttle, devices, refusals, audit),
        oidc_identities=OidcIdentities(settings, audit),
        housekeeping=Housekeeping(database, clock, refusals, throttle, sessions),
    )
