"""Certificates for HTTPS: one that we make for the LAN (a phone's microphone needs HTTPS), or a given one, checked."""

import ipaddress
import os
import secrets
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from opencto.core.clock import Clock
from opencto.core.errors import StartError
from opencto.core.listener import lan_addresses

VALID_DAYS = 825  # the longest that phones take
RENEW_DAYS = 90


@dataclass(frozen=True)
class Certificate:
    """Two PEM files that fit together."""

    chain: Path
    key: Path
    fingerprint: str
    """SHA-256 of the certificate, as browsers show it."""
    ends: datetime


def self_signed(folder: Path, clock: Clock, *, also: tuple[str, ...] = ()) -> Certificate:
    """The server's own certificate for this machine's names and addresses and those in `also`.

    Kept in `folder` and used again until an address is missing from it or fewer than RENEW_DAYS remain.
    """
    wanted = _names(also)
    chain, key = folder / "certificate.pem", folder / "key.pem"
    kept = _kept(chain, key)
    if (
        kept is not None
        and set(wanted) <= set(names(kept))
        and kept.not_valid_after_utc - clock.now() > timedelta(RENEW_DAYS)
    ):
        return _described(kept, chain, key)
    private = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign(private, wanted, clock.now())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(
        key,
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    _write(chain, certificate.public_bytes(serialization.Encoding.PEM))
    return _described(certificate, chain, key)


def given(chain: Path, key: Path, clock: Clock) -> Certificate:
    """A certificate of the operator's. Raises StartError (exit code 2) that says what is wrong with it."""
    certificate = read(chain)
    private = _load_key(key)
    if certificate.public_key() != private.public_key():
        raise _wrong("OPENCTO_TLS_KEY", f"{key} is not the key of the certificate {chain}.")
    now = clock.now()
    if certificate.not_valid_after_utc <= now:
        raise _wrong("OPENCTO_TLS_CERT", f"{chain} ended on {certificate.not_valid_after_utc:%d %B %Y}. Renew it.")
    if certificate.not_valid_before_utc > now:
        raise _wrong(
            "OPENCTO_TLS_CERT",
            f"{chain} begins on {certificate.not_valid_before_utc:%d %B %Y} only. Check this machine's clock.",
        )
    return _described(certificate, chain, key)


def read(chain: Path) -> x509.Certificate:
    """The certificate that a server shows with this file: the first. Raises StartError where it cannot be read."""
    try:
        return x509.load_pem_x509_certificates(_read(chain, "OPENCTO_TLS_CERT"))[0]
    except ValueError:
        raise _wrong("OPENCTO_TLS_CERT", f"{chain} holds no PEM certificate.") from None


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256, as browsers show it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def names(certificate: x509.Certificate) -> list[str]:
    """Names and addresses for which it is good, as people type them."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in found if isinstance(name, (x509.DNSName, x509.IPAddress))]


def _load_key(path: Path) -> CertificateIssuerPrivateKeyTypes:
    content = _read(path, "OPENCTO_TLS_KEY")
    try:
        private = serialization.load_pem_private_key(content, None)
    except TypeError:
        raise _wrong("OPENCTO_TLS_KEY", f"{path} is locked with a password. Give a key without one.") from None
    except ValueError:
        raise _wrong("OPENCTO_TLS_KEY", f"{path} holds no PEM private key.") from None
    return private  # pyright: ignore[reportReturnType] - a key that fits no certificate is refused by comparing


def _read(path: Path, variable: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _wrong(variable, f"{path} cannot be read ({error.strerror}).") from None


def _wrong(variable: str, sentence: str) -> StartError:
    return StartError(f"{variable}: {sentence}", exit_code=2)


def _names(also: tuple[str, ...]) -> list[str]:
    """What people may type to reach this machine."""
    found = {"localhost", "127.0.0.1", "::1", *lan_addresses(), *also}
    host = socket.gethostname()
    if host and host.isascii() and len(host) <= 60:
        found |= {host, f"{host.partition('.')[0]}.local"}
    return sorted(found - {"0.0.0.0", "::"})


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        return x509.DNSName(name)


def _sign(private: ec.EllipticCurvePrivateKey, wanted: list[str], now: datetime) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "OpenCTO on this network")])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a phone's clock may be behind
        .not_valid_after(now + timedelta(days=VALID_DAYS - 1))
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in wanted]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )


def _kept(chain: Path, key: Path) -> x509.Certificate | None:
    try:
        certificate = x509.load_pem_x509_certificate(chain.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return None  # missing or damaged: a fresh one takes its place
    return certificate if certificate.public_key() == private.public_key() else None


def _described(certificate: x509.Certificate, chain: Path, key: Path) -> Certificate:
    return Certificate(chain, key, fingerprint(certificate), certificate.not_valid_after_utc)


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
