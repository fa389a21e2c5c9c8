"""Trying a key: the report card of `PUT /api/v1/llm/keys/…` and of the daily round, with a row in the ledger like any call."""

from opencto.core.batch import BatchWriter
from opencto.core.clock import Clock
from opencto.core.secret import Secret
from opencto.ledger.usage import Intent, Ledger, Outcome
from opencto.providers.answers import KeyReport as Found
from opencto.providers.doors import Doors
from opencto.providers.errors import UpstreamProblem
from opencto.vault.ports import OnBehalf
from opencto.wire.keys import KeyProvider, KeyReport

SURFACE = "key_check"


class KeyTrial:
    """Asks the provider what a key is and reaches. Implements the vault's KeyChecker."""

    def __init__(self, doors: Doors, base_url: str, writer: BatchWriter, ledger: Ledger, clock: Clock) -> None:
        self._doors = doors
        self._base_url = base_url
        self._writer = writer
        self._ledger = ledger
        self._clock = clock

    async def check(self, provider: KeyProvider, key: Secret, owner: OnBehalf) -> KeyReport:
        source = "user" if owner.person_id else "workspace"
        intent = Intent(owner.workspace_id, owner.person_id, SURFACE, None, source, owner.key_id, owner.request_id)
        call_id = await self._writer.write(lambda tx: self._ledger.begin(tx, intent))
        begun = self._clock.monotonic()
        try:
            found: Found | UpstreamProblem = await self._doors.to(self._base_url).check_key(key)
        except UpstreamProblem as problem:
            found = problem
        code = found.code if isinstance(found, UpstreamProblem) else None
        outcome = Outcome(
            is_done=code is None,
            latency_ms=round((self._clock.monotonic() - begun) * 1000),
            code=code,
            upstream_status=found.upstream.status,
            upstream_request_id=found.upstream.request_id,
            is_free=True,
        )
        cost = self._ledger.price(intent, outcome)
        await self._writer.write(lambda tx: self._ledger.finish(tx, call_id, intent, outcome, cost))
        return self._report(provider, found)

    def _report(self, provider: KeyProvider, found: Found | UpstreamProblem) -> KeyReport:
        now = self._clock.now()
        if isinstance(found, UpstreamProblem):
            expected = "admin" if provider is KeyProvider.OPENAI_ADMIN else "unknown"
            sentence = f"The key could not be tried now: {found.detail} It is tried again within a day."
            return KeyReport(
                checked_at=now,
                valid=None,
                kind=expected,
                models=None,
                realtime=None,
                organization=None,
                project=None,
                problems=[sentence],
            )
        return KeyReport(
            checked_at=now,
            valid=found.valid,
            kind=found.kind,
            models=found.models,
            realtime=found.realtime,
            organization=found.organization,
            project=found.project,
            problems=list(found.problems),
        )
