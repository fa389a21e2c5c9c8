"""Where other devices reach this server, and its certificate: what the page about HTTPS shows.

What is told is what this process was started with: the certificate is read once, as the listening socket does. Of the
names and addresses nothing comes from a request.
"""

from typing import Literal

from opencto.core.listener import EVERYWHERE, LOOPBACK, network_urls
from opencto.core.problems import NotFound
from opencto.core.qr import qr_code
from opencto.core.settings import Settings
from opencto.wire.addresses import Address, Addresses, QrImage, ServerCertificate


class AddressBook:
    """One per application."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pem: bytes | None = None
        self._certificate: ServerCertificate | None = None
        if settings.tls_cert is not None:
            self._read_certificate(settings)

    def show(self) -> Addresses:
        """Looked up anew each time: a machine may have moved to another network."""
        settings = self._settings
        return Addresses(
            https=self._https(),
            port=settings.port,
            is_loopback_only=settings.host in LOOPBACK,
            addresses=[_address(url, is_public=url == settings.public_url) for url in self._urls()],
            certificate=self._certificate,
        )

    def certificate_file(self) -> bytes:
        """The certificate that `--tls self-signed` made, PEM; never its key. Raises NotFound."""
        if self._pem is None or self._certificate is None or not self._certificate.is_ours:
            raise NotFound("This server shows no certificate of its own making, so there is none to trust.")
        return self._pem

    def _https(self) -> Literal["off", "self-signed", "certificate", "proxy"]:
        settings = self._settings
        if settings.tls == "self-signed":
            return "self-signed"
        if settings.tls_cert is not None:
            return "certificate"
        return "proxy" if settings.origin.startswith("https://") else "off"

    def _urls(self) -> list[str]:
        settings = self._settings
        public = [settings.public_url] if settings.public_url else []
        if settings.host in EVERYWHERE:
            own = network_urls(settings.scheme, settings.port)
        else:
            own = [] if settings.host in LOOPBACK else [settings.local_origin]
        return list(dict.fromkeys([*public, *own]))

    def _read_certificate(self, settings: Settings) -> None:
        from opencto.core import certificates

        assert settings.tls_cert is not None
        self._pem = settings.tls_cert.read_bytes()
        certificate = certificates.read(settings.tls_cert)
        self._certificate = ServerCertificate(
            sha256=certificates.fingerprint(certificate),
            ends_at=certificate.not_valid_after_utc,
            names=certificates.names(certificate),
            is_ours=settings.tls == "self-signed",
        )


def _address(url: str, *, is_public: bool) -> Address:
    code = qr_code(url)
    return Address(url=url, is_public=is_public, qr=QrImage(size=code.size, path=code.svg_path()))
