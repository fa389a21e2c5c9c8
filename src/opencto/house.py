"""What the application and the command line beside the data directory stand on: the services without a web server.

Nothing here imports the routes or FastAPI, so that a command answers soon.
"""

from dataclasses import dataclass, field
from functools import cached_property

from opencto.core.clock import Clock, SystemClock
from opencto.core.database import Database
from opencto.core.keyring import Keyring
from opencto.core.settings import Settings
from opencto.identity.authentication import Authenticator
from opencto.identity.services import IdentityServices, build_identity
from opencto.identity.workspace_settings import SettingsReader
from opencto.ledger.audit import AuditLog
from opencto.ledger.usage import Ledger
from opencto.limits.ports import Spent
from opencto.limits.service import Limits, Observer
from opencto.limits.services import build_limits
from opencto.live.feed import Feed
from opencto.live.trail import ToldTrail
from opencto.realtime.sessions import Sessions, SessionsLeave
from opencto.telemetry.health import HealthBoard
from opencto.vault.ports import KeyChecker
from opencto.vault.service import VaultService
from opencto.vault.wrapping import KeyringWrapper


@dataclass
class House:
    """What the application stands on, for `cli` and tests. Routes reach their services through dependencies instead."""

    settings: Settings
    database: Database
    clock: Clock
    keyring: Keyring
    health: HealthBoard = field(default_factory=HealthBoard)

    @cached_property
    def audit(self) -> AuditLog:
        """The audit trail. Its signing key is read, or made, at first use: touch it before you open a transaction."""
        return AuditLog(
            self.database,
            self.clock,
            self.keyring.key("audit-signing"),
            self.settings.data_dir / "audit",
            retention_days=self.settings.audit_retention_days,
        )

    @cached_property
    def live(self) -> Feed:
        """What changed, for the pages that watch."""
        return Feed(self.database, self.clock)

    @cached_property
    def trail(self) -> ToldTrail:
        """Where the services record what they do: the audit trail, and the live events that follow from it."""
        return ToldTrail(self.audit, self.live)


def open_house(settings: Settings, clock: Clock | None = None) -> House:
    """The ground floor without a web server: the command line stands on it too. The database must be migrated."""
    clock = clock or SystemClock()
    database = Database.from_settings(settings)
    keyring = Keyring(settings.data_dir / "secrets", settings.master_key, database, clock)
    return House(settings, database, clock, keyring)


def open_authenticator(house: House) -> Authenticator:
    """What checks credentials."""
    return Authenticator(
        house.database,
        house.clock,
        session_idle_hours=house.settings.session_idle_hours,
        csrf_key=house.keyring.key("session"),
    )


def open_identity(house: House, authenticator: Authenticator | None = None) -> IdentityServices:
    """The services of identity, for the application and for the command line beside the data directory."""
    return build_identity(
        house.settings,
        house.database,
        house.clock,
        house.keyring,
        authenticator or open_authenticator(house),
        house.trail,
        (SessionsLeave(),),
    )


def open_vault(house: House, checker: KeyChecker) -> VaultService:
    """The keys that people bring, for the application and for the command line beside the data directory."""
    wrapper = KeyringWrapper(house.keyring, house.database, house.clock)
    return VaultService(house.database, house.clock, wrapper, house.trail, checker)


def open_limits(house: House, ledger: Ledger, observe: Observer | None = None) -> Limits:
    """Rate limits and spend caps, for the application and for the command line beside the data directory."""
    return build_limits(house.settings, house.database, house.clock, house.trail, _Meter(ledger), observe)


def open_sessions(house: House, workspaces: SettingsReader) -> Sessions:
    """The records of voice sessions, for the application and for the command line beside the data directory."""
    return Sessions(house.settings, house.database, house.clock, workspaces, house.trail, house.live)


class _Meter:
    """The ledger as what the spend caps ask."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def spent_in(self, workspace_id: str, month: str) -> Spent:
        return Spent(*await self._ledger.spent_in(workspace_id, month))
