"""The first start and the claim: the local owner is there before anybody signs in, and whoever opens the claim link
becomes that very person. So the command line on the machine and the claimant act as one.
"""

from sqlalchemy import Connection

from opencto.core.clock import Clock, millis
from opencto.core.secret import digest
from opencto.core.settings import Settings
from opencto.identity import links_repository, people_repository
from opencto.identity.errors import AlreadyClaimed, LinkRefused
from opencto.identity.tokens import is_well_formed, new_secret
from opencto.identity.workspaces import DEFAULT_SLUG
from opencto.wire.identity import Role

CLAIM_HOURS = 24
LOCAL_OWNER_NAME = "Local owner"


class ClaimService:
    """The verbs."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def ensure_first_person(self, tx: Connection) -> None:
        """The workspace `default` and its local owner, when this database has nobody yet. Safe to call at every start."""
        if people_repository.is_anybody_here(tx):
            return
        now = millis(self._clock.now())
        workspace_id = people_repository.ensure_workspace(
            tx, DEFAULT_SLUG, "Default", now
        )  # of two nodes that start together the second one waits here
        if people_repository.is_anybody_here(tx):
            return
        person_id = people_repository.insert_person(
            tx, name=LOCAL_OWNER_NAME, email=None, now=now, is_operator=True, is_local_owner=True
        )
        people_repository.insert_membership(tx, workspace_id, person_id, Role.OWNER.value, now)

    def is_claimed(self, tx: Connection) -> bool:
        return people_repository.has_owner(tx)

    def new_link(self, tx: Connection, *, anywhere: bool) -> str:
        """A claim link for 24 hours; older ones stop. Secret: show it to the person at the machine and log it nowhere.

        Without `anywhere` it works from loopback alone. Raises AlreadyClaimed.
        """
        owner = people_repository.find_local_owner(tx)
        if owner is None or self.is_claimed(tx):
            raise AlreadyClaimed
        secret, now = new_secret("octo_claim"), millis(self._clock.now())
        links_repository.replace_link(
            tx,
            secret_hash=digest(secret.reveal()),
            purpose="claim",
            person_id=owner.id,
            anywhere=anywhere,
            drops_second_factor=False,
            now=now,
            expires_at=now + CLAIM_HOURS * 3_600_000,
        )
        return f"{self._settings.origin}/claim#{secret.reveal()}"

    def check(self, tx: Connection, token: str, *, is_loopback: bool) -> None:
        """Raises AlreadyClaimed or LinkRefused when the link would not work, before a password is hashed for it."""
        link = None
        if is_well_formed("octo_claim", token):
            link = links_repository.find_live(tx, digest(token), "claim", millis(self._clock.now()))
        if self.is_claimed(tx):  # asked after the link, which is gone from the moment that somebody else's claim holds
            raise AlreadyClaimed
        if link is None:
            raise LinkRefused.claim()
        if not link.anywhere and not is_loopback:
            raise LinkRefused.claim_elsewhere()

    def take(self, tx: Connection, token: str, *, is_loopback: bool, name: str, email: str, password_hash: str) -> str:
        """Use the link up and make the local owner its user; the person's id. Of two at the same moment one wins.

        Raises AlreadyClaimed or LinkRefused.
        """
        link = links_repository.use_up(tx, digest(token), "claim", millis(self._clock.now()))
        if link is None:
            raise AlreadyClaimed if self.is_claimed(tx) else LinkRefused.claim()
        if not link.anywhere and not is_loopback:
            raise LinkRefused.claim_elsewhere()
        now = millis(self._clock.now())
        if not people_repository.give_address(
            tx, link.person_id, name=name, email=email, password_hash=password_hash, now=now
        ):
            raise AlreadyClaimed
        links_repository.drop_links(tx, "claim", link.person_id)
        return link.person_id
