"""`opencto keys rotate` as a process of its own, killed anywhere: no key is lost, and the next run goes on."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from sqlalchemy import insert, select

from cli.conftest import say
from journeys.program import PATIENCE_SECONDS, environment
from opencto.core.database import Database
from opencto.core.keyring import Keyring
from opencto.core.secret import Secret
from opencto.core.settings import Settings
from opencto.identity.tables import workspaces
from opencto.testing import ManualClock
from opencto.vault import repository
from opencto.vault.envelope import Binding, NotOpenedError, seal, unseal
from opencto.vault.tables import provider_keys, wrapping_keys
from opencto.vault.wrapping import KeyringWrapper

WORKSPACES = 400
ATTEMPTS = 8
BLINK_SECONDS = 0.003


class Filled:
    """A server with many shared keys, and what each of them is."""

    def __init__(self, database: Database, settings: Settings, clock: ManualClock) -> None:
        self.database, self.settings, self.clock = database, settings, clock
        self.secrets: dict[str, str] = {}
        rows: list[dict[str, object]] = []
        wrapper = self.wrapper()
        version = wrapper.current_version()
        wrapper.prepare()
        for number in range(WORKSPACES):
            for provider in ("openai", "openai-admin"):
                row_id, workspace = f"key_{number:04}_{provider}", f"ws_{number}"
                self.secrets[row_id] = f"sk-{row_id}-{'x' * 30}"
                binding = Binding("", workspace, provider, row_id, 1)
                sealed = seal(Secret(self.secrets[row_id]), binding, wrapper, version)
                rows.append(
                    {
                        "id": row_id,
                        "workspace_id": workspace,
                        "provider": provider,
                        "slot": repository.slot(workspace, None, provider),
                        "version": 1,
                        "wrapping_version": version,
                        "wrapped_key": sealed.wrapped_key,
                        "sealed": sealed.sealed,
                        "hint": "sk-…",
                        "state": "ok",
                        "created_at": 0,
                        "updated_at": 0,
                    }
                )
        place = {"settings": "{}", "settings_updated_at": 0, "created_at": 0}
        with database.write() as tx:
            tx.execute(
                insert(workspaces),
                [{"id": f"ws_{n}", "slug": f"w{n}", "name": "W", **place} for n in range(WORKSPACES)],
            )
            tx.execute(insert(provider_keys), rows)

    def wrapper(self) -> KeyringWrapper:
        """As another process opens it."""
        keyring = Keyring(self.settings.data_dir / "secrets", self.settings.master_key, self.database, self.clock)
        return KeyringWrapper(keyring, self.database, self.clock)

    def newest(self) -> int:
        with self.database.read() as tx:
            return max(tx.execute(select(wrapping_keys.c.version)).scalars())

    def under(self, version: int) -> int:
        with self.database.read() as tx:
            return repository.counts_by_wrapping(tx).get(version, 0)

    def closed(self) -> list[str]:
        """The keys that do not open, or are not what they were."""
        wrapper, closed = self.wrapper(), list[str]()
        with self.database.read() as tx:
            rows = repository.after(tx, "", len(self.secrets))
        assert len(rows) == len(self.secrets)
        for row in rows:
            try:
                found = unseal(row.envelope, row.binding, wrapper).reveal()
            except NotOpenedError:
                found = None
            if found != self.secrets[row.id]:
                closed.append(row.id)
        return closed


@pytest.fixture
def filled(database: Database, settings: Settings, clock: ManualClock) -> Filled:
    return Filled(database, settings, clock)


def start(environ: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "opencto", "keys", "rotate"],
        env=environment(**environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def hit(process: "subprocess.Popen[str]", number: signal.Signals, reached: Callable[[], bool]) -> tuple[int, str]:
    """Send a signal as soon as a point is reached; the exit code, and what it said on standard error."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with process:
        while not reached() and process.poll() is None:
            assert time.monotonic() < deadline, "the rotation did not get there"
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(BLINK_SECONDS)  # asking without a pause takes the processor that the rotation needs
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, errors


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_killed_anywhere_it_loses_no_key_and_goes_on_when_it_is_run_again(
    filled: Filled, environ: dict[str, str], share: float
) -> None:
    for _ in range(ATTEMPTS):
        before = filled.newest()
        enough = round(share * len(filled.secrets))
        code, _said = hit(
            start(environ),
            signal.SIGKILL,
            lambda before=before, enough=enough: filled.newest() > before and filled.under(before + 1) >= enough,
        )
        assert filled.closed() == []
        newest = filled.newest()
        if code == -signal.SIGKILL and filled.under(newest) < len(filled.secrets):
            break  # else it was faster than the signal: once more, with a further version
    else:
        pytest.fail("the rotation was never caught at work")
    left = len(filled.secrets) - filled.under(newest)
    assert left <= len(filled.secrets) - enough
    finished = json.loads(say(environ, "keys", "rotate", "--json"))
    assert (finished["version"], finished["continued"], finished["stuck"]) == (newest, True, [])
    assert finished["wrapped"] == left
    assert filled.under(newest) == len(filled.secrets)
    assert filled.closed() == []
    verified = json.loads(say(environ, "keys", "verify", "--json"))
    assert (verified["keys"], verified["open"], verified["broken"]) == (len(filled.secrets), len(filled.secrets), [])


def test_killed_before_the_new_version_is_known_it_uses_the_key_that_was_made_for_it(
    filled: Filled, environ: dict[str, str], settings: Settings
) -> None:
    """The key of the next version exists before the version does; a kill in between leaves a key without a version."""
    Keyring(settings.data_dir / "secrets", settings.master_key, filled.database, filled.clock).key("vault-2")
    made = (settings.data_dir / "secrets" / "vault-2.key").read_bytes()
    finished = json.loads(say(environ, "keys", "rotate", "--json"))
    assert (finished["version"], finished["wrapped"]) == (2, len(filled.secrets))
    assert (settings.data_dir / "secrets" / "vault-2.key").read_bytes() == made
    assert filled.closed() == []


def test_ctrl_c_says_how_many_are_left_and_loses_no_key(filled: Filled, environ: dict[str, str]) -> None:
    for _ in range(ATTEMPTS):
        before = filled.newest()
        code, said = hit(start(environ), signal.SIGINT, lambda before=before: filled.under(before + 1) > 0)
        assert filled.closed() == []
        if code == 130:
            break
    else:
        pytest.fail("the rotation was never caught at work")
    left = len(filled.secrets) - filled.under(filled.newest())
    assert f"{left:,} keys left" in said
    assert "Traceback" not in said
