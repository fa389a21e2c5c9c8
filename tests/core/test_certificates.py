"""Certificates: our own, kept and renewed in time; a given one, checked in words."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from opencto.core.certificates import RENEW_DAYS, VALID_DAYS, fingerprint, given, names, read, self_signed
from opencto.core.errors import StartError
from opencto.testing import ManualClock

DAY = 86_400


def test_our_own_covers_this_machine_and_what_is_asked_for(tmp_path: Path, clock: ManualClock) -> None:
    made = self_signed(tmp_path, clock, also=("cto.example.com", "10.1.2.3"))
    names = x509.load_pem_x509_certificate(made.chain.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    covered = {str(name.value) for name in names.value}
    assert {"localhost", "127.0.0.1", "::1", "cto.example.com", "10.1.2.3"} <= covered
    assert made.key.stat().st_mode & 0o777 == 0o600
    assert len(made.fingerprint.split(":")) == 32


def test_what_is_read_from_the_file_is_what_was_made(tmp_path: Path, clock: ManualClock) -> None:
    made = self_signed(tmp_path, clock, also=("cto.example.com", "10.1.2.3"))
    certificate = read(made.chain)
    assert fingerprint(certificate) == made.fingerprint
    assert {"localhost", "::1", "cto.example.com", "10.1.2.3"} <= set(names(certificate))


def test_a_certificate_without_names_is_good_for_none(clock: ManualClock) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    nobody = x509.Name([])
    bare = x509.CertificateBuilder(nobody, nobody, key.public_key(), 1, clock.now(), clock.now() + timedelta(1))
    assert names(bare.sign(key, hashes.SHA256())) == []


def test_it_is_kept_until_it_nears_its_end(tmp_path: Path, clock: ManualClock) -> None:
    first = self_signed(tmp_path, clock)
    clock.advance((VALID_DAYS - RENEW_DAYS - 2) * DAY)
    assert self_signed(tmp_path, clock) == first
    clock.advance(2 * DAY)
    renewed = self_signed(tmp_path, clock)
    assert renewed.fingerprint != first.fingerprint
    assert renewed.ends > first.ends


def test_a_new_address_makes_a_new_one(tmp_path: Path, clock: ManualClock) -> None:
    first = self_signed(tmp_path, clock)
    assert self_signed(tmp_path, clock, also=("192.0.2.77",)).fingerprint != first.fingerprint


def test_damaged_files_are_replaced(tmp_path: Path, clock: ManualClock) -> None:
    first = self_signed(tmp_path, clock)
    first.key.write_text("damaged")
    assert self_signed(tmp_path, clock).fingerprint != first.fingerprint


def test_a_given_pair_that_fits_is_taken(tmp_path: Path, clock: ManualClock) -> None:
    made = self_signed(tmp_path, clock)
    assert given(made.chain, made.key, clock) == made


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("no chain", "cannot be read"),
        ("empty chain", "holds no PEM certificate"),
        ("empty key", "holds no PEM private key"),
        ("locked key", "locked with a password"),
        ("another key", "is not the key of the certificate"),
        ("ended", "ended on"),
        ("not begun", "Check this machine's clock"),
    ],
)
def test_a_given_pair_that_is_wrong_is_refused_in_words(
    tmp_path: Path, clock: ManualClock, spoil: str, words: str
) -> None:
    made = self_signed(tmp_path / "one", clock)
    match spoil:
        case "no chain":
            made.chain.unlink()
        case "empty chain":
            made.chain.write_text("")
        case "empty key":
            made.key.write_text("")
        case "locked key":
            key = serialization.load_pem_private_key(made.key.read_bytes(), None)
            locked = serialization.BestAvailableEncryption(b"password")
            made.key.write_bytes(
                key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
            )
        case "another key":
            made.key.write_bytes(self_signed(tmp_path / "two", clock).key.read_bytes())
        case "ended":
            clock.advance(VALID_DAYS * DAY)
        case _:
            clock.jump(-10 * DAY)
    with pytest.raises(StartError, match=words) as caught:
        given(made.chain, made.key, clock)
    assert caught.value.exit_code == 2
