"""The records of sessions for those who may see them: a person their own, admins and owners everybody's in the workspace.

To everybody else a session is not there. What is deleted is gone from the rows, from the index of words, and, on
SQLite, from the file.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from opencto.core.clock import Clock, millis
from opencto.core.database import Database
from opencto.core.problems import NotFound, Problem
from opencto.core.settings import Settings
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.paging import AnyRow, Asked
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.live.feed import Change, Feed
from opencto.realtime import presenting, repository, search
from opencto.realtime.ports import SettingsWithin
from opencto.realtime.recording import LATE_HOURS
from opencto.realtime.repository import Wanted
from opencto.realtime.search import Place
from opencto.telemetry import log
from opencto.wire.identity import Role
from opencto.wire.sessions import SessionDeleted, VoiceSessionDetail, VoiceSessionPage

SILENT = "silent"
"""Why a session ended that nobody ended."""
SILENT_HOURS = 24
_HOUR_MILLIS = 3_600_000
_DAY_MILLIS = 24 * _HOUR_MILLIS
_AT_ONCE = 100
"""Sessions of one transaction: others may write between two."""


@dataclass(frozen=True, slots=True)
class Range:
    """Sessions minted from `since` on and before `until`, of one person or of everybody."""

    since: datetime | None = None
    until: datetime | None = None
    person_id: str | None = None


class Sessions:
    """Reading, exporting, deleting, and keeping to retention."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        workspaces: SettingsWithin,
        audit: AuditTrail,
        feed: Feed,
    ) -> None:
        self._ledger_days = settings.ledger_retention_days
        self._database = database
        self._clock = clock
        self._workspaces = workspaces
        self._audit = audit
        self._feed = feed

    async def workspace_of(self, session_id: str) -> str:
        """For the door, which then looks at the caller's right in it. Raises NotFound."""
        found = await self._database.fetch(repository.WORKSPACE_OF, {"id": session_id})
        if not found:
            raise NotFound
        workspace_id: str = found[0][0]
        return workspace_id

    def list(self, who: WorkspaceCaller, asked: Asked, within: Range) -> VoiceSessionPage:
        """One page of those that the caller may see. `asked.q` is a phrase."""
        person_id = within.person_id if who.role.at_least(Role.ADMIN) else who.person_id
        if within.person_id not in {None, person_id}:
            return VoiceSessionPage(data=[])
        wanted = Wanted(who.workspace_id, person_id, _at(within.since), _at(within.until))
        with self._database.read() as tx:
            rows, cursor = repository.list_of(tx, wanted, asked)
            places: defaultdict[str, list[Place]] = defaultdict(list)
            if asked.q is not None:
                for place in search.places(tx, who.workspace_id, asked.q, [row.id for row in rows]):
                    places[place.session_id].append(place)
        found = [presenting.found(row, places[row.id], asked.q) for row in rows]
        return VoiceSessionPage(data=found, next_cursor=cursor)

    def get(self, who: WorkspaceCaller, session_id: str) -> VoiceSessionDetail:
        """Everything of one. Raises NotFound."""
        with self._database.read() as tx:
            session = self._visible(tx, who, session_id)
            records = repository.records_of(tx, session_id)
        return presenting.detail(session, records)

    def export(self, who: WorkspaceCaller, session_id: str, file_format: str) -> VoiceSessionDetail:
        """The same, to be taken away: of somebody else's session that is on the record first. Raises NotFound."""
        with self._database.read() as tx:
            session = self._visible(tx, who, session_id)
        if session.person_id != who.person_id:
            with self._database.write() as tx:
                self._record(tx, who, "exported", session, format=file_format)
        return self.get(who, session_id)

    def delete(self, tx: Connection, who: WorkspaceCaller, session_id: str) -> SessionDeleted:
        """All of it, for good; what was spent stays in the ledger. Call `tidy` after the commit. Raises NotFound."""
        session = self._visible(tx, who, session_id)
        repository.remove(tx, who.workspace_id, session_id)
        self._record(tx, who, "deleted", session)
        return SessionDeleted(id=session_id)

    def tidy(self) -> None:
        """After something was deleted: it leaves the index and the file. What cannot be done now is done within the hour."""
        try:
            search.tidy(self._database)
        except Problem as problem:
            log.get("realtime").warning("tidying_put_off", code=problem.code)

    def forget_old(self) -> int:
        """Keep to the retention of each workspace; how many sessions went or lost their text.

        Where none is to be stored, text of before goes, and rows without text stay as long as the ledger's.
        """
        now, gone = millis(self._clock.now()), 0
        with self._database.read() as tx:
            workspaces = repository.workspaces_with_sessions(tx)
        for workspace_id in workspaces:
            with self._database.read() as tx:
                days = self._workspaces.within(tx, workspace_id).transcript_retention_days
            if days == 0:
                gone += self._in_parts(lambda tx, ws=workspace_id: _erase(tx, ws))
                days = self._ledger_days or None
            if days is not None:
                moment = now - days * _DAY_MILLIS
                gone += self._in_parts(lambda tx, ws=workspace_id, moment=moment: _remove(tx, ws, moment))
        self._in_parts(lambda tx: repository.forget_event_ids(tx, now - 2 * LATE_HOURS * _HOUR_MILLIS, _AT_ONCE))
        self.tidy()
        return gone

    def end_silent(self) -> int:
        """End what nobody told anything of for a day; how many."""
        now = millis(self._clock.now())
        moment = now - SILENT_HOURS * _HOUR_MILLIS

        def end(tx: Connection) -> int:
            found = repository.silent_since(tx, moment, _AT_ONCE)
            for session_id, workspace_id, person_id in found:
                if repository.end_silent(tx, session_id, moment, now, SILENT):
                    self._feed.tell(tx, Change(workspace_id, "session.ended", session_id, person_id))
            return len(found)

        return self._in_parts(end)

    def _in_parts(self, work: Callable[[Connection], int]) -> int:
        total = 0
        while True:
            with self._database.write() as tx:
                done = work(tx)
            total += done
            if done < _AT_ONCE:
                return total

    def _visible(self, tx: Connection, who: WorkspaceCaller, session_id: str) -> AnyRow:
        session = repository.find(tx, who.workspace_id, session_id)
        if session is None or (session.person_id != who.person_id and not who.role.at_least(Role.ADMIN)):
            raise NotFound
        return session

    def _record(self, tx: Connection, who: WorkspaceCaller, verb: str, session: AnyRow, **details: str) -> None:
        about = {"owner": session.person_id, **details}
        event = AuditEvent.by(
            who.caller, f"voice_session.{verb}", "voice_session", session.id, workspace_id=who.workspace_id, **about
        )
        self._audit.record(tx, event)


class SessionsLeave:
    """Implements identity's Departure: a person or a workspace goes, and what was said goes, also from the index."""

    def workspace_leaves(self, tx: Connection, workspace_id: str) -> None:
        repository.remove_all(tx, workspace_id=workspace_id)

    def person_leaves(self, tx: Connection, person_id: str) -> None:
        repository.remove_all(tx, person_id=person_id)


def _at(moment: datetime | None) -> int | None:
    return None if moment is None else millis(moment)


def _erase(tx: Connection, workspace_id: str) -> int:
    found = repository.with_text(tx, workspace_id, _AT_ONCE)
    for session_id in found:
        repository.erase_text(tx, session_id)
    return len(found)


def _remove(tx: Connection, workspace_id: str, moment: int) -> int:
    found = repository.older_than(tx, workspace_id, moment, _AT_ONCE)
    for session_id in found:
        repository.remove(tx, workspace_id, session_id)
    return len(found)
