"""The envelope opens in its own place and nowhere else."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from opencto.core.secret import Secret
from opencto.vault.envelope import Binding, Envelope, NotOpenedError, decrypt, encrypt, hint, rewrap, seal, unseal

KEY = Secret("sk-proj-" + "a1B2" * 20)
PLACE = Binding("usr_1", "ws_1", "openai", "key_1", 1)


class TwoVersions:
    """A wrapper with two fixed keys."""

    def __init__(self) -> None:
        self.ciphers = {version: AESGCM(bytes([version]) * 32) for version in (1, 2)}

    def current_version(self) -> int:
        return 2

    def begin_version(self, after: int) -> int:
        return after + 1

    def prepare(self) -> None:
        """They are at hand."""

    def is_prepared(self, version: int) -> bool:
        return version in self.ciphers

    def wrap(self, version: int, data_key: bytes, context: bytes) -> bytes:
        return encrypt(self.ciphers[version], data_key, context)

    def unwrap(self, version: int, wrapped: bytes, context: bytes) -> bytes:
        return decrypt(self.ciphers[version], wrapped, context)


def test_what_was_sealed_opens_in_its_place_and_is_not_there_in_plain() -> None:
    envelope = seal(KEY, PLACE, TwoVersions(), 1)
    assert unseal(envelope, PLACE, TwoVersions()) == KEY
    assert KEY.reveal().encode() not in envelope.sealed + envelope.wrapped_key


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(PLACE, person_id="usr_2"),
        replace(PLACE, workspace_id="ws_2"),
        replace(PLACE, provider="openai-admin"),
        replace(PLACE, row_id="key_2"),
        replace(PLACE, version=2),
        replace(PLACE, person_id="", workspace_id="ws_1"),
    ],
)
def test_it_does_not_open_anywhere_else(elsewhere: Binding) -> None:
    envelope = seal(KEY, PLACE, TwoVersions(), 1)
    with pytest.raises(NotOpenedError):
        unseal(envelope, elsewhere, TwoVersions())


def test_no_two_bindings_read_alike() -> None:
    assert Binding("ab", "c", "p", "r", 1).context("key") != Binding("a", "bc", "p", "r", 1).context("key")
    assert PLACE.context("key") != PLACE.context("secret")


@given(st.data())
def test_any_changed_byte_closes_it(data: st.DataObject) -> None:
    envelope = seal(KEY, PLACE, TwoVersions(), 1)
    field = data.draw(st.sampled_from(["wrapped_key", "sealed"]))
    content = bytearray(getattr(envelope, field))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(NotOpenedError):
        unseal(replace(envelope, **{field: bytes(content)}), PLACE, TwoVersions())


@pytest.mark.parametrize("size", [0, 1, 11, 12, 27])
def test_what_is_too_short_to_be_one_is_closed(size: int) -> None:
    with pytest.raises(NotOpenedError):
        unseal(Envelope(1, b"x" * size, b"x" * size), PLACE, TwoVersions())


def test_rewrapping_keeps_the_secret_and_leaves_the_old_version_behind() -> None:
    wrapper = TwoVersions()
    old = seal(KEY, PLACE, wrapper, 1)
    new = rewrap(old, PLACE, wrapper, 2)
    assert (new.wrapping_version, new.sealed) == (2, old.sealed)
    del wrapper.ciphers[1]
    assert unseal(new, PLACE, wrapper) == KEY


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("sk-proj-" + "x" * 60 + "abcd", "sk-proj-…abcd"),
        ("sk-admin-" + "x" * 60 + "wxyz", "sk-admin-…wxyz"),
        ("sk-" + "y" * 24, "sk-…yyy"),
        ("sk-12345", "sk-…"),
        ("abcdefgh", "…h"),
        ("short", "…"),
    ],
)
def test_a_hint_never_shows_more_than_four_real_characters_and_fewer_of_a_short_key(key: str, shown: str) -> None:
    assert hint(Secret(key)) == shown


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=200))
def test_a_hint_shows_at_most_an_eighth_of_a_key(key: str) -> None:
    visible = hint(Secret(key)).partition("…")[2]
    assert len(visible) <= 4
    assert len(visible) * 8 <= len(key)
