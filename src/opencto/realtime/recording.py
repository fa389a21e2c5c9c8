"""Taking down what a client tells of its session: exactly once, whatever is sent twice, at once or late.

Only the person who minted a session tells of it. A batch is one transaction that holds the session's row. Tokens go
into the ledger, once for each response, as what they are: the client's word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection

from opencto.core.clock import Clock, millis
from opencto.core.database import Database
from opencto.core.problems import Forbidden, NotFound
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.paging import AnyRow
from opencto.ledger.prices import to_picos
from opencto.ledger.usage import Intent, Ledger, Outcome
from opencto.live.feed import Change, Feed
from opencto.realtime import presenting, repository
from opencto.realtime.errors import SessionClosed, SessionFull
from opencto.realtime.ports import SettingsWithin
from opencto.realtime.telling import length_of, merged, name_of, record_of, tokens_of
from opencto.wire.identity import Role
from opencto.wire.sessions import (
    EventsAccepted,
    SessionEnd,
    SessionEvent,
    SessionEvents,
    UsageEvent,
    VoiceSession,
)

SURFACE = "realtime"
"""Under which the tokens of sessions are in the ledger."""
LATE_HOURS = 24
"""How long after the end an outbox may still be emptied."""
MOST_EVENTS = 10_000
MOST_CHARACTERS = 8_000_000
_HOUR_MILLIS = 3_600_000


@dataclass(frozen=True, slots=True)
class Priced:
    """What the usage events of a batch cost, by event id; found before the transaction, because prices are read slowly."""

    costs: dict[str, tuple[Intent, Outcome, Decimal | None]]


class Recorder:
    """The two writes of a session's client."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ledger: Ledger,
        workspaces: SettingsWithin,
        feed: Feed,
        *,
        transcription_model: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._workspaces = workspaces
        self._feed = feed
        self._transcription_model = transcription_model

    def price(self, who: WorkspaceCaller, session_id: str, told: SessionEvents) -> Priced:
        """Before `take`, outside of its transaction. Raises NotFound and Forbidden."""
        usage = [one for one in told.events if isinstance(one, UsageEvent)]
        with self._database.read() as tx:
            session = self._theirs(tx, who, session_id)
        found: dict[str, tuple[Intent, Outcome, Decimal | None]] = {}
        for event in usage:
            model = event.model or (session.model if event.kind == "response" else self._transcription_model)
            intent = Intent(
                who.workspace_id,
                who.person_id,
                SURFACE,
                model,
                session.key_source,
                session.key_id,
                who.origin.request_id,
                session_id,
            )
            outcome = Outcome(is_done=True, latency_ms=None, tokens=tokens_of(event), model=model)
            found[event.event_id] = intent, outcome, self._ledger.price(intent, outcome)
        return Priced(found)

    def take(
        self, tx: Connection, who: WorkspaceCaller, session_id: str, told: SessionEvents, priced: Priced
    ) -> EventsAccepted:
        """Save a batch. Raises NotFound, Forbidden, SessionClosed and SessionFull."""
        session = self._theirs(tx, who, session_id, hold=True)
        self._require_open(session)
        stores = self._workspaces.within(tx, who.workspace_id).transcript_retention_days != 0
        fresh = self._fresh(tx, session_id, told.events)
        length = sum(length_of(one) for one in fresh)
        if session.events + len(fresh) > MOST_EVENTS or session.text_length + length > MOST_CHARACTERS:
            raise SessionFull(MOST_EVENTS, MOST_CHARACTERS)
        accepted = self._enter(tx, session, fresh, priced, stores=stores) if fresh else 0
        if accepted:
            owner = session.person_id
            self._feed.tell(tx, Change(who.workspace_id, "session.updated", session_id, owner))
            if any(isinstance(one, UsageEvent) for one in fresh):
                self._feed.tell(tx, Change(who.workspace_id, "usage.changed", session_id))
        return EventsAccepted(accepted=accepted, duplicates=len(told.events) - accepted, is_text_stored=stores)

    def end(self, tx: Connection, who: WorkspaceCaller, session_id: str, told: SessionEnd) -> VoiceSession:
        """The conversation is over; said again it changes nothing."""
        session = self._theirs(tx, who, session_id, hold=True)
        if session.ended_at is not None:
            return presenting.session(session)
        repository.change(tx, session_id, {"ended_at": millis(self._clock.now()), "end_reason": told.reason})
        self._feed.tell(tx, Change(who.workspace_id, "session.ended", session_id, session.person_id))
        return presenting.session(self._theirs(tx, who, session_id))

    def _theirs(self, tx: Connection, who: WorkspaceCaller, session_id: str, *, hold: bool = False) -> AnyRow:
        session = repository.find(tx, who.workspace_id, session_id, hold=hold)
        if session is None:
            raise NotFound
        if session.person_id != who.person_id:
            if not who.role.at_least(Role.ADMIN):
                raise NotFound
            raise Forbidden("Only the person who began this session can tell of it.")
        return session

    def _require_open(self, session: AnyRow) -> None:
        if session.ended_at is not None and session.ended_at + LATE_HOURS * _HOUR_MILLIS <= millis(self._clock.now()):
            raise SessionClosed

    def _fresh(self, tx: Connection, session_id: str, events: Sequence[SessionEvent]) -> list[SessionEvent]:
        """Each event that is not known yet, once."""
        by_id: dict[str, SessionEvent] = {}
        for event in events:
            by_id.setdefault(event.event_id, event)
        known = repository.known_events(tx, session_id, list(by_id))
        return [event for event_id, event in by_id.items() if event_id not in known]

    def _enter(
        self, tx: Connection, session: AnyRow, fresh: list[SessionEvent], priced: Priced, *, stores: bool
    ) -> int:
        repository.add_events(tx, session.id, [one.event_id for one in fresh])
        known = repository.records_named(tx, session.id, [name_of(one) for one in fresh])
        booked = {one.name for one in known if one.kind == "usage"}
        sums = {"unpriced_responses": 0, "cost_picos": 0}
        records = list[repository.Record]()
        usage = list[UsageEvent]()
        for event in fresh:
            cost: int | None = None
            if isinstance(event, UsageEvent):
                if name_of(event) in booked:
                    continue
                booked.add(name_of(event))
                usage.append(event)
                cost = self._book(tx, priced, event)
                event = event.model_copy(update={"model": priced.costs[event.event_id][0].model})  # noqa: PLW2901 - the model that was meant
                sums["cost_picos"] += cost or 0
                sums["unpriced_responses"] += cost is None
            records.append(record_of(event, session.id, session.workspace_id, keeps_text=stores, cost_picos=cost))
        told = merged(known, records)
        repository.save_records(tx, session.id, told.new, told.changed)
        for kind, column in (("item", "items"), ("tool", "tool_calls"), ("error", "errors"), ("usage", "responses")):
            sums[column] = sum(one.kind == kind for one in told.new)
        for name in (
            "input_tokens",
            "cached_input_tokens",
            "output_tokens",
            "input_audio_tokens",
            "output_audio_tokens",
        ):
            sums[name] = sum(getattr(one, name) for one in usage)
        sums["events"] = len(fresh)
        sums["text_length"] = sum(length_of(one) for one in fresh) if stores else 0
        changed = {name: getattr(session, name) + added for name, added in sums.items()}
        state = repository.last_state(tx, session.id) if any(one.type == "state" for one in fresh) else None
        repository.change(
            tx,
            session.id,
            {
                **changed,
                "last_event_at": millis(self._clock.now()),
                "is_text_stored": stores,
                "state": presenting.state_in(state) if state else session.state,
            },
        )
        return len(records)

    def _book(self, tx: Connection, priced: Priced, event: UsageEvent) -> int | None:
        intent, outcome, cost = priced.costs[event.event_id]
        call_id = self._ledger.begin(tx, intent)
        self._ledger.finish(tx, call_id, intent, outcome, cost)
        return to_picos(cost)
