"""What is repeated, after how long, and what never is."""

from collections.abc import Callable

import pytest

from client.both import Make
from client.fakes import NOTHING, SILENCE, FakeServer, Said, fake_server, problem, said
from opencto import OpenCTO, OpenCTOError
from opencto.client import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ConflictError,
    RateLimitedError,
    ServerError,
)
from opencto.client.retries import LONGEST_WAIT_SECONDS, Retries

WELL = said(200, {"workspaceId": "ws_1", "keys": []})
DELETED = said(200, {"deleted": True, "provider": "openai", "workspaceId": "ws_1"})
Act = Callable[[OpenCTO], object]


def no_pause(seconds: float) -> None:
    assert seconds > 0


def read(client: OpenCTO) -> object:
    return client.keys.list()


def write(client: OpenCTO) -> object:
    return client.keys.delete("openai")


def write_without_a_key(client: OpenCTO) -> object:
    return client.audit.verify()


def keys_of(server: FakeServer) -> list[str | None]:
    return [one.headers.get("idempotency-key") for one in server.seen]


@pytest.mark.parametrize(
    ("trouble", "act", "well"),
    [
        (problem(503, "UNAVAILABLE"), read, WELL),
        (problem(503, "UNAVAILABLE"), write, DELETED),
        (problem(429, "RATE_LIMITED"), write, DELETED),
        (problem(502, "PROVIDER_ERROR"), read, WELL),
        (said(504, "<html>Gateway</html>", kind="text/html"), read, WELL),
        (problem(409, "IDEMPOTENCY_IN_PROGRESS"), write, DELETED),
        (NOTHING, read, WELL),
        (NOTHING, write, DELETED),
    ],
)
def test_what_passes_is_tried_again(make: Make, trouble: Said, act: Act, well: Said) -> None:
    pauses: list[float] = []
    with fake_server(trouble, trouble, well) as server:
        act(make(server.base_url, "octo_x", sleep=pauses.append))
    assert len(server.seen) == 3
    assert 0.25 <= pauses[0] <= 0.5 <= pauses[1] <= 1.0
    assert len({one.line for one in server.seen}) == 1
    assert len(set(keys_of(server))) == 1, "a write keeps its key"
    assert (keys_of(server)[0] is None) is (act is read)


@pytest.mark.parametrize(
    ("trouble", "act", "kind"),
    [
        (problem(502, "PROVIDER_ERROR"), write, ServerError),
        (problem(504, "PROVIDER_TIMEOUT"), write, ServerError),
        (problem(502, "PROVIDER_KEY_REJECTED"), read, ServerError),
        (problem(429, "PROVIDER_QUOTA_EXHAUSTED", Retry_After="1"), read, RateLimitedError),
        (problem(500, "INTERNAL"), read, ServerError),
        (problem(409, "NO_PROVIDER_KEY"), write, ConflictError),
        (problem(503, "UNAVAILABLE"), write_without_a_key, ServerError),
        (NOTHING, write_without_a_key, APIConnectionError),
    ],
)
def test_what_stays_or_could_happen_twice_is_not(make: Make, trouble: Said, act: Act, kind: type[OpenCTOError]) -> None:
    pauses: list[float] = []
    with fake_server(trouble) as server, pytest.raises(kind):
        act(make(server.base_url, "octo_x", sleep=pauses.append))
    assert (len(server.seen), pauses) == (1, [])


def test_the_server_says_how_long(make: Make) -> None:
    pauses: list[float] = []
    with fake_server(problem(429, "RATE_LIMITED", Retry_After="17"), WELL) as server:
        read(make(server.base_url, "octo_x", sleep=pauses.append))
    assert 17 <= pauses[0] <= 17.25


def test_nobody_waits_for_an_hour(make: Make) -> None:
    pauses: list[float] = []
    refusal = problem(429, "RATE_LIMITED", Retry_After="3600")
    with fake_server(refusal) as server, pytest.raises(RateLimitedError) as refused:
        read(make(server.base_url, "octo_x", sleep=pauses.append))
    assert (refused.value.retry_after, len(server.seen), pauses) == (3600, 1, [])


def test_they_end(make: Make) -> None:
    pauses: list[float] = []
    with fake_server(problem(503, "UNAVAILABLE")) as server, pytest.raises(ServerError):
        read(make(server.base_url, "octo_x", max_retries=4, sleep=pauses.append))
    assert (len(server.seen), len(pauses)) == (5, 4)
    with fake_server(problem(503, "UNAVAILABLE")) as server, pytest.raises(ServerError):
        read(make(server.base_url, "octo_x", max_retries=0, sleep=pauses.append))
    assert len(server.seen) == 1


def test_two_calls_have_two_keys_and_a_given_one_is_used(make: Make) -> None:
    with fake_server(DELETED) as server:
        client = make(server.base_url, "octo_x")
        write(client)
        write(client)
        client.keys.delete("openai", idempotency_key="mine-1")
    first, second, given = keys_of(server)
    assert first != second
    assert given == "mine-1"


def test_silence_is_a_timeout_and_is_tried_again_where_that_is_safe(make: Make) -> None:
    with fake_server(SILENCE, WELL) as server:
        read(make(server.base_url, "octo_x", timeout=0.2, sleep=no_pause))
    assert len(server.seen) == 2
    with fake_server(SILENCE) as server, pytest.raises(APITimeoutError, match="in time"):
        write_without_a_key(make(server.base_url, "octo_x", timeout=0.2, sleep=no_pause))
    assert len(server.seen) == 1


def test_a_stream_is_tried_again_before_its_first_word(make: Make) -> None:
    done = {"text": "Hi.", "conversationId": "cv_1", "model": "m", "keySource": "server"}
    usage = '"usage": {"inputTokens": 1, "cachedInputTokens": 0, "outputTokens": 1}'
    event = "event: done\ndata: {" + usage + ", " + str(done).replace("'", '"')[1:] + "\n\n"
    with fake_server(problem(503, "UNAVAILABLE"), said(200, event, kind="text/event-stream")) as server:
        (heard,) = make(server.base_url, "octo_x", sleep=no_pause).respond_stream("Hello")
    assert heard.text == "Hi."
    assert len(server.seen) == 2
    assert len(set(keys_of(server))) == 1


def test_pauses_grow_with_jitter_and_have_an_end() -> None:
    def pauses(jitter: float) -> list[float | None]:
        retries = Retries(9, jitter=lambda: jitter)
        lost = APIConnectionError("gone")
        return [retries.pause(lost, attempt=one, is_get=True, has_key=False) for one in range(10)]

    assert pauses(1.0) == [0.5, 1, 2, 4, 8, 8, 8, 8, 8, None]
    assert pauses(0.0) == [0.25, 0.5, 1, 2, 4, 4, 4, 4, 4, None]


def test_a_wait_as_long_as_the_window_of_a_limit_is_waited() -> None:
    refused = APIStatusError(429, detail="No.", retry_after=LONGEST_WAIT_SECONDS)
    assert Retries(1, jitter=lambda: 0.0).pause(refused, attempt=0, is_get=True, has_key=False) == LONGEST_WAIT_SECONDS
