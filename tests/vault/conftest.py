"""Two workspaces, two people, a vault, and a checker that answers what it is told."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, insert

from opencto.core.database import Database
from opencto.core.keyring import Keyring
from opencto.core.secret import Secret
from opencto.core.settings import Settings
from opencto.identity.caller import Belongs, Caller, Origin, WorkspaceCaller
from opencto.identity.ports import AuditEvent
from opencto.identity.tables import memberships, people, workspaces
from opencto.testing import ManualClock
from opencto.vault.ports import OnBehalf
from opencto.vault.service import VaultService
from opencto.vault.wrapping import KeyringWrapper
from opencto.wire.identity import Role, Scope
from opencto.wire.keys import KeyProvider, KeyReport, KeySave, KeySaved, KeyScope

ORIGIN = Origin("127.0.0.1", "test", "req_test")


@dataclass
class Events:
    """The audit trail of a test."""

    recorded: list[AuditEvent] = field(default_factory=list[AuditEvent])

    def record(self, tx: Connection, event: AuditEvent) -> None:
        assert not tx.closed
        self.recorded.append(event)


@dataclass
class Verdict:
    """A provider that says of each key what the test wants."""

    valid: bool | None = True
    kind: str = "inference"
    asked: list[Secret] = field(default_factory=list[Secret])

    async def check(self, provider: KeyProvider, key: Secret, owner: OnBehalf) -> KeyReport:  # noqa: ARG002 - the port's shape
        self.asked.append(key)
        report = {
            "checked_at": datetime(2026, 11, 23, tzinfo=UTC),
            "valid": self.valid,
            "kind": self.kind,
            "models": 3,
            "realtime": True,
        }
        return KeyReport.model_validate({**report, "organization": None, "project": None, "problems": []})


@dataclass
class Vault:
    """What the tests of this room hold."""

    service: VaultService
    database: Database
    wrapper: KeyringWrapper
    events: Events
    verdict: Verdict

    async def save(
        self, who: WorkspaceCaller, key: str, scope: KeyScope = "user", provider: KeyProvider = KeyProvider.OPENAI
    ) -> KeySaved:
        body = KeySave(api_key=key, scope=scope)
        report = await self.service.examine(who, provider, body)
        self.service.prepare()
        with self.database.write() as tx:
            return self.service.save(tx, who, provider, body, report)


@pytest.fixture
def vault(database: Database, settings: Settings, clock: ManualClock) -> Vault:
    with database.write() as tx:
        for workspace in ("ws_a", "ws_b"):
            tx.execute(
                insert(workspaces).values(
                    id=workspace,
                    slug=workspace[-1] * 3,
                    name=workspace,
                    settings="{}",
                    settings_updated_at=0,
                    created_at=0,
                )
            )
        for person in ("usr_ada", "usr_ben"):
            tx.execute(
                insert(people).values(id=person, name=person, is_operator=False, is_local_owner=False, created_at=0)
            )
        for workspace, person in (("ws_a", "usr_ada"), ("ws_a", "usr_ben"), ("ws_b", "usr_ben")):
            tx.execute(
                insert(memberships).values(workspace_id=workspace, person_id=person, role="member", created_at=0)
            )
    keyring = Keyring(settings.data_dir / "secrets", settings.master_key, database, clock)
    wrapper, events, verdict = KeyringWrapper(keyring, database, clock), Events(), Verdict()
    return Vault(VaultService(database, clock, wrapper, events, verdict), database, wrapper, events, verdict)


def caller(person: str, workspace: str, role: Role = Role.MEMBER) -> WorkspaceCaller:
    """Somebody whose right in a workspace has been checked."""
    who = Caller(
        person,
        person,
        False,
        "session",
        "ses_1",
        frozenset({Scope.ALL}),
        None,
        (Belongs(workspace, workspace, role),),
        ORIGIN,
    )
    return who.in_workspace(workspace, role)


@pytest.fixture
def ada() -> WorkspaceCaller:
    return caller("usr_ada", "ws_a")


@pytest.fixture
def admin() -> WorkspaceCaller:
    return caller("usr_ben", "ws_a", Role.ADMIN)


@pytest.fixture
def ben_in_b() -> WorkspaceCaller:
    return caller("usr_ben", "ws_b")
