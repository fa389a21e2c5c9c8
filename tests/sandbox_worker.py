"""A process that uses the sandbox's file at the same time as others. Importable by name, so that it can be spawned."""

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

from opencto.sandbox.config import SandboxConfig
from opencto.sandbox.errors import ApiError
from opencto.sandbox.store import Store, Used
from opencto.testing import ManualClock

CALLS, LIMIT = 40, 50


def hammer(database: str, barrier: Barrier, results: "multiprocessing.Queue[int]") -> None:
    store = Store(SandboxConfig(database=Path(database), requests_per_minute=LIMIT), ManualClock())
    barrier.wait(timeout=30)
    passed = 0
    for _ in range(CALLS):
        try:
            store.take_room("key_1", "gpt-6-luna", 10)
        except ApiError:
            continue
        passed += 1
        store.record(Used("completions", "gpt-6-luna", "proj_a", "user-1", "key_1", 10, 5))
    store.close()
    results.put(passed)
