"""The book of addresses: who makes HTTPS, where others reach the server, and what they are told of the certificate."""

from pathlib import Path
from typing import Any

import pytest

from core.test_qr import drawn
from opencto.core import certificates
from opencto.core.configuration import load
from opencto.core.listener import network_urls
from opencto.core.problems import NotFound
from opencto.core.settings import Settings
from opencto.dashboard.addresses import AddressBook
from opencto.testing import ManualClock
from scanning import scanned_modules

PUBLIC = "https://cto.example.com"


def started(tmp_path: Path, clock: ManualClock, **environ: str) -> Settings:
    """The settings as the command line hands them to the application: with the certificate that it made."""
    settings = load({"OPENCTO_DATA_DIR": str(tmp_path / "data"), **environ}).settings
    if settings.tls != "self-signed":
        return settings
    made = certificates.self_signed(tmp_path / "tls", clock)
    return settings.model_copy(update={"tls_cert": made.chain, "tls_key": made.key})


def test_without_https_and_on_its_own_machine_there_is_no_address_for_others(
    tmp_path: Path, clock: ManualClock
) -> None:
    shown = AddressBook(started(tmp_path, clock)).show()
    assert (shown.https, shown.is_loopback_only, shown.addresses, shown.certificate) == ("off", True, [], None)
    assert shown.port == 8787


def test_on_all_interfaces_each_address_of_the_machine_is_shown_with_a_code_that_leads_there(
    tmp_path: Path, clock: ManualClock
) -> None:
    settings = started(tmp_path, clock, OPENCTO_HOST="0.0.0.0", OPENCTO_TLS="self-signed", OPENCTO_PUBLIC_URL=PUBLIC)
    shown = AddressBook(settings).show()
    assert [one.url for one in shown.addresses] == [PUBLIC, *network_urls("https", 8787)]
    assert [one.is_public for one in shown.addresses] == [True] + [False] * (len(shown.addresses) - 1)
    for one in shown.addresses:
        assert scanned_modules(drawn(one.qr.path, one.qr.size)) == one.url


def test_an_address_is_shown_once(tmp_path: Path, clock: ManualClock) -> None:
    own = {"OPENCTO_HOST": "192.0.2.7", "OPENCTO_PUBLIC_URL": "http://192.0.2.7:8787"}
    shown = AddressBook(started(tmp_path, clock, **own)).show()
    assert [(one.url, one.is_public) for one in shown.addresses] == [("http://192.0.2.7:8787", True)]


def test_a_proxy_in_front_is_known_by_the_public_address(tmp_path: Path, clock: ManualClock) -> None:
    book = AddressBook(started(tmp_path, clock, OPENCTO_PUBLIC_URL=PUBLIC))
    shown = book.show()
    assert (shown.https, [one.url for one in shown.addresses], shown.certificate) == ("proxy", [PUBLIC], None)
    with pytest.raises(NotFound):
        book.certificate_file()


def test_our_own_certificate_is_described_and_handed_out_without_its_key(tmp_path: Path, clock: ManualClock) -> None:
    settings = started(tmp_path, clock, OPENCTO_TLS="self-signed")
    book = AddressBook(settings)
    shown = book.show()
    made = certificates.self_signed(tmp_path / "tls", clock)
    assert shown.https == "self-signed"
    assert shown.certificate is not None
    assert (shown.certificate.sha256, shown.certificate.ends_at) == (made.fingerprint, made.ends)
    assert {"localhost", "127.0.0.1"} <= set(shown.certificate.names)
    assert shown.certificate.is_ours
    assert book.certificate_file() == made.chain.read_bytes()
    assert b"PRIVATE" not in book.certificate_file()


def test_the_certificate_shown_is_the_one_that_this_process_began_with(tmp_path: Path, clock: ManualClock) -> None:
    book = AddressBook(started(tmp_path, clock, OPENCTO_TLS="self-signed"))
    before = book.show().certificate
    certificates.self_signed(tmp_path / "tls", clock, also=("another.example.com",))
    assert book.show().certificate == before


def test_a_certificate_of_the_operator_is_described_and_not_handed_out(tmp_path: Path, clock: ManualClock) -> None:
    made = certificates.self_signed(tmp_path / "theirs", clock, also=("cto.example.com",))
    pair: dict[str, Any] = {"OPENCTO_TLS_CERT": str(made.chain), "OPENCTO_TLS_KEY": str(made.key)}
    book = AddressBook(started(tmp_path, clock, **pair))
    shown = book.show()
    assert shown.https == "certificate"
    assert shown.certificate is not None
    assert (shown.certificate.sha256, shown.certificate.is_ours) == (made.fingerprint, False)
    assert "cto.example.com" in shown.certificate.names
    with pytest.raises(NotFound):
        book.certificate_file()
