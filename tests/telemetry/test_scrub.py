"""The scrubber hides every kind of credential and leaves ordinary text alone."""

import base64
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencto.identity.tokens import new_secret
from opencto.telemetry.scrub import MAX_CHARACTERS, is_secret_name, scrub, scrub_value

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLW9mLXRoaXM"
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIr0Canary\nAwEHoUQDQgAE\n-----END EC PRIVATE KEY-----"
PLANTED: dict[str, tuple[str, str]] = {
    "a project key": ("sk-proj-Zx9canaryQ8_-w7Zx9canaryQ8w7", "canary"),
    "an admin key": ("sk-admin-Zx9canaryQ8w7Zx9canary", "canary"),
    "a service account key": ("sk-svcacct-Zx9canaryQ8w7Zx9canary", "canary"),
    "an old key": ("sk-Zx9canaryQ8w7Zx9canaryZx9canaryQ8w7", "canary"),
    "a client secret": ("ek_Zx9canaryQ8w7Zx9canary", "canary"),
    "a token of ours": (f"octo_{'canary7' * 7}", "canary"),
    "a session of ours": (f"octo_session_{'canary7' * 7}", "canary"),
    "a claim of ours": (f"octo_claim_{'canary7' * 7}", "canary"),
    "an invitation of ours": (f"octo_invite_{'canary7' * 7}", "canary"),
    "a reset of ours": (f"octo_reset_{'canary7' * 7}", "canary"),
    "a JWT": (JWT, "c2lnbmF0dXJl"),
    "a bearer": ("Authorization: Bearer 0paqueCanary.value", "Canary"),
    "a bearer alone": ("bearer 0paqueCanary.value", "Canary"),
    "basic": (f"Basic {base64.b64encode(b'ada:canary7').decode()}", base64.b64encode(b"ada:canary7").decode()),
    "a cookie header": ("Cookie: theme=dark; sid=canary7", "canary"),
    "a set-cookie header": ("set-cookie: sid=canary7; HttpOnly", "canary"),
    "ASGI headers": ("[(b'host', b'x'), (b'cookie', b'sid=canary7'), (b'authorization', b'canary')]", "canary"),
    "a database URL": ("postgresql+psycopg://octo:canary@db.internal/opencto", "canary"),
    "a database URL with odd characters": ("postgresql://octo:x/canary@7@db.internal/opencto", "canary"),
    "a redis URL": ("redis://:canary@cache:6379/0", "canary"),
    "a proxy URL": ("http://ada:canary@proxy:3128", "canary"),
    "argon2": ("$argon2id$v=19$m=65536,t=3,p=4$canarysalt$canaryhash", "canary"),
    "an otpauth URL": ("otpauth://totp/OpenCTO:ada?secret=JBSWY3DPEHPK3PXP&issuer=OpenCTO", "JBSWY3DP"),
    "a TOTP secret": ("the code of JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "JBSWY3DP"),
    "a private key": (f"loaded {PEM}", "Canary"),
    "a private key that was cut": (PEM[:60], "MHcCAQ"),
    "a form": ("user=ada&password=canary&next=1", "canary"),
    "JSON": ('{"apiKey": "canary", "clientSecret": "canary"}', "canary"),
    "a repr": ("{'password': 'canary', 'token': 'canary'}", "canary"),
    "Slack": ("xoxb-1234567890-canary7canary", "canary"),
    "GitHub": ("ghp_canary7canary7canary7canary7canary7", "canary"),
    "Telegram": ("https://api.telegram.org/bot123456789:AAcanary7canary7canary7canary7canar/send", "canary"),
}
ORDINARY = [
    "tok_01k9zq3f5k7m9p1r3t5v7x9z1b was revoked by usr_01k9zq3f5k7m9p1r3t5v7x9z1b",
    "head 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 of segment 12",
    "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08",
    "risk-assessment of the task-force, week_number 12, sk-learn",
    "basic authentication is off; the bearer presents a letter",
    "GET https://example.com:8787/people/ada@example.com 200",
    "http://127.0.0.1:8787/health",
    "max_tokens=200 input_tokens=12",
    "The name opencto_session is the cookie's; realtime_token is a bucket.",
    "SELECT id FROM api_tokens WHERE revoked_at IS NULL",
    "keyHint octo_…a1b2 and sk-…9x8y",
    'File "/srv/opencto/identity/tokens.py", line 12, in hint',
]


@pytest.mark.parametrize("kind", PLANTED)
def test_a_credential_does_not_survive(kind: str) -> None:
    text, needle = PLANTED[kind]
    for around in (text, f"before {text} after", repr(f"a\n{text}"), f'{{"x":"{text}"}}', f"?q=%20{text}"):
        cleaned = scrub(around)
        assert needle not in cleaned
        assert "***" in cleaned


@pytest.mark.parametrize("kind", ["octo", "octo_session", "octo_claim", "octo_invite", "octo_reset"])
def test_what_we_make_ourselves_does_not_survive(kind: Any) -> None:
    secret = new_secret(kind).reveal()
    assert scrub(f"x{secret}y").count("*") == 3
    assert secret[-12:] not in scrub(f"x{secret}y")


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert scrub(text) == text


def test_the_user_and_host_of_an_address_stay_readable() -> None:
    assert scrub("postgresql://octo:s3cr3t@db/opencto is gone") == "postgresql://octo:***@db/opencto is gone"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("password", True),
        ("api_key", True),
        ("apiKey", True),
        ("X-CSRF-Token", True),
        ("totp", True),
        ("otp_code", True),
        ("recovery_codes", True),
        ("totpCode", True),
        ("clientSecret", True),
        ("secretAccount", True),
        ("token-resource", True),
        ("passwordValid", True),
        ("token_id", False),
        ("tokenId", False),
        ("tokenIds", False),
        ("tokenKind", False),
        ("api-key-id", False),
        ("clientSecretName", False),
        ("inputTokens", False),
        ("input_tokens", False),
        ("hotpath", False),
        ("footprint", False),
        ("key_hint", False),
        ("workspace", False),
    ],
)
def test_a_name_can_be_enough(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret
    assert (scrub_value("anything", name) == "***") is secret


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_nested_values_bytes_and_unprintable_ones_are_cleaned() -> None:
    value = {
        "outer": [{"password": "canary"}, (b"canary", {"sk-proj-Zx9canaryQ8w7Zx9": 1})],
        "deep": [[[[[[[["sk-proj-Zx9canaryQ8w7"]]]]]]]],
        "bad": Unspeakable(),
        "number": float("inf"),
        "error": ValueError("octo_canary7canary7canary7"),
    }
    cleaned = scrub_value(value)
    assert "canary" not in repr(cleaned)
    assert (cleaned["bad"], cleaned["number"]) == ("<Unspeakable>", "inf")


def test_a_very_long_text_is_cut_and_what_stands_at_the_cut_is_hidden() -> None:
    cleaned = scrub("x" * (MAX_CHARACTERS - 10) + " sk-proj-Zx9canaryQ8w7Zx9canary " + "y" * 100_000)
    assert len(cleaned) <= MAX_CHARACTERS + 1
    assert "canary" not in cleaned


FRAGMENTS = st.sampled_from(
    [text for text, _ in PLANTED.values()] + ORDINARY + ["sk-", "://", "=", ":", '"', "'", " ", "\n", "@", "$", "token"]
)


@given(st.lists(st.one_of(FRAGMENTS, st.text(max_size=20), st.text(string.printable, max_size=20)), max_size=8))
def test_scrubbing_never_raises_and_twice_is_once(parts: list[str]) -> None:
    once = scrub("".join(parts))
    assert scrub(once) == once


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.binary(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_cleaning_a_value_never_raises_and_twice_is_once(value: Any) -> None:
    once = scrub_value(value)
    assert scrub_value(once) == once
