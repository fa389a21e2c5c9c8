"""The door over real sockets: what it sends, what it makes of every answer, and what it never does."""

import asyncio
import gzip
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from opencto.core.problems import Problem
from opencto.core.secret import Secret
from opencto.providers.calls import Caps, Deadlines, Retries
from opencto.providers.errors import Upstream, UpstreamProblem
from opencto.providers.openai import OpenAI
from opencto.providers.requests import ChatRequest, RealtimeSession
from opencto.providers.transport import Pool
from providers.upstream import Answer, FakeUpstream, Line, Received, error, fake_upstream, raw, reply, silence, stream

pytestmark = pytest.mark.anyio

KEY = Secret("sk-canary-0123456789abcdef")
SESSION = RealtimeSession("gpt-realtime-2.1", "Be brief.", "marin")
CHAT = ChatRequest("gpt-6-luna", [{"role": "user", "content": "Hi"}])
MINTED = {
    "value": "ek_0123456789",
    "expires_at": 1_800_000_000,
    "session": {"id": "sess_1", "model": "gpt-realtime-2.1"},
}
MODELS = {
    "object": "list",
    "data": [
        {
            "id": "gpt-realtime-2.1",
            "object": "model",
            "created": 1,
            "owned_by": "openai",
            "shutdown_date": "2027-01-20",
        },
        {"id": "gpt-6-luna", "object": "model", "created": 2, "owned_by": "openai"},
    ],
}
CHATTED = {
    "id": "chatcmpl-1",
    "model": "gpt-6-luna",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 19, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4}},
}
QUICK = Deadlines(mint=0.3, models=0.3, chat=0.3, stream=5.0, idle=0.3, organization=0.3)
PATIENT = Deadlines()
IMPATIENT_RETRIES = Retries(first_seconds=0.001)


class Observed:
    def __init__(self) -> None:
        self.calls: list[tuple[Upstream, str | None]] = []

    def __call__(self, upstream: Upstream, code: str | None) -> None:
        self.calls.append((upstream, code))


@asynccontextmanager
async def a_door(
    base_url: str,
    *,
    deadlines: Deadlines = PATIENT,
    caps: Caps | None = None,
    observed: Observed | None = None,
    connect_seconds: float = 5.0,
) -> AsyncGenerator[OpenAI]:
    pool = Pool(connect_seconds=connect_seconds)
    try:
        yield OpenAI(pool, base_url, deadlines=deadlines, caps=caps, retries=IMPATIENT_RETRIES, observe=observed)
    finally:
        await pool.aclose()


@pytest.fixture
async def upstream() -> AsyncGenerator[FakeUpstream]:
    async with fake_upstream() as upstream:
        yield upstream


@pytest.fixture
def observed() -> Observed:
    return Observed()


@pytest.fixture
async def door(upstream: FakeUpstream, observed: Observed) -> AsyncGenerator[OpenAI]:
    async with a_door(upstream.base_url, observed=observed) as door:
        yield door


async def call(door: OpenAI, kind: str, key: Secret | None = KEY) -> Any:
    match kind:
        case "mint":
            return await door.mint_client_secret(key, SESSION, ttl_seconds=60, safety_identifier="abc123")
        case "models":
            return await door.list_models(key)
        case "chat":
            return await door.chat(key, CHAT)
        case "stream":
            async with door.chat_stream(key, CHAT) as answer:
                return [chunk.text async for chunk in answer]
        case _:
            return await door.admin_get(
                key, "organization/costs", {"start_time": 5, "group_by": ["model", "project_id"]}
            )


EVERY_CALL = ("mint", "models", "chat", "stream", "organization")
READS = ("models", "organization")


async def problem_of(door: OpenAI, kind: str, key: Secret | None = KEY) -> UpstreamProblem:
    with pytest.raises(UpstreamProblem) as raised:
        await call(door, kind, key)
    return raised.value


# ---- what goes well


async def test_a_mint_gives_a_secret_that_prints_as_stars(
    upstream: FakeUpstream, door: OpenAI, observed: Observed
) -> None:
    upstream.plant(reply(200, MINTED))
    secret = await call(door, "mint")
    assert secret.value.reveal() == "ek_0123456789"
    assert "ek_" not in repr(secret)
    assert (secret.expires_at, secret.session_id, secret.model) == (1_800_000_000, "sess_1", "gpt-realtime-2.1")
    assert (secret.upstream.status, secret.upstream.request_id, secret.upstream.attempts) == (200, "req_up_1", 1)
    assert secret.upstream.seconds > 0
    assert [(one.operation, code) for one, code in observed.calls] == [("realtime.client_secrets", None)]


async def test_models_say_when_they_are_shut_down(upstream: FakeUpstream, door: OpenAI) -> None:
    upstream.plant(reply(200, MODELS, openai_organization="org-1"))
    found = await door.list_models(KEY)
    assert [(model.id, model.shutdown_date) for model in found.models] == [
        ("gpt-realtime-2.1", "2027-01-20"),
        ("gpt-6-luna", None),
    ]
    assert found.organization == "org-1"


async def test_a_chat_answer_has_its_words_and_its_tokens(upstream: FakeUpstream, door: OpenAI) -> None:
    upstream.plant(reply(200, CHATTED))
    answer = await door.chat(KEY, CHAT)
    assert (answer.text, answer.finish_reason, answer.model) == ("Hi", "stop", "gpt-6-luna")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.cached_tokens, answer.usage.completion_tokens) == (19, 4, 10)


async def test_tool_calls_come_with_null_content(upstream: FakeUpstream, door: OpenAI) -> None:
    asked = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [asked]}
    upstream.plant(reply(200, {"choices": [{"message": message, "finish_reason": "tool_calls"}]}))
    answer = await door.chat(KEY, CHAT)
    assert [(one.id, one.function.name) for one in answer.tool_calls] == [("call_1", "weather")]
    assert (answer.text, answer.usage) == ("", None)


async def test_lists_of_an_organization_call_go_out_with_brackets(upstream: FakeUpstream, door: OpenAI) -> None:
    upstream.plant(reply(200, {"object": "page", "data": [{"object": "bucket"}], "has_more": True, "next_page": "p2"}))
    page = await call(door, "organization")
    assert upstream.received[0].target == (
        "/v1/organization/costs?start_time=5&group_by%5B%5D=model&group_by%5B%5D=project_id"
    )
    assert (page.data, page.has_more, page.next_page) == (({"object": "bucket"},), True, "p2")


@pytest.mark.parametrize(
    "path", ["organization", "models", "organization/../models", "organization/a?b", "/organization/costs"]
)
async def test_an_organization_call_reaches_nothing_else(door: OpenAI, path: str) -> None:
    with pytest.raises(ValueError, match="organization/"):
        await door.admin_get(KEY, path, {})


async def test_compressed_answers_are_read(upstream: FakeUpstream, door: OpenAI) -> None:
    upstream.plant(raw(200, gzip.compress(b'{"data": []}'), Content_Encoding="gzip"))
    assert (await call(door, "models")).models == ()


# ---- what leaves the house


@pytest.mark.parametrize("kind", EVERY_CALL)
async def test_only_headers_of_our_own_leave(upstream: FakeUpstream, door: OpenAI, kind: str) -> None:
    upstream.plant(reply(200, {}))
    await problem_of(door, kind)
    allowed = {"host", "accept", "accept-encoding", "user-agent", "authorization", "content-type", "content-length"}
    if kind == "mint":
        allowed.add("openai-safety-identifier")
    headers = upstream.received[0].headers
    assert set(headers) <= allowed
    assert headers["authorization"] == f"Bearer {KEY.reveal()}"
    assert headers["user-agent"] == "OpenCTO"


@pytest.mark.parametrize("kind", EVERY_CALL)
async def test_without_a_key_no_authorization_leaves(upstream: FakeUpstream, door: OpenAI, kind: str) -> None:
    upstream.plant(reply(200, {}))
    await problem_of(door, kind, None)
    assert "authorization" not in upstream.received[0].headers


@pytest.mark.parametrize("kind", EVERY_CALL)
@pytest.mark.parametrize("key", ["", "sk-a\nX-Evil: 1", "sk a", "sk-ü", "sk-\x7f", "x" * 1001])
async def test_a_key_that_could_break_a_header_is_never_sent(
    upstream: FakeUpstream, door: OpenAI, kind: str, key: str
) -> None:
    problem = await problem_of(door, kind, Secret(key))
    assert (problem.code, problem.cause) == ("PROVIDER_KEY_REJECTED", "malformed_key")
    assert upstream.connections == 0


async def test_cookies_of_theirs_are_not_kept(upstream: FakeUpstream, door: OpenAI) -> None:
    upstream.plant(reply(200, MODELS, Set_Cookie="__cf=1; Path=/"))
    await call(door, "models")
    await call(door, "models")
    assert "cookie" not in upstream.received[1].headers


@pytest.mark.parametrize("kind", EVERY_CALL)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(upstream: FakeUpstream, door: OpenAI, kind: str, status: int) -> None:
    async with fake_upstream() as elsewhere:
        elsewhere.plant(reply(200, MINTED))
        upstream.plant(reply(status, {}, Location=elsewhere.base_url + "/models"))
        problem = await problem_of(door, kind)
        assert (problem.status, problem.code, problem.cause) == (502, "PROVIDER_ERROR", "redirect")
        assert elsewhere.connections == 0
    assert len(upstream.received) == 1


# ---- what theirs becomes

REFUSALS: list[tuple[str, Answer, int, str, str]] = [
    ("401", error(401, "invalid_request_error", "invalid_api_key"), 502, "PROVIDER_KEY_REJECTED", "invalid_key"),
    ("401 without body", raw(401, b""), 502, "PROVIDER_KEY_REJECTED", "invalid_key"),
    (
        "401 scopes",
        error(
            401,
            "invalid_request_error",
            None,
            "You have insufficient permissions. Missing scopes: api.usage.read. Check",
        ),
        502,
        "PROVIDER_KEY_REJECTED",
        "missing_scopes",
    ),
    (
        "403 country",
        error(403, "request_forbidden", "unsupported_country_region_territory"),
        502,
        "PROVIDER_KEY_REJECTED",
        "unsupported_region",
    ),
    (
        "403 model",
        error(403, "invalid_request_error", "model_not_found"),
        502,
        "PROVIDER_KEY_REJECTED",
        "model_not_found",
    ),
    ("403", error(403, "invalid_request_error", None), 502, "PROVIDER_KEY_REJECTED", "forbidden"),
    ("404 model", error(404, "invalid_request_error", "model_not_found"), 502, "PROVIDER_ERROR", "model_not_found"),
    ("404", raw(404, b"<html>no</html>", Content_Type="text/html"), 502, "PROVIDER_ERROR", "refused"),
    ("400", error(400, "invalid_request_error", "unknown_parameter"), 502, "PROVIDER_ERROR", "refused"),
    ("400 long", error(400, "invalid_request_error", "context_length_exceeded"), 502, "PROVIDER_ERROR", "too_long"),
    ("409", error(409, "conflict", None), 502, "PROVIDER_ERROR", "refused"),
    ("429", error(429, "requests", "rate_limit_exceeded"), 429, "PROVIDER_RATE_LIMITED", "rate_limit"),
    ("429 slow", error(429, "rate_limit_error", "slow_down"), 429, "PROVIDER_RATE_LIMITED", "slow_down"),
    ("429 html", raw(429, b"<html>"), 429, "PROVIDER_RATE_LIMITED", "rate_limit"),
    (
        "429 credit",
        error(429, "insufficient_quota", "credit_balance_exhausted"),
        429,
        "PROVIDER_QUOTA_EXHAUSTED",
        "quota",
    ),
    (
        "429 spend",
        error(429, "insufficient_quota", "project_spend_limit_exceeded"),
        429,
        "PROVIDER_QUOTA_EXHAUSTED",
        "quota",
    ),
    ("429 older", error(429, "x", "insufficient_quota"), 429, "PROVIDER_QUOTA_EXHAUSTED", "quota"),
    ("500", error(500, "server_error", None), 502, "PROVIDER_ERROR", "server_error"),
    ("503", error(503, "server_error", "overloaded"), 502, "PROVIDER_ERROR", "overloaded"),
    ("502 html", raw(502, b"<html>bad gateway</html>"), 502, "PROVIDER_ERROR", "server_error"),
    ("error is text", reply(400, {"error": "canary text of theirs"}), 502, "PROVIDER_ERROR", "refused"),
    ("error is a list", reply(400, [1]), 502, "PROVIDER_ERROR", "refused"),
    ("error is a number", reply(400, {"error": 5}), 502, "PROVIDER_ERROR", "refused"),
    ("200 html", raw(200, b"<html>hello</html>", Content_Type="text/html"), 502, "PROVIDER_ERROR", "garbage"),
    (
        "200 half",
        raw(200, b'{"value": "ek_01234567", "data": [', Content_Type="application/json"),
        502,
        "PROVIDER_ERROR",
        "garbage",
    ),
    ("200 error", error(200, "server_error", None), 502, "PROVIDER_ERROR", "garbage"),
    ("200 empty", raw(200, b""), 502, "PROVIDER_ERROR", "garbage"),
    ("200 null", raw(200, b"null"), 502, "PROVIDER_ERROR", "garbage"),
    ("200 not utf-8", raw(200, b'{"value": "\xff\xff\xff\xff\xff\xff\xff\xff"}'), 502, "PROVIDER_ERROR", "garbage"),
    ("200 deep", raw(200, b"[" * 100_000), 502, "PROVIDER_ERROR", "garbage"),
]


@pytest.mark.parametrize("kind", EVERY_CALL)
@pytest.mark.parametrize(
    ("answer", "status", "code", "cause"), [one[1:] for one in REFUSALS], ids=[one[0] for one in REFUSALS]
)
async def test_every_refusal_becomes_a_problem_of_ours(
    upstream: FakeUpstream,
    door: OpenAI,
    observed: Observed,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    answer: Answer,
    status: int,
    code: str,
    cause: str,
) -> None:
    upstream.plant(answer)
    problem = await problem_of(door, kind)
    assert (problem.status, problem.code, problem.cause) == (status, code, cause)
    body = problem.body("req_1").model_dump(by_alias=True)
    assert body["origin"] == "openai"
    assert "canary" not in str(body)
    assert "Missing scopes" not in str(body)
    assert KEY.reveal() not in str(body) + str(problem.__dict__)
    assert problem.upstream.request_id == "req_up_1"
    assert [told for _, told in observed.calls] == [code]
    if status == 429:
        assert set(problem.headers) == {"Retry-After", "RateLimit", "RateLimit-Policy"}
    printed = capsys.readouterr()
    assert KEY.reveal() not in printed.out + printed.err


async def test_a_key_that_theirs_repeats_is_not_logged(
    upstream: FakeUpstream, door: OpenAI, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="opencto")  # whatever an earlier test has set
    upstream.plant(error(400, "invalid_request_error", None, f"I got {KEY.reveal()} from you"))
    await problem_of(door, "mint")
    printed = capsys.readouterr()
    told = printed.out + printed.err + caplog.text
    assert "request_refused" in told
    assert KEY.reveal() not in told


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, "7"),
        ({"retry-after-ms": "1500"}, "2"),
        ({"retry-after": "0"}, "1"),
        ({"retry-after": "soon"}, "1"),
        ({"retry-after": "-5"}, "1"),
        ({"retry-after": "nan"}, "1"),
        ({"retry-after": "9999999"}, "86400"),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, "1"),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, "360"),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1h2m3.5s"}, "3724"),
        ({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "9s"}, "1"),
        ({}, "1"),
    ],
)
async def test_how_long_to_wait_is_passed_on(
    upstream: FakeUpstream, door: OpenAI, headers: dict[str, str], seconds: str
) -> None:
    headers = {name.replace("-", "_"): value for name, value in headers.items()}
    upstream.plant(error(429, "requests", "rate_limit_exceeded", **headers))
    problem = await problem_of(door, "mint")
    assert problem.headers["Retry-After"] == seconds
    assert problem.headers["RateLimit"] == f'"openai";r=0;t={seconds}'


@pytest.mark.parametrize(
    "value",
    [None, 5, "", "short", "with a blank in it", "line\nbreak-line", "ünicode-secret", "x" * 4097, ["ek_01234567"]],
)
async def test_a_mint_without_a_usable_secret_is_garbage(upstream: FakeUpstream, door: OpenAI, value: object) -> None:
    upstream.plant(reply(200, {**MINTED, "value": value}))
    assert (await problem_of(door, "mint")).cause == "garbage"


@pytest.mark.parametrize("change", [{"expires_at": "soon"}, {"expires_at": 0}, {"expires_at": None}, {"session": 5}])
async def test_a_mint_with_wrong_types_is_garbage(
    upstream: FakeUpstream, door: OpenAI, change: dict[str, object]
) -> None:
    upstream.plant(reply(200, {**MINTED, **change}))
    assert (await problem_of(door, "mint")).cause == "garbage"


@pytest.mark.parametrize("kind", EVERY_CALL)
async def test_more_than_the_cap_is_not_read(upstream: FakeUpstream, kind: str) -> None:
    caps = Caps(mint=1000, models=1000, chat=1000, stream=1000, organization=1000)
    long = b'data: {"choices": []}\n\n' * 100
    upstream.plant(stream(long) if kind == "stream" else raw(200, b" " * 2000))
    async with a_door(upstream.base_url, caps=caps) as door:
        assert (await problem_of(door, kind)).cause == "too_large"


async def test_a_compressed_bomb_is_not_unpacked(upstream: FakeUpstream) -> None:
    upstream.plant(raw(200, gzip.compress(b" " * 50_000_000), Content_Encoding="gzip"))
    async with a_door(upstream.base_url, caps=Caps(models=1_000_000)) as door:
        assert (await problem_of(door, "models")).cause == "too_large"


# ---- silence and broken lines


@pytest.mark.parametrize("kind", EVERY_CALL)
async def test_silence_becomes_a_timeout(upstream: FakeUpstream, kind: str) -> None:
    upstream.plant(silence)
    async with a_door(upstream.base_url, deadlines=QUICK) as door:
        problem = await problem_of(door, kind)
    assert (problem.status, problem.code) == (504, "PROVIDER_TIMEOUT")
    assert problem.upstream.status is None
    assert len(upstream.received) == 1


async def _half_a_body(_received: Received, line: Line) -> None:
    await line.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 500\r\n\r\n{")
    await line.stall()


@pytest.mark.parametrize("kind", EVERY_CALL)
async def test_a_stall_within_the_body_becomes_a_timeout(upstream: FakeUpstream, kind: str) -> None:
    upstream.plant(_half_a_body)
    async with a_door(upstream.base_url, deadlines=QUICK) as door:
        assert (await problem_of(door, kind)).code == "PROVIDER_TIMEOUT"


@pytest.mark.parametrize("kind", EVERY_CALL)
async def test_a_connection_that_never_comes_about_becomes_a_timeout(kind: str) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        fillers = [socket.socket() for _ in range(4)]  # its queue is full: the kernel drops whoever knocks
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(deaf.getsockname())
            base = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
            async with a_door(base, connect_seconds=0.05) as door:
                assert (await problem_of(door, kind)).code == "PROVIDER_TIMEOUT"
        finally:
            for filler in fillers:
                filler.close()


@pytest.mark.parametrize("kind", EVERY_CALL)
async def test_nobody_at_the_address_is_said_so(free_port: int, kind: str) -> None:
    async with a_door(f"http://127.0.0.1:{free_port}/v1") as door:
        problem = await problem_of(door, kind)
    assert (problem.status, problem.code, problem.cause) == (502, "PROVIDER_ERROR", "unreachable")


async def _break(_received: Received, line: Line) -> None:
    line.reset()


async def _nonsense(_received: Received, line: Line) -> None:
    await line.write(b"EHLO this is a mail server\r\n\r\n")


@pytest.mark.parametrize("kind", EVERY_CALL)
async def test_what_does_not_even_speak_http_is_garbage(upstream: FakeUpstream, door: OpenAI, kind: str) -> None:
    upstream.plant(_nonsense)
    assert (await problem_of(door, kind)).cause == "garbage"


# ---- what is repeated, and what never


@pytest.mark.parametrize(
    "answer",
    [_break, error(500, "server_error", None), error(429, "requests", "rate_limit_exceeded", Retry_After_Ms="1")],
)
@pytest.mark.parametrize("kind", READS)
async def test_a_read_is_repeated(upstream: FakeUpstream, door: OpenAI, kind: str, answer: Answer) -> None:
    upstream.plant(answer, reply(200, {"data": []}))
    found = await call(door, kind)
    assert found.upstream.attempts >= 1
    assert len(upstream.received) == 2


@pytest.mark.parametrize(
    "answer", [_break, error(500, "server_error", None), error(429, "requests", "rate_limit_exceeded")]
)
@pytest.mark.parametrize("kind", ["mint", "chat", "stream"])
async def test_a_write_is_never_repeated(upstream: FakeUpstream, door: OpenAI, kind: str, answer: Answer) -> None:
    upstream.plant(answer)
    await problem_of(door, kind)
    assert len(upstream.received) == 1


@pytest.mark.parametrize(
    "answer",
    [
        error(429, "insufficient_quota", "credit_balance_exhausted", Retry_After="1"),
        error(429, "requests", "rate_limit_exceeded", Retry_After="60"),
        error(500, "server_error", None, x_should_retry="false"),
        error(401, "invalid_request_error", "invalid_api_key"),
        raw(200, b"<html>"),
    ],
)
async def test_a_read_that_cannot_succeed_by_waiting_is_not_repeated(
    upstream: FakeUpstream, door: OpenAI, answer: Answer
) -> None:
    upstream.plant(answer)
    await problem_of(door, "models")
    assert len(upstream.received) == 1


async def test_repeats_are_bounded(upstream: FakeUpstream, door: OpenAI) -> None:
    upstream.plant(error(503, "server_error", None))
    problem = await problem_of(door, "models")
    assert (len(upstream.received), problem.upstream.attempts) == (3, 3)


# ---- connections


async def test_connections_are_used_again(upstream: FakeUpstream, door: OpenAI) -> None:
    upstream.plant(reply(200, MINTED))

    async def worker(count: int) -> None:
        for _ in range(count):
            await call(door, "mint")

    async with asyncio.TaskGroup() as group:
        for number in range(16):
            group.create_task(worker(63 if number < 8 else 62))
    assert len(upstream.received) == 1000
    assert upstream.connections <= 32


@pytest.mark.parametrize("status", [400, 401, 429, 500])
async def test_a_refusal_costs_no_connection(upstream: FakeUpstream, door: OpenAI, status: int) -> None:
    upstream.plant(error(status, "x", None))
    for _ in range(5):
        await problem_of(door, "mint")
    assert upstream.connections == 1


# ---- streams

CHUNKS = (
    b'data: {"id":"c","model":"m","choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}\n\n',
    b": keep-alive\r\n\r\n",
    b'data: {"id":"c","choices":[{"delta":{"content":"Gr\xc3',
    b'\xbc\xc3\x9f"},"finish_reason":null}]}\r\n\r\ndata: {"id":"c","choices":[{"delta":{"content":" dich"}}]}\n\n',
    b'data: {"id":"c","choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
    b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n',
    b"data: [DONE]\n\n",
)


async def test_a_stream_gives_words_usage_and_the_end(upstream: FakeUpstream, door: OpenAI, observed: Observed) -> None:
    upstream.plant(stream(*CHUNKS))
    for _ in range(3):
        async with door.chat_stream(KEY, CHAT) as answer:
            assert "".join([chunk.text async for chunk in answer]) == "Grüß dich"
            assert answer.usage is not None
            assert (answer.usage.completion_tokens, answer.finish_reason, answer.model) == (4, "stop", "m")
    assert upstream.connections == 1
    assert [code for _, code in observed.calls] == [None] * 3


async def test_a_refusal_in_a_stream_is_heard(upstream: FakeUpstream, door: OpenAI) -> None:
    upstream.plant(
        stream(
            b'data: {"id":"c","choices":[{"delta":{"refusal":"I will"},"finish_reason":null}]}\n\n',
            b'data: {"id":"c","choices":[{"delta":{"refusal":" not."},"finish_reason":"stop"}]}\n\n',
            b"data: [DONE]\n\n",
        )
    )
    async with door.chat_stream(KEY, CHAT) as answer:
        assert "".join([chunk.text async for chunk in answer]) == "I will not."


async def test_a_chunk_is_never_held_for_the_next(upstream: FakeUpstream, door: OpenAI) -> None:
    go_on = asyncio.Event()

    async def one_by_one(_received: Received, line: Line) -> None:
        await line.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for chunk in CHUNKS:
            await line.write(chunk)
            if b"delta" in chunk and b"Gr" not in chunk:
                async with asyncio.timeout(5):
                    await go_on.wait()
                go_on.clear()

    upstream.plant(one_by_one)
    async with asyncio.timeout(5), door.chat_stream(KEY, CHAT) as answer:
        async for _ in answer:
            go_on.set()
    assert answer.finish_reason == "stop"


async def _then_break(line: Line) -> None:
    async with asyncio.timeout(5):
        await line.upstream.go_on.wait()  # a reset throws away what was not read yet
    line.reset()


async def _then_end(line: Line) -> None:
    await line.write(b"0\r\n\r\n")


async def _then_stall(line: Line) -> None:
    await line.stall()


@pytest.mark.parametrize(
    ("last", "then", "code", "cause"),
    [
        (b"", _then_break, "PROVIDER_ERROR", "connection_lost"),
        (b"", _then_end, "PROVIDER_ERROR", "stream_cut"),
        (b"", _then_stall, "PROVIDER_TIMEOUT", "timeout"),
        (
            b'data: {"error":{"type":"server_error","message":"canary"}}\n\n',
            _then_end,
            "PROVIDER_ERROR",
            "stream_error",
        ),
        (b'data: {"error":{"type":"insufficient_quota"}}\n\n', _then_end, "PROVIDER_QUOTA_EXHAUSTED", "quota"),
        (b'data: {"error":{"code":"rate_limit_exceeded"}}\n\n', _then_end, "PROVIDER_RATE_LIMITED", "rate_limit"),
        (b'data: {"choices":"no"}\n\n', _then_end, "PROVIDER_ERROR", "garbage"),
        (b"data: <html>\n\n", _then_end, "PROVIDER_ERROR", "garbage"),
        (b'data: {"half":\n\n', _then_end, "PROVIDER_ERROR", "garbage"),
        (b"data: \xff\n\n", _then_end, "PROVIDER_ERROR", "garbage"),
    ],
)
async def test_what_came_before_a_break_stands_and_the_break_has_a_name(
    upstream: FakeUpstream, last: bytes, then: Any, code: str, cause: str
) -> None:
    upstream.plant(stream(*CHUNKS[:4], last or b": still there\n\n", then=then))
    heard: list[str] = []
    observed = Observed()
    async with a_door(upstream.base_url, deadlines=QUICK, observed=observed) as door:

        async def listen() -> None:
            async with door.chat_stream(KEY, CHAT) as answer:
                async for chunk in answer:
                    heard.append(chunk.text)
                    if len(heard) == 3:
                        upstream.go_on.set()

        with pytest.raises(Problem) as raised:
            await listen()
    assert (raised.value.code, raised.value.extra["cause"]) == (code, cause)
    assert "canary" not in raised.value.detail
    assert "".join(heard) == "Grüß dich"
    assert [told for _, told in observed.calls] == [code]
    assert len(upstream.received) == 1


async def test_leaving_a_stream_hangs_up_at_once(upstream: FakeUpstream, door: OpenAI) -> None:
    upstream.plant(stream(CHUNKS[0], then=_then_stall))
    async with door.chat_stream(KEY, CHAT) as answer:
        async for _ in answer:
            break
    async with asyncio.timeout(5):
        await upstream.hung_up.wait()


@pytest.mark.parametrize("kind", EVERY_CALL)
async def test_a_cancelled_call_hangs_up_at_once(
    upstream: FakeUpstream, door: OpenAI, observed: Observed, kind: str
) -> None:
    started = asyncio.Event()

    async def start_and_stall(_received: Received, line: Line) -> None:
        await line.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + CHUNKS[0])
        started.set()
        await line.stall()

    upstream.plant(start_and_stall)
    task = asyncio.create_task(call(door, kind))
    async with asyncio.timeout(5):
        await started.wait()
        task.cancel()
        await asyncio.wait({task})
        await upstream.hung_up.wait()
    assert task.cancelled()
    assert [code for _, code in observed.calls] == ["CANCELLED"]


# ---- report cards

NO_MODELS = error(403, "invalid_request_error", None, "Missing scopes: api.model.read")
NO_USAGE = error(401, "invalid_request_error", None, "Missing scopes: api.usage.read")
USAGE = reply(200, {"object": "page", "data": []})


@pytest.mark.parametrize(
    ("key", "answers", "expected"),
    [
        ("sk-proj-1", [reply(200, MODELS), NO_USAGE], (True, "inference", 2, True, 0)),
        ("sk-proj-1", [reply(200, {"data": [{"id": "gpt-6-luna"}]}), NO_USAGE], (True, "inference", 1, False, 1)),
        ("sk-proj-1", [reply(200, {"data": []}), raw(404, b"")], (True, "inference", 0, False, 1)),
        ("sk-proj-1", [reply(200, MODELS), USAGE], (True, "admin", 2, True, 1)),
        ("sk-admin-1", [NO_MODELS, USAGE], (True, "admin", None, None, 0)),
        ("sk-odd", [NO_MODELS, USAGE], (True, "admin", None, None, 0)),
        ("sk-admin-1", [NO_MODELS, NO_USAGE], (True, "admin", None, None, 1)),
        ("sk-proj-1", [NO_MODELS, NO_USAGE], (True, "unknown", None, None, 1)),
        ("sk-dead", [error(401, "invalid_request_error", "invalid_api_key")], (False, "unknown", None, None, 1)),
    ],
)
async def test_a_key_gets_its_report_card(
    upstream: FakeUpstream, door: OpenAI, key: str, answers: list[Answer], expected: tuple[object, ...]
) -> None:
    upstream.plant(*answers)
    report = await door.check_key(Secret(key))
    assert (report.valid, report.kind, report.models, report.realtime, len(report.problems)) == expected
    assert key not in str(report)


async def test_a_key_is_not_judged_while_openai_is_down(upstream: FakeUpstream, door: OpenAI) -> None:
    upstream.plant(error(503, "server_error", None))
    with pytest.raises(UpstreamProblem) as raised:
        await door.check_key(KEY)
    assert raised.value.code == "PROVIDER_ERROR"
