"""A spoken question about money, from file to file, with nothing configured: `opencto up`, `opencto talk`."""

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from client.realtime.pulse import sound_system
from journeys.program import PATIENCE_SECONDS, Program, environment, opencto
from journeys.terminal import Terminal
from opencto.client.realtime.audio.wav import read_wav
from opencto.sandbox.hearing.whisper import Whisper
from opencto.sandbox.speech.pico import Pico


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("talk") / "data"


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Program]:
    with Program(data) as program:
        yield program


async def _spoken(text: str, voice: str) -> bytes:
    return b"".join([piece.pcm async for piece in Pico().speak(text, voice=voice)])


def written(path: Path, text: str, voice: str = "marin") -> Path:
    return keep(path, asyncio.run(_spoken(text, voice)))


def keep(path: Path, pcm: bytes) -> Path:
    with contextlib.closing(wave.open(str(path), "wb")) as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24000)
        file.writeframes(pcm)
    return path


def words(text: str) -> set[str]:
    """As the recogniser may write them down: without case, signs, or where one word ends in `real-time`."""
    return set(re.findall(r"\d+(?:\.\d+)?|[^\W\d_]+", text.lower().replace("-", "").replace("real time", "realtime")))


def told(done: Any) -> dict[str, Any]:
    assert done.returncode == 0, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def cost(output: dict[str, Any]) -> set[str]:
    return {f"{Decimal(output['cost']):.2f}"}


def limits(output: dict[str, Any]) -> set[str]:
    return {str(one["limit"]) for one in output["limits"]}


def how_many(output: dict[str, Any]) -> set[str]:
    return {str(len(output["models"]))}


@pytest.mark.parametrize(
    ("voice", "said", "caught", "tool", "facts"),
    [
        pytest.param(
            "marin", "How much money did we spend last week?", "money week", "get_openai_usage", cost, id="money"
        ),
        pytest.param("ash", "What is left of our limits?", "left limits", "get_limits_status", limits, id="limits"),
        pytest.param("verse", "Which models do we have?", "which models", "list_openai_models", how_many, id="models"),
    ],
)
def test_a_spoken_question_is_answered_aloud_with_what_a_tool_says(
    server: Program,
    data: Path,
    tmp_path: Path,
    voice: str,
    said: str,
    caught: str,
    tool: str,
    facts: Callable[[dict[str, Any]], set[str]],
) -> None:
    question = written(tmp_path / "question.wav", said, voice)
    answer = tmp_path / "answer.wav"
    assert server.port
    found = told(opencto("talk", "--in", str(question), "--out", str(answer), "--json", data=data))
    assert found["keySource"] == "sandbox"
    kinds = [(one["kind"], one["role"]) for one in found["items"]]
    assert kinds == [("message", "user"), ("call", None), ("output", None), ("message", "assistant")]
    asked, call, output, answered = found["items"]
    assert set(caught.split()) <= words(asked["text"])
    assert (call["call"]["name"], call["call"]["state"]) == (tool, "done")
    assert output["callId"] == call["callId"]
    assert {"connect", "eos_to_first_sound", "ttfa_model", "tool_wall"} <= set(found["latency"])
    assert found["usage"]["outputAudioTokens"] > 0
    assert found["error"] is None
    heard = words(asyncio.run(Whisper().transcribe(read_wav(answer)[: 29 * 48000], is_final=True)).text)
    spoken = words(answered["text"])
    assert facts(json.loads(output["text"])) <= heard, (heard, answered["text"])
    assert len(heard & spoken) >= len(spoken) * 0.4, (heard, answered["text"])


def test_a_change_that_is_asked_for_aloud_waits_for_a_yes_and_what_came_of_it_is_said(
    server: Program, data: Path, tmp_path: Path
) -> None:
    question = written(tmp_path / "question.wav", "Please set the monthly budget to four hundred dollars.")
    answer = tmp_path / "answer.wav"
    assert server.port
    command = [sys.executable, "-m", "opencto", "talk", "--in", str(question), "--out", str(answer), "--json"]
    with subprocess.Popen(
        command,
        env=environment(OPENCTO_DATA_DIR=str(data)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as talk:
        assert talk.stderr is not None
        asked = json.loads(talk.stderr.readline())
        assert (asked["event"], asked["approval"]["arguments"]) == ("approval.requested", {"monthly_usd": 400})
        approved = told(opencto("approvals", "approve", asked["approval"]["id"], "--json", data=data))
        out, err = talk.communicate(timeout=PATIENCE_SECONDS)
    assert talk.returncode == 0, err
    found = json.loads(out)
    assert approved["output"]["monthly_budget_usd"] == "400.00"
    assert json.loads(err.splitlines()[0])["state"] == "done"
    said = [one["text"] for one in found["items"] if one["role"] == "assistant"]
    assert "nothing was done yet" in said[0]
    assert "approved it, and it was done" in said[-1]
    heard = words(asyncio.run(Whisper().transcribe(read_wav(answer)[-20 * 48000 :], is_final=True)).text)
    assert len(heard & words(said[-1])) >= len(words(said[-1])) * 0.4, (heard, said[-1])


def test_at_a_terminal_one_speaks_into_a_microphone_and_decides_with_a_key(
    server: Program, data: Path, tmp_path: Path
) -> None:
    question = written(tmp_path / "question.wav", "Please set the monthly budget to seven hundred dollars.")
    assert server.port
    with sound_system(tmp_path) as card, Terminal("talk", OPENCTO_DATA_DIR=str(data), **card) as screen:
        screen.until("listening i interrupt · m mute · q end")
        screen.press("m")
        screen.until("muted")
        screen.press("m")
        screen.until("listening")
        subprocess.run(
            ["paplay", "--device=microphone", str(question)], env={**os.environ, **card}, check=True, timeout=30
        )
        screen.until("hearing you")
        screen.until("You: Please set the monthly budget to")
        screen.until("⚙ set_monthly_budget waits for an approval")
        screen.until('? set_monthly_budget (changes) {"monthly_usd": 700}')
        screen.until("Nothing is done without a yes. y approves, n declines")
        screen.press("y")
        screen.until("set_monthly_budget: approved and done")
        screen.until("OpenCTO: The monthly budget is 700 dollars.")
        screen.press("q")
        assert screen.wait() == 0
        screen.until("the local sandbox: nobody is billed")
        screen.until("first sound after your last word: ")
        assert "ALSA" not in screen.text, "what a library writes stands in nobody's captions"
    assert json.loads(opencto("limits", "show", "--json", data=data).stdout)["spend"]["monthlyUsd"] == "700.00"


HINT = "g goes on with the answer that was cut short"
LAST_WORDS = "It counts for the whole server."


def test_at_a_terminal_a_key_goes_on_with_what_another_cut_short(server: Program, data: Path, tmp_path: Path) -> None:
    question = written(tmp_path / "question.wav", "How much money did we spend last week?")
    assert server.port
    with sound_system(tmp_path) as card, Terminal("talk", OPENCTO_DATA_DIR=str(data), **card) as screen:
        screen.until("listening i interrupt · m mute · q end")
        subprocess.run(
            ["paplay", "--device=microphone", str(question)], env={**os.environ, **card}, check=True, timeout=30
        )
        screen.until("OpenCTO: From")
        screen.until(LAST_WORDS)
        screen.until("speaking")
        time.sleep(1)  # of the answer is heard
        screen.press("i")
        screen.until(HINT)
        screen.until("listening i interrupt")
        screen.press("g")
        screen.until("speaking")
        screen.until(LAST_WORDS)  # which nobody had heard
        screen.press("q")
        assert screen.wait() == 0
        after = screen.text[screen.text.rindex(HINT) :]
        assert LAST_WORDS in after, "it is offered no more"
        assert "OpenCTO: From" not in after, "and what was heard already is not said again"
        assert max(map(len, screen.lines)) <= 80


def test_after_a_noise_it_goes_on_by_itself_where_that_is_wanted(server: Program, data: Path, tmp_path: Path) -> None:
    pause = bytes(48 * 4_500)
    parts = [asyncio.run(_spoken(text, "marin")) for text in ("How much money did we spend last week?", "Uh-huh.")]
    question, answer = keep(tmp_path / "question.wav", pause.join(parts)), tmp_path / "answer.wav"
    assert server.port
    found = told(opencto("talk", "--in", str(question), "--out", str(answer), "--json", "--go-on", data=data))
    asked, noise = [one["text"] for one in found["items"] if one["role"] == "user"]
    assert {"how", "money", "week"} <= words(asked)
    assert words(noise) <= {"uhhuh", "uh", "huh"}, "as it was understood"
    answers = [one for one in found["items"] if one["role"] == "assistant"]
    assert [one["status"] for one in answers] == ["interrupted", "completed"]
    assert answers[0]["unspoken"].strip() == answers[1]["text"].strip()
    assert answers[1]["text"].endswith(LAST_WORDS)


def test_at_a_terminal_one_writes_and_declines(server: Program, data: Path) -> None:
    assert server.port
    with Terminal("talk", "--text", OPENCTO_DATA_DIR=str(data)) as screen:
        screen.until("Write a line and press Enter. Ctrl+D ends.")
        screen.press("Please set the monthly budget to 250 dollars\n")
        screen.until('? set_monthly_budget (changes) {"monthly_usd": 250}')
        screen.press("n\n")
        screen.until("⚙ set_monthly_budget: Local owner denied it. Nothing was done.")
        screen.until("OpenCTO: That did not work")
        screen.press("\x04")
        assert screen.wait() == 0
        screen.until("the local sandbox: nobody is billed")
        assert "You:" not in screen.text, "it stands there already, where it was typed"
        assert max(map(len, screen.lines)) <= 80, "the words of a narrow screen are broken between them"


def test_in_writing_lines_are_answered_one_after_the_other(server: Program, data: Path) -> None:
    assert server.port
    found = told(opencto("talk", "--text", "--json", data=data, typed="Good morning\n\nThank you\n"))
    assert [one["role"] for one in found["items"]] == ["user", "assistant", "user", "assistant"]
    assert found["items"][0]["text"] == "Good morning"
    plain = opencto("talk", "--text", data=data, typed="Good morning\n")
    assert plain.returncode == 0
    assert plain.stdout.startswith("You: Good morning\nOpenCTO: ")
    assert "nobody is billed" in plain.stdout


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["--text", "--go-on"], "no noise cuts an answer short", 2),
        (["--in", "nothing.wav", "--out", "a.wav"], "There is no file nothing.wav", 1),
        (["--text", "--out", "a.wav"], "it is for writing", 2),
        (["--in", "q.wav", "--ptt"], "a file holds no key", 2),
        (["--out", "a.mp3"], ".wav", 2),
        (["--out", "no/such/folder/a.wav"], "there is no folder", 2),
    ],
)
def test_what_cannot_be_is_a_sentence(server: Program, data: Path, arguments: list[str], said: str, code: int) -> None:
    assert server.port
    done = opencto("talk", *arguments, data=data)
    assert said in " ".join(done.stderr.replace("│", " ").split()), done.stderr
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_a_model_that_is_not_allowed_is_refused_in_a_sentence(server: Program, data: Path) -> None:
    assert server.port
    done = opencto("talk", "--text", "--model", "gpt-nonsense", data=data, typed="Hello\n")
    assert done.returncode == 1
    assert "gpt-nonsense is not allowed" in done.stderr
