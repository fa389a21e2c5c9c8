"""Settings: every mistake at once, secrets that stay hidden, and where each value came from."""

import base64
import os
from pathlib import Path

import pytest

from opencto.core.configuration import SettingsError, default_data_dir, load, restore, snapshot


def test_every_mistake_is_named_at_once_with_its_remedy(tmp_path: Path) -> None:
    environ = {
        "OPENCTO_DATA_DIR": str(tmp_path),
        "OPENCTO_PORT": "99999",
        "OPENCTO_TLS": "yes",
        "OPENCTO_DATABASE_URL": "mysql://x",
        "OPENCTO_TLS_CERT": "/x.pem",
        "OPENAI_API_KEY": "changeme",
        "OPENCTO_OIDC_ISSUER": "https://id.example.com",
    }
    with pytest.raises(SettingsError) as caught:
        load(environ)
    assert {mistake.name for mistake in caught.value.mistakes} == {
        "OPENCTO_PORT",
        "OPENCTO_TLS",
        "OPENCTO_DATABASE_URL",
        "OPENCTO_TLS_CERT",
        "OPENAI_API_KEY",
        "OPENCTO_OIDC_ISSUER",
    }
    assert all(mistake.remedy for mistake in caught.value.mistakes)
    assert "changeme" not in str(caught.value)


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default(tmp_path: Path) -> None:
    (tmp_path / "opencto.env").write_text("OPENCTO_PORT=1001\nOPENCTO_WORKERS=3\nOPENCTO_HOST=10.0.0.1\n")
    environ = {"OPENCTO_DATA_DIR": str(tmp_path), "OPENCTO_PORT": "1002", "OPENCTO_WORKERS": "4"}
    configuration = load(environ, {"OPENCTO_PORT": "1003"})
    settings = configuration.settings
    assert (settings.port, settings.workers, settings.host, settings.log_level) == (1003, 4, "10.0.0.1", "info")
    sources = [
        configuration.sources[name] for name in ("OPENCTO_PORT", "OPENCTO_WORKERS", "OPENCTO_HOST", "OPENCTO_LOG_LEVEL")
    ]
    assert sources == ["flag", "environment", str(tmp_path / "opencto.env"), "default"]


def test_an_empty_variable_counts_as_absent(tmp_path: Path) -> None:
    settings = load({"OPENCTO_DATA_DIR": str(tmp_path), "OPENCTO_DATABASE_URL": "", "OPENAI_API_KEY": ""}).settings
    assert (settings.database_url, settings.openai_api_key) == (None, None)


def test_secrets_are_masked_and_the_password_in_an_address_too(tmp_path: Path) -> None:
    environ = {
        "OPENCTO_DATA_DIR": str(tmp_path),
        "OPENAI_API_KEY": "sk-proj-canary123456",
        "OPENCTO_DATABASE_URL": "postgresql://ada:canary@db/opencto",
    }
    rows = {row.name: row.value for row in load(environ).rows()}
    assert rows["OPENAI_API_KEY"] == "***"
    assert rows["OPENCTO_DATABASE_URL"] == "postgresql+psycopg://ada:***@db/opencto"
    assert "canary" not in repr(load(environ).settings.openai_api_key)


def test_a_misspelt_variable_is_pointed_out_with_the_likely_name(tmp_path: Path) -> None:
    warnings = load({"OPENCTO_DATA_DIR": str(tmp_path), "OPENCTO_WORKER": "2", "OPENCTO_TOKEN": "x"}).warnings
    assert warnings == ("OPENCTO_WORKER is not a setting of OpenCTO. Did you mean OPENCTO_WORKERS?",)


@pytest.mark.parametrize(
    ("value", "words"),
    [("short", "32 bytes"), (base64.b64encode(b"\0" * 32).decode(), "sample"), ("not base64!", "32 bytes")],
)
def test_a_weak_master_key_is_refused(tmp_path: Path, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        load({"OPENCTO_DATA_DIR": str(tmp_path), "OPENCTO_MASTER_KEY": value})
    assert value not in str(caught.value)


def test_settings_reach_a_worker_whole(tmp_path: Path) -> None:
    environ = {
        "OPENCTO_DATA_DIR": str(tmp_path),
        "OPENCTO_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
        "OPENAI_API_KEY": "sk-proj-canary123456",
        "OPENAI_BASE_URL": "http://localhost:11434",
        "OPENCTO_TRUSTED_PROXIES": "10.0.0.0/8 192.0.2.1",
        "OPENCTO_DATABASE_URL": "postgres://ada@db/opencto",
        "OPENCTO_TLS_CERT": "/c.pem",
        "OPENCTO_TLS_KEY": "/k.pem",
    }
    settings = load(environ).settings
    assert restore(snapshot(settings)) == settings


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ({}, "http://127.0.0.1:8787"),
        ({"OPENCTO_HOST": "0.0.0.0", "OPENCTO_PORT": "80"}, "http://127.0.0.1:80"),
        ({"OPENCTO_HOST": "::"}, "http://[::1]:8787"),
        ({"OPENCTO_TLS": "self-signed"}, "https://127.0.0.1:8787"),
        ({"OPENCTO_PUBLIC_URL": "https://cto.example.com/"}, "https://cto.example.com"),
    ],
)
def test_links_begin_with_the_public_origin_else_with_the_address(
    tmp_path: Path, given: dict[str, str], origin: str
) -> None:
    assert load({"OPENCTO_DATA_DIR": str(tmp_path), **given}).settings.origin == origin


def test_the_data_directory_follows_xdg() -> None:
    assert default_data_dir({"XDG_DATA_HOME": "/d"}) == Path("/d/opencto")
    assert default_data_dir({"HOME": "/home/ada"}) == Path("/home/ada/.local/share/opencto")


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "opencto.env").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"opencto\.env"):
        load({"OPENCTO_DATA_DIR": str(tmp_path)})
