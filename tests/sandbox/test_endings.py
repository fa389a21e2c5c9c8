"""Answers that end in a refusal, a filter, a failure or an error, by a fault and by a sentence."""

import openai
import pytest
from openai.types.responses import ResponseErrorEvent, ResponseStreamEvent
from pydantic import BaseModel

from opencto.sandbox.endings import KINDS, REFUSAL, SENTENCES
from opencto.testing import RunningSandbox
from strict_openai import strictly

MODEL = "gpt-6-luna"


class Triage(BaseModel):
    summary: str


def streamed(ai: openai.OpenAI, text: str) -> list[ResponseStreamEvent]:
    with ai.responses.create(model=MODEL, input=text, stream=True) as stream:
        return list(stream)


@pytest.mark.parametrize("by_fault", [True, False])
def test_a_refusal_is_a_part_of_its_own(sandbox: RunningSandbox, ai: openai.OpenAI, *, by_fault: bool) -> None:
    if by_fault:
        sandbox.fail("refusal", times=3)
    text = "Hello" if by_fault else "sandbox: refuse"
    parsed = ai.responses.parse(model=MODEL, input=text, text_format=Triage)
    assert parsed.status == "completed"
    assert parsed.output_parsed is None
    kinds = [event.type for event in streamed(ai, text)]
    assert [kind for kind in dict.fromkeys(kinds) if "refusal" in kind] == [
        "response.refusal.delta",
        "response.refusal.done",
    ]
    assert "response.output_text.delta" not in kinds
    chat = ai.chat.completions.parse(
        model=MODEL, messages=[{"role": "user", "content": text}], response_format=Triage
    ).choices[0]
    assert (chat.message.refusal, chat.message.content, chat.finish_reason) == (REFUSAL, None, "stop")
    assert ai.models.retrieve(MODEL).id == MODEL


@pytest.mark.parametrize("by_fault", [True, False])
def test_a_filter_ends_an_answer_in_its_middle(sandbox: RunningSandbox, ai: openai.OpenAI, *, by_fault: bool) -> None:
    if by_fault:
        sandbox.fail("incomplete")
    text = "Hello" if by_fault else "sandbox: stop short"
    answer = ai.responses.create(model=MODEL, input=text)
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "content_filter"
    assert streamed(ai, text)[-1].type == "response.incomplete"
    with pytest.raises(openai.ContentFilterFinishReasonError):
        ai.chat.completions.parse(model=MODEL, messages=[{"role": "user", "content": text}], response_format=Triage)


@pytest.mark.parametrize("by_fault", [True, False])
def test_a_response_fails_with_two_hundred(sandbox: RunningSandbox, ai: openai.OpenAI, *, by_fault: bool) -> None:
    if by_fault:
        sandbox.fail("failed")
    text, code = ("Hello", "server_error") if by_fault else ("sandbox: fail with invalid_prompt", "invalid_prompt")
    answer = ai.responses.create(model=MODEL, input=text)
    assert (answer.status, answer.output, answer.usage) == ("failed", [], None)
    assert answer.error is not None
    assert answer.error.code == code
    assert [event.type for event in streamed(ai, text)] == [
        "response.created",
        "response.in_progress",
        "response.failed",
    ]
    with pytest.raises(openai.InternalServerError):
        ai.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}])


@pytest.mark.parametrize("by_fault", [True, False])
def test_a_stream_ends_with_an_error_in_its_middle(
    sandbox: RunningSandbox, ai: openai.OpenAI, *, by_fault: bool
) -> None:
    if by_fault:
        sandbox.fail("error_event")
    text = "Hello" if by_fault else "sandbox: break off"
    events = streamed(ai, text)
    assert [event.type for event in events][-3:] == ["response.output_text.delta"] * 2 + ["error"]
    error = strictly(ResponseErrorEvent, events[-1].model_dump())
    assert (error.code, error.param, error.sequence_number) == ("server_error", None, len(events) - 1)
    words: list[str] = []
    with (
        pytest.raises(openai.APIError),
        ai.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}], stream=True) as chunks,
    ):
        words.extend(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert len([word for word in words if word]) == 2
    with pytest.raises(openai.InternalServerError):
        ai.responses.create(model=MODEL, input=text)


def test_the_sentences_are_said_alone_and_by_the_user(ai: openai.OpenAI) -> None:
    for text in ("Please sandbox: refuse", "sandbox: refuse and explain", "sandbox: fail with nonsense"):
        assert ai.responses.create(model=MODEL, input=text).status == "completed"
        assert REFUSAL not in str(ai.responses.create(model=MODEL, input=text).output)
    quoted = ai.responses.create(model=MODEL, input=[{"role": "system", "content": "sandbox: fail"}])
    assert quoted.status == "completed"
    assert len(SENTENCES) == len(KINDS)
