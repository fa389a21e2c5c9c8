"""The official `openai` package must not notice that it talks to a sandbox."""

import openai
import pytest
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from pydantic import BaseModel

from opencto.testing import ManualClock, RunningSandbox
from strict_openai import strictly

pytestmark = pytest.mark.anyio
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]


def test_the_package_lists_and_gets_models(ai: openai.OpenAI) -> None:
    models = {model.id: model for model in ai.models.list()}
    assert models["gpt-6-luna"].shutdown_date is None
    assert models["gpt-5-mini"].shutdown_date == "2026-12-11"
    assert ai.models.retrieve("gpt-6-luna") == models["gpt-6-luna"]
    with pytest.raises(openai.NotFoundError) as refused:
        ai.models.retrieve("gpt-4")  # shut down since October
    assert refused.value.code == "model_not_found"


def test_the_package_completes_a_chat(ai: openai.OpenAI) -> None:
    answer = ai.chat.completions.create(model="gpt-6-luna", messages=HELLO)
    assert "local sandbox" in (answer.choices[0].message.content or "")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


async def test_the_async_package_streams_the_same_answer(async_ai: openai.AsyncOpenAI) -> None:
    whole = await async_ai.chat.completions.create(model="gpt-6-luna", messages=HELLO)
    stream = await async_ai.chat.completions.create(
        model="gpt-6-luna", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [strictly(ChatCompletionChunk, one.model_dump(mode="json", exclude_unset=True)) async for one in stream]
    assert (
        "".join(one.choices[0].delta.content or "" for one in chunks if one.choices) == whole.choices[0].message.content
    )
    assert len({one.id for one in chunks}) == 1
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage == whole.usage
    assert all(one.usage is None for one in chunks[:-1])


def test_the_streaming_helper_of_the_package_puts_the_message_together(ai: openai.OpenAI) -> None:
    with ai.chat.completions.stream(model="gpt-6-luna", messages=HELLO) as stream:
        for _ in stream:
            pass
        assert "local sandbox" in (stream.get_final_completion().choices[0].message.content or "")


def test_the_package_parses_structured_output(ai: openai.OpenAI) -> None:
    class Finding(BaseModel):
        title: str
        severity: int
        tags: list[str]

    answer = ai.chat.completions.parse(model="gpt-6-luna", messages=HELLO, response_format=Finding)
    parsed = answer.choices[0].message.parsed
    assert parsed is not None
    assert "local sandbox" in parsed.title
    assert parsed.tags == []


def test_the_package_mints_a_client_secret(ai: openai.OpenAI, clock: ManualClock) -> None:
    secret = ai.realtime.client_secrets.create(
        expires_after={"anchor": "created_at", "seconds": 60},
        session={"type": "realtime", "model": "gpt-realtime-2.1", "audio": {"output": {"voice": "marin"}}},
    )
    assert secret.value.startswith("ek_")
    assert secret.expires_at == int(clock.now().timestamp()) + 60
    assert secret.session.type == "realtime"
    assert secret.session.audio is not None
    assert secret.session.audio.output is not None
    assert secret.session.audio.output.voice == "marin"


def test_the_package_follows_the_pages_of_usage_with_its_admin_key(ai: openai.OpenAI, clock: ManualClock) -> None:
    for _ in range(3):
        ai.chat.completions.create(model="gpt-6-luna", messages=HELLO)
        clock.advance(86_400)
    begin = int(clock.now().timestamp()) - 5 * 86_400
    page = ai.admin.organization.usage.completions(start_time=begin, limit=2, group_by=["model"])
    counts: list[int] = []
    while True:
        for bucket in page.data:
            for result in bucket.results:
                assert result.object == "organization.usage.completions.result"
                assert result.model == "gpt-6-luna"
                counts.append(result.num_model_requests)
        if not page.has_more or page.next_page is None:
            break
        page = ai.admin.organization.usage.completions(
            start_time=begin, limit=2, group_by=["model"], page=page.next_page
        )
    assert counts == [1, 1, 1]
    costs = ai.admin.organization.usage.costs(start_time=begin, project_ids=["proj_sandbox"])
    amounts = [
        result.amount
        for bucket in costs.data
        for result in bucket.results
        if result.object == "organization.costs.result"
    ]
    assert [type(amount.value) for amount in amounts if amount] == [float, float, float]


@pytest.mark.parametrize(
    ("key", "kind", "code"),
    [
        ("sk-revoked-1", openai.AuthenticationError, "invalid_api_key"),
        ("sk-quota-1", openai.RateLimitError, "insufficient_quota"),
        ("sk-ratelimited-1", openai.RateLimitError, "rate_limit_exceeded"),
        ("sk-restricted-1", openai.PermissionDeniedError, None),
        ("sk-country-1", openai.PermissionDeniedError, "unsupported_country_region_territory"),
        ("not-a-key", openai.AuthenticationError, "invalid_api_key"),
        ("ek_0123456789abcdef", openai.AuthenticationError, "invalid_api_key"),
    ],
)
def test_the_package_raises_what_openai_makes_it_raise(
    sandbox: RunningSandbox, key: str, kind: type[openai.APIStatusError], code: str | None
) -> None:
    with openai.OpenAI(api_key=key, base_url=sandbox.base_url, max_retries=0) as ai:
        with pytest.raises(kind) as refused:
            ai.chat.completions.create(model="gpt-6-luna", messages=HELLO)
        assert refused.value.code == code
        assert refused.value.request_id is not None
        assert refused.value.request_id.startswith("req_")


def test_the_package_does_not_retry_an_empty_account(sandbox: RunningSandbox) -> None:
    with (
        openai.OpenAI(api_key="sk-quota-1", base_url=sandbox.base_url, max_retries=5) as ai,
        pytest.raises(openai.RateLimitError),
    ):
        ai.chat.completions.create(model="gpt-6-luna", messages=HELLO)
    assert len(sandbox.requests) == 1
