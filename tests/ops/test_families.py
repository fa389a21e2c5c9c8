"""What is known of models by their id."""

import re
from datetime import date

import pytest

from opencto.core.settings import Settings
from opencto.ops.families import families


@pytest.mark.parametrize(
    ("model", "capabilities"),
    [
        ("gpt-6-luna", ("chat", "responses")),
        ("gpt-6.2-astra", ("chat", "responses")),
        ("gpt-5-codex-mini", ("responses",)),
        ("gpt-4o", ("chat", "responses")),
        ("gpt-4o-mini-transcribe", ("transcription",)),
        ("gpt-4o-transcribe-diarize", ("transcription",)),
        ("gpt-realtime-2.1", ("realtime",)),
        ("gpt-audio-1.5", ("chat", "audio")),
        ("text-embedding-3-small", ("embeddings",)),
        ("whisper-1", ("transcription",)),
        ("ft:gpt-4o-mini:acme::id", ("chat", "responses")),
        ("gpt-3.5-turbo-instruct-0914", ("completions",)),
        ("gpt-60", ()),
        ("gpt", ()),
        ("llama3.3", ()),
        ("gpt-live-1", ()),
    ],
)
def test_the_family_of_an_id_says_what_a_model_can(model: str, capabilities: tuple[str, ...]) -> None:
    assert families().capabilities_of(model) == capabilities


def test_the_data_says_of_which_day_it_is_and_every_end_is_of_a_known_family() -> None:
    known = families()
    assert known.as_of >= date(2026, 11, 23)
    assert [model for model in known.shutdown if not known.capabilities_of(model)] == []
    assert known.shutdown_of("gpt-realtime") == date(2027, 1, 20)
    assert known.shutdown_of("gpt-realtime-2.1") is None, "an end is of exactly one id"


def test_no_default_of_ours_names_a_model_that_ends() -> None:
    defaults = {name: info.default for name, info in Settings.model_fields.items() if re.search("_model$", name)}
    assert len(defaults) >= 6
    assert {name: model for name, model in defaults.items() if families().shutdown_of(model)} == {}
    assert {name: model for name, model in defaults.items() if not families().capabilities_of(model)} == {}
