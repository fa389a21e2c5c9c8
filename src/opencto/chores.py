"""What the application does by itself from time to time: sweep the limits, try stored keys, watch for models that end,
save what the status board counted, keep to retention, go on with what was approved.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from opencto.core.clock import Clock
from opencto.core.database import Database
from opencto.core.problems import Problem
from opencto.core.settings import Settings
from opencto.ledger.usage import Ledger
from opencto.limits.service import Limits
from opencto.live.feed import Feed
from opencto.ops.status import StatusBoard
from opencto.ops.watch import ModelWatch
from opencto.realtime.sessions import Sessions
from opencto.telemetry import log
from opencto.tools.approvals import Approvals
from opencto.tools.gate import Gate
from opencto.vault.service import VaultService
from opencto.voice.service import VoiceService

SWEEP_SECONDS = 30
KEYS_SECONDS = 900
MODELS_SECONDS = 900
STATUS_SECONDS = 5
APPROVALS_SECONDS = 2
SESSIONS_SECONDS = 900
LIVE_SECONDS = 600
RETENTION_SECONDS = 3_600


@dataclass(frozen=True)
class Chore:
    """One of them: a word for the log, how often, and what to do."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[object]]


class Chores:
    """Each runs beside the others, again and again; one that fails is logged and tried again when it is due."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        keys: VaultService,
        ledger: Ledger,
        voice: VoiceService,
        limits: Limits,
        watch: ModelWatch,
        status: StatusBoard,
        tools: Gate,
        approvals: Approvals,
        sessions: Sessions,
        live: Feed,
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self.all: tuple[Chore, ...] = (
            Chore("limits.sweep", SWEEP_SECONDS, limits.store.sweep),
            Chore("keys.check", KEYS_SECONDS, keys.check_due),
            Chore("models.watch", MODELS_SECONDS, lambda: asyncio.to_thread(watch.round)),
            Chore("status.flush", STATUS_SECONDS, status.flush),
            Chore("status.retention", RETENTION_SECONDS, status.forget_old),
            Chore("ledger.retention", RETENTION_SECONDS, lambda: asyncio.to_thread(self.forget_old_calls)),
            Chore("voice.retention", RETENTION_SECONDS, lambda: asyncio.to_thread(voice.forget_old)),
            Chore("tools.retention", RETENTION_SECONDS, lambda: asyncio.to_thread(tools.forget_old)),
            Chore("approvals.sweep", APPROVALS_SECONDS, approvals.sweep),
            Chore("approvals.retention", RETENTION_SECONDS, lambda: asyncio.to_thread(approvals.forget_old)),
            Chore("sessions.silent", SESSIONS_SECONDS, lambda: asyncio.to_thread(sessions.end_silent)),
            Chore("sessions.retention", RETENTION_SECONDS, lambda: asyncio.to_thread(sessions.forget_old)),
            Chore("live.retention", LIVE_SECONDS, lambda: asyncio.to_thread(live.forget_old)),
        )

    def forget_old_calls(self) -> int:
        """Drop the calls that are older than OPENCTO_LEDGER_RETENTION_DAYS; how many."""
        days = self._settings.ledger_retention_days
        if days == 0:
            return 0
        with self._database.write() as tx:
            return self._ledger.forget_before(tx, self._clock.now() - timedelta(days=days))

    async def run_until(self, stopping: asyncio.Event) -> None:
        """Run them all until told to stop. Each waits once before its first time: a start is busy enough."""
        async with asyncio.TaskGroup() as tasks:
            for chore in self.all:
                tasks.create_task(_repeat(chore, stopping))


async def _repeat(chore: Chore, stopping: asyncio.Event) -> None:
    logger = log.get("chores")
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(chore.every_seconds):
                await stopping.wait()
        if stopping.is_set():
            return
        try:
            await chore.run()
        except Problem as problem:
            logger.warning("chore_put_off", chore=chore.name, code=problem.code)
        except Exception:
            logger.exception("chore_failed", chore=chore.name)
