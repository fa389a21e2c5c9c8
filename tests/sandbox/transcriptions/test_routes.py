"""Transcriptions, judged by the official package: what the ears hear, whole and streamed, and what is refused."""

import io
import wave
from collections.abc import Generator
from typing import Any

import httpx2
import openai
import pytest
from openai.types.audio import Transcription

from opencto.sandbox.ports import BYTES_PER_MS, SAMPLE_RATE, CannotHearError, Heard, TurnDetector, TurnSettings
from opencto.sandbox.senses import Senses
from opencto.testing import ManualClock, RunningSandbox, running_sandbox
from strict_openai import strictly

KEY = "sk-test-0123456789abcdef"
MODEL = "gpt-transcribe"


class FakeEars:
    """Hears what the test says; what it was given is kept."""

    def __init__(self, text: str | None) -> None:
        self._text = text
        self.heard: list[tuple[int, bool, str]] = []

    @property
    def recogniser(self) -> "FakeEars":
        return self

    @property
    def is_busy(self) -> bool:
        return False

    async def transcribe(self, pcm: bytes, *, is_final: bool, prompt: str = "") -> Heard:
        if self._text is None:
            raise CannotHearError("Install the ears.")
        self.heard.append((len(pcm) // BYTES_PER_MS, is_final, prompt))
        return Heard(self._text)

    def turn_detector(self, settings: TurnSettings, *, start_ms: int = 0) -> TurnDetector:
        raise NotImplementedError


def wav(milliseconds: int = 1500, *, width: int = 2, channels: int = 1, rate: int = SAMPLE_RATE) -> bytes:
    found = io.BytesIO()
    with wave.open(found, "wb") as sound:
        sound.setsampwidth(width)
        sound.setnchannels(channels)
        sound.setframerate(rate)
        sound.writeframes(bytes(milliseconds * rate // 1000 * width * channels))
    return found.getvalue()


@pytest.fixture
def ears() -> FakeEars:
    return FakeEars("Roll back checkout, please.")


@pytest.fixture
def sandbox(ears: FakeEars, clock: ManualClock) -> Generator[RunningSandbox]:
    with running_sandbox(clock=clock, senses=Senses(ears, None)) as sandbox:
        yield sandbox


@pytest.fixture
def ai(sandbox: RunningSandbox) -> Generator[openai.OpenAI]:
    with openai.OpenAI(api_key=KEY, base_url=sandbox.base_url, max_retries=0, timeout=20) as ai:
        yield ai


def post(sandbox: RunningSandbox, file: bytes | None = None, **fields: Any) -> httpx2.Response:
    files = {"file": ("speech.wav", wav() if file is None else file)}
    headers = {"Authorization": f"Bearer {KEY}"}
    return httpx2.post(
        f"{sandbox.base_url}/audio/transcriptions", files=files, data=fields, headers=headers, timeout=20
    )


def test_a_file_is_heard_and_the_usage_is_counted(sandbox: RunningSandbox, ears: FakeEars) -> None:
    answer = post(sandbox, None, model=MODEL, prompt="Names: Ada", **{"keywords[]": "checkout"})
    body = answer.json()
    strictly(Transcription, body)
    assert body["text"] == "Roll back checkout, please."
    assert body["usage"]["input_token_details"]["audio_tokens"] == 15
    assert ears.heard == [(1500, True, "Names: Ada checkout")]
    assert "x-ratelimit-remaining-tokens" in answer.headers


@pytest.mark.parametrize(("width", "channels", "rate"), [(1, 1, 8000), (2, 2, 44100), (3, 1, 16000), (4, 1, 48000)])
def test_every_plain_wav_becomes_what_the_ears_take(
    sandbox: RunningSandbox, ears: FakeEars, width: int, channels: int, rate: int
) -> None:
    assert post(sandbox, wav(1000, width=width, channels=channels, rate=rate), model=MODEL).status_code == 200
    assert abs(ears.heard[0][0] - 1000) <= 1


def test_the_official_package_reads_a_stream(ai: openai.OpenAI) -> None:
    with ai.audio.transcriptions.create(model=MODEL, file=("a.wav", wav()), stream=True) as stream:
        events = list(stream)
    assert "".join(one.delta for one in events if one.type == "transcript.text.delta") == "Roll back checkout, please."
    last = events[-1]
    assert last.type == "transcript.text.done"
    assert last.text == "Roll back checkout, please."


def test_the_official_package_reads_text_and_the_old_model_counts_seconds(ai: openai.OpenAI) -> None:
    text = ai.audio.transcriptions.create(model=MODEL, file=("a.wav", wav()), response_format="text")
    assert str(text).strip() == "Roll back checkout, please."
    old = ai.audio.transcriptions.create(model="whisper-1", file=("a.wav", wav()))
    assert old.usage is not None
    assert old.usage.model_dump() == {"type": "duration", "seconds": 2}


def test_what_was_heard_is_in_the_books_and_costs_are_not_invented(sandbox: RunningSandbox, clock: ManualClock) -> None:
    post(sandbox, model=MODEL)
    start = int(clock.now().timestamp()) // 86_400 * 86_400
    admin = {"Authorization": "Bearer sk-admin-0123456789abcdef"}
    url = f"{sandbox.base_url}/organization"
    usage = httpx2.get(
        f"{url}/usage/audio_transcriptions", params={"start_time": start}, headers=admin, timeout=20
    ).json()
    [result] = usage["data"][0]["results"]
    assert (result["seconds"], result["num_model_requests"]) == (2, 1)
    costs = httpx2.get(f"{url}/costs", params={"start_time": start}, headers=admin, timeout=20)
    assert [bucket["results"] for bucket in costs.json()["data"]] == [[]]


@pytest.mark.parametrize(
    ("file", "fields", "status", "param"),
    [
        (b"ID3 not a wav", {"model": MODEL}, 400, "file"),
        (wav()[:30], {"model": MODEL}, 400, "file"),
        (None, {}, 400, "model"),
        (None, {"model": "gpt-6-luna"}, 404, "model"),
        (None, {"model": "nothing"}, 404, "model"),
        (None, {"model": MODEL, "language": "de"}, 400, "language"),
        (None, {"model": MODEL, "response_format": "srt"}, 400, "response_format"),
        (None, {"model": MODEL, "response_format": "xml"}, 400, "response_format"),
        (None, {"model": MODEL, "colour": "red"}, 400, "colour"),
        (None, {"model": MODEL, "include[]": "logprobs"}, 400, "include"),
        (None, {"model": MODEL, "stream": "maybe"}, 400, "stream"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(
    sandbox: RunningSandbox, file: bytes | None, fields: dict[str, str], status: int, param: str
) -> None:
    answer = post(sandbox, file, **fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)


def test_without_a_form_or_a_file_it_says_so(sandbox: RunningSandbox) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    url = f"{sandbox.base_url}/audio/transcriptions"
    assert "multipart" in httpx2.post(url, json={}, headers=headers, timeout=20).json()["error"]["message"]
    form = httpx2.post(url, data={"model": MODEL}, files={"x": b""}, headers=headers, timeout=20)
    assert form.json()["error"]["param"] in {"file", "x"}


@pytest.mark.parametrize("senses", [Senses(FakeEars(None), None), Senses()])
def test_without_ears_it_says_how_to_add_them(clock: ManualClock, senses: Senses) -> None:
    with running_sandbox(clock=clock, senses=senses) as sandbox:
        answer = post(sandbox, model=MODEL)
    assert answer.status_code == 400
    assert "nstall" in answer.json()["error"]["message"]
