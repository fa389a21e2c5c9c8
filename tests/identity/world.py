"""A small world for tests: two workspaces, people of every role, each with a token and a signed-in browser.

    world = build_world(app)
    await client.get("/api/v1/workspaces", headers=world.vic.bearer)

acme: ada (owner, runs the server, owns the machine), ben (admin), carol (member), vic (viewer), dora (member, disabled).
beta: zoe (owner), yan (member). Nobody is in both.
"""

from dataclasses import dataclass

from fastapi import FastAPI
from sqlalchemy import Connection, Table, insert, update

from opencto.core.clock import Clock, millis
from opencto.core.ids import new_id
from opencto.core.secret import Secret, digest
from opencto.house import House
from opencto.identity.authentication import SESSION_COOKIE, Authenticator
from opencto.identity.tables import api_tokens, memberships, people, sessions, workspaces
from opencto.identity.tokens import hint, new_secret
from opencto.wire.identity import Role, Scope

DAY = 86_400_000
PASSWORD_HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$nobody-can-sign-in-with-this"


@dataclass(frozen=True)
class Actor:
    """A person, with a token of the scope `all` and a browser session."""

    id: str
    name: str
    email: str
    token: str
    token_id: str
    cookie: str
    session_id: str
    csrf: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def cookie_alone(self) -> dict[str, str]:
        """The browser's cookie without the CSRF token."""
        return {"Cookie": f"{SESSION_COOKIE}={self.cookie}"}

    @property
    def browser(self) -> dict[str, str]:
        return {**self.cookie_alone, "X-CSRF-Token": self.csrf}


@dataclass(frozen=True)
class Room:
    """A workspace."""

    id: str
    slug: str


class Rows:
    """Rows that are written together, table by table: each statement is compiled anew in the database of every test."""

    def __init__(self) -> None:
        self._of: dict[Table, list[dict[str, object]]] = {}

    def add(self, table: Table, row: dict[str, object]) -> None:
        self._of.setdefault(table, []).append(row)

    def write(self, tx: Connection) -> None:
        for table, rows in self._of.items():
            tx.execute(insert(table), rows)


def _add(to: Connection | Rows, table: Table, **row: object) -> None:
    if isinstance(to, Rows):
        to.add(table, row)
    else:
        to.execute(insert(table).values(**row))


class World:
    """Everybody and everything; `token()` makes more."""

    def __init__(self, house: House, authenticator: Authenticator) -> None:
        self.house = house
        self.clock: Clock = house.clock
        self._authenticator = authenticator
        rows = Rows()
        self.acme = self.workspace(rows, "acme")
        self.beta = self.workspace(rows, "beta")
        self.ada = self.person(rows, "Ada", self.acme, Role.OWNER, operator=True)
        self.ben = self.person(rows, "Ben", self.acme, Role.ADMIN)
        self.carol = self.person(rows, "Carol", self.acme, Role.MEMBER)
        self.vic = self.person(rows, "Vic", self.acme, Role.VIEWER)
        self.dora = self.person(rows, "Dora", self.acme, Role.MEMBER)
        self.zoe = self.person(rows, "Zoe", self.beta, Role.OWNER)
        self.yan = self.person(rows, "Yan", self.beta, Role.MEMBER)
        with house.database.write() as tx:
            rows.write(tx)
            tx.execute(update(people).where(people.c.id == self.ada.id).values(is_local_owner=True))
            tx.execute(update(people).where(people.c.id == self.dora.id).values(disabled_at=self.now))

    @property
    def now(self) -> int:
        return millis(self.clock.now())

    def workspace(self, tx: Connection | Rows, slug: str) -> Room:
        room = Room(new_id("ws"), slug)
        _add(
            tx,
            workspaces,
            id=room.id,
            slug=slug,
            name=slug.title(),
            settings="{}",
            settings_updated_at=self.now,
            created_at=self.now,
        )
        return room

    def person(
        self, tx: Connection | Rows, name: str, room: Room | None, role: Role = Role.MEMBER, *, operator: bool = False
    ) -> Actor:
        person_id, email = new_id("usr"), f"{name.lower()}@example.com"
        _add(
            tx,
            people,
            id=person_id,
            name=name,
            email=email,
            email_key=email,
            password_hash=PASSWORD_HASH,
            is_operator=operator,
            is_local_owner=False,
            created_at=self.now,
        )
        if room is not None:
            self.join(tx, person_id, room, role)
        token, token_id = self.token(tx, person_id)
        cookie, session_id = new_secret("octo_session").reveal(), new_id("ses")
        _add(
            tx,
            sessions,
            id=session_id,
            secret_hash=digest(cookie),
            person_id=person_id,
            created_at=self.now,
            last_seen_at=self.now,
            expires_at=self.now + 30 * DAY,
            address="127.0.0.1",
            user_agent="test",
        )
        csrf = self._authenticator.csrf_token(session_id)
        return Actor(person_id, name, email, token, token_id, cookie, session_id, csrf)

    def join(self, tx: Connection | Rows, person_id: str, room: Room, role: Role) -> None:
        _add(tx, memberships, workspace_id=room.id, person_id=person_id, role=role.value, created_at=self.now)

    def token(
        self,
        tx: Connection | Rows,
        person_id: str,
        *scopes: Scope,
        room: Room | None = None,
        expires_at: int | None = None,
        revoked: bool = False,
    ) -> tuple[str, str]:
        """(token, its id); without scopes it has them all."""
        secret, token_id = new_secret("octo"), new_id("tok")
        _add(
            tx,
            api_tokens,
            id=token_id,
            secret_hash=digest(secret.reveal()),
            kind="api",
            name="test",
            hint=hint(secret),
            person_id=person_id,
            workspace_id=room.id if room else None,
            scopes=" ".join(sorted(scopes or (Scope.ALL,))),
            created_at=self.now,
            expires_at=expires_at,
            revoked_at=self.now if revoked else None,
        )
        return secret.reveal(), token_id

    def bearer(
        self,
        actor: Actor,
        *scopes: Scope,
        room: Room | None = None,
        expires_at: int | None = None,
        revoked: bool = False,
    ) -> dict[str, str]:
        """The header of a fresh token of this person."""
        with self.house.database.write() as tx:
            token, _ = self.token(tx, actor.id, *scopes, room=room, expires_at=expires_at, revoked=revoked)
        return {"Authorization": f"Bearer {token}"}

    def secrets(self) -> list[Secret]:
        """Every secret in it, to look for in places where none may be."""
        everybody = (self.ada, self.ben, self.carol, self.vic, self.dora, self.zoe, self.yan)
        return [Secret(value) for one in everybody for value in (one.token, one.cookie)]


def build_world(app: FastAPI) -> World:
    return World(app.state.house, app.state.gatekeeper.authenticator)
