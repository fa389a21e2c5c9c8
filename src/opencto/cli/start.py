"""What happens before a server answers: settings, folder, lock, socket, certificate, database, the first person."""

import contextlib
import os
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opencto.cli.claim_link import claim_link
from opencto.cli.context import require_answer
from opencto.core.clock import SystemClock
from opencto.core.configuration import load
from opencto.core.dumps import forbid_dumps
from opencto.core.errors import StartError
from opencto.core.listener import EVERYWHERE, LOOPBACK, bound_port, listen, network_urls
from opencto.core.lock import LOCK_FILE, DirectoryLock
from opencto.core.migrations import Migrated, migrate
from opencto.core.settings import Settings
from opencto.house import House, open_house
from opencto.telemetry import log, metrics

if TYPE_CHECKING:
    from opencto.core.certificates import Certificate


@dataclass(frozen=True)
class Started:
    """A house ready to be served. The port and the certificate in `settings` are the real ones."""

    settings: Settings
    listener: socket
    certificate: "Certificate | None"
    migrated: Migrated
    claim_url: str | None
    warnings: tuple[str, ...]

    @property
    def network_urls(self) -> list[str]:
        """Where other machines of this network find it, when it listens on all interfaces."""
        if self.settings.host not in EVERYWHERE:
            return []
        return network_urls(self.settings.scheme, self.settings.port)

    @property
    def serves_loopback_only(self) -> bool:
        return self.settings.host in LOOPBACK


@contextlib.contextmanager
def prepared(flags: Mapping[str, Any], report: Callable[[str], None]) -> Generator[Started]:
    """Everything up to the first request, with the data directory locked until the end.

    `report` gets a sentence about what takes time. Raises SettingsError or StartError with the remedy.
    """
    configuration = load(flags=flags)
    settings = configuration.settings
    log.configure(settings.log_format, settings.log_level)
    forbid_dumps()
    os.umask(0o077)  # what the server writes is nobody else's
    _own_folder(settings.data_dir)
    lock = DirectoryLock(settings.data_dir / LOCK_FILE)
    lock.acquire()
    try:
        metrics.prepare(settings.data_dir, settings.workers)
        with contextlib.closing(listen(settings.host, settings.port)) as listener:
            settings = settings.model_copy(update={"port": bound_port(listener)})
            certificate = _certificate(settings)
            if certificate is not None:
                settings = settings.model_copy(update={"tls_cert": certificate.chain, "tls_key": certificate.key})
            lock.describe(pid=os.getpid(), url=settings.origin, listens=settings.local_origin)
            migrated, claim_url = _open_once(settings, report)
            yield Started(settings, listener, certificate, migrated, claim_url, configuration.warnings)
    finally:
        lock.release()


def _own_folder(folder: Path) -> None:
    """The data directory, closed to others."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise StartError(
            f"The data directory {folder} cannot be used ({error.strerror}). Make it writable, or name another with --data-dir."
        ) from None


def _certificate(settings: Settings) -> "Certificate | None":
    if not settings.tls_cert and settings.tls == "off":
        return None
    from opencto.core import certificates

    clock = SystemClock()
    if settings.tls_cert and settings.tls_key:
        return certificates.given(settings.tls_cert, settings.tls_key, clock)
    public = urlsplit(settings.public_url or "").hostname
    also = tuple(name for name in (public, settings.host) if name)
    return certificates.self_signed(settings.data_dir / "tls", clock, also=also)


def _open_once(settings: Settings, report: Callable[[str], None]) -> tuple[Migrated, str | None]:
    house = open_house(settings)
    try:
        require_answer(house.database, settings)
        migrated = migrate(
            house.database,
            backups=settings.data_dir / "backups",
            clock=house.clock,
            on_begin=lambda before, after: report(f"Bringing the database from version {before or 'none'} to {after}"),
        )
        return migrated, _first_claim(house)
    finally:
        house.database.close()


def _first_claim(house: House) -> str | None:
    """The link for the first person, None when somebody owns the server."""
    settings = house.settings
    return claim_link(house, anywhere=settings.host not in LOOPBACK or settings.public_url is not None)
