"""What a caller is told when it does not work, and what nobody is ever told."""

import logging
import pickle
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from client.both import Make
from client.conftest import Cast, Stage
from client.fakes import fake_server, problem, said
from opencto import AsyncOpenCTO, OpenCTO, OpenCTOError
from opencto.client import (
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    BadAnswerError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    SpendCapReachedError,
)
from opencto.client.answers import no_answer, retry_after
from opencto.client.options import resolved

TOKEN = "octo_Canary0123456789abcdefghijklmnop"
PLANTED = "sk-proj-Planted0123456789 with a blank"


def test_a_certificate_that_is_not_trusted_is_named_as_that() -> None:
    refused = httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate")
    failure = no_answer(refused, "https://cto.example.com")
    assert isinstance(failure, APIConnectionError)
    assert str(failure).startswith("The certificate of https://cto.example.com is not trusted here.")


def everything_told(error: BaseException | None) -> str:
    """The error and all that hangs on it."""
    told = ""
    while error is not None:
        told += "".join(traceback.format_exception_only(error)) + repr(error) + repr(vars(error))
        error = error.__cause__ or error.__context__
    return told


def test_what_the_real_server_refuses(people: Cast, stage: Stage, make: Make) -> None:
    with pytest.raises(NotFoundError) as unknown:
        people.carol.tokens.get("tok_none")
    assert (unknown.value.status, unknown.value.code) == (404, "NOT_FOUND")
    assert unknown.value.request_id is not None
    assert unknown.value.request_id in str(unknown.value)
    with pytest.raises(ForbiddenError) as forbidden:
        people.vic.realtime.create_token()
    assert forbidden.value.code == "FORBIDDEN"
    with pytest.raises(AuthenticationError) as stranger:
        make(stage.served.origin, TOKEN).keys.list()
    assert stranger.value.code == "UNAUTHENTICATED"
    with pytest.raises(BadRequestError) as invalid:
        people.carol.tokens.list(limit=999)
    assert invalid.value.code == "INVALID_REQUEST"
    assert invalid.value.body is not None
    assert invalid.value.body["errors"][0]["path"].endswith("limit")


def test_one_key_is_one_write_at_the_real_server(people: Cast) -> None:
    first = people.carol.tokens.create("once", scopes=["all"], idempotency_key="one-write")
    try:
        assert people.carol.tokens.create("once", scopes=["all"], idempotency_key="one-write") == first
        with pytest.raises(ConflictError) as other:
            people.carol.tokens.create("twice", scopes=["all"], idempotency_key="one-write")
        assert other.value.code == "IDEMPOTENCY_MISMATCH"
    finally:
        people.stage.served.clock.advance(25 * 3600)
        people.stage.served.app.state.desk.forget_old()


def test_a_limit_of_the_real_server_says_when(people: Cast) -> None:
    acme = people.stage.acme
    people.ben.limits.update(buckets={"realtime_token": 1}, workspace_id=acme)
    pauses: list[float] = []
    try:
        client = people.make(people.stage.served.origin, people.stage.world.carol.token, sleep=pauses.append)
        client.realtime.create_token()
        with pytest.raises(RateLimitedError) as refused:
            client.realtime.create_token()
    finally:
        people.ben.limits.update(buckets={"realtime_token": None}, workspace_id=acme)
        people.stage.served.clock.advance(61)
    assert refused.value.code == "RATE_LIMITED"
    assert refused.value.body is not None
    assert refused.value.body["origin"] == "opencto"
    assert refused.value.retry_after is not None
    assert [one >= refused.value.retry_after for one in pauses] == [True, True], refused.value.retry_after


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (402, SpendCapReachedError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (413, BadRequestError),
        (422, BadRequestError),
        (429, RateLimitedError),
        (500, ServerError),
        (504, ServerError),
    ],
)
def test_every_status_has_its_class(make: Make, status: int, kind: type[APIStatusError]) -> None:
    with fake_server(problem(status, "SOMETHING", Retry_After="99")) as server, pytest.raises(kind) as refused:
        make(server.base_url, "octo_x").keys.list()
    error = refused.value
    assert type(error) is kind
    assert (error.status, error.code, error.detail, error.request_id) == (status, "SOMETHING", "It is so.", "req_1")
    assert error.retry_after == 99
    assert str(error) == f"It is so. ({status} SOMETHING) [request req_1]"


def test_a_server_that_is_not_there(make: Make, free_port: int) -> None:
    pauses: list[float] = []
    with pytest.raises(APIConnectionError, match="Does the server run") as lost:
        make(f"http://127.0.0.1:{free_port}", TOKEN, sleep=pauses.append).keys.list()
    assert len(pauses) == 2
    assert TOKEN not in everything_told(lost.value)


def test_a_server_that_is_another_program(make: Make) -> None:
    page = said(200, "<html>Welcome</html>", kind="text/html")
    with fake_server(page) as server:
        client = make(server.base_url, "octo_x")
        with pytest.raises(BadAnswerError, match="not JSON"):
            client.keys.list()
        with pytest.raises(BadAnswerError, match="another kind"):
            list(client.respond_stream("Hello"))
        with pytest.raises(BadAnswerError, match="another kind"):
            list(client.audit.export())
    missing = said(404, "<html>Nothing here</html>", kind="text/html", X_Request_Id="proxy-1")
    with fake_server(missing) as server, pytest.raises(NotFoundError, match="Is base_url right") as refused:
        make(server.base_url, "octo_x").keys.list()
    assert (refused.value.code, refused.value.body, refused.value.request_id) == (None, None, "proxy-1")


@pytest.mark.parametrize("content", ["[" * 100_000, "[]", '"text"', '{"workspaceId": 7, "keys": []}', "{", "", "null"])
def test_an_answer_of_another_shape(make: Make, content: str) -> None:
    with fake_server(said(200, content)) as server, pytest.raises(BadAnswerError):
        make(server.base_url, "octo_x").keys.list()


@pytest.mark.parametrize("content", ["[" * 100_000, "[]", "null", '{"detail": 7}', "\xff"])
def test_a_refusal_that_cannot_be_read_is_still_one(make: Make, content: str) -> None:
    with fake_server(said(403, content)) as server, pytest.raises(ForbiddenError) as refused:
        make(server.base_url, "octo_x").keys.list()
    assert refused.value.detail
    assert refused.value.code is None


def test_a_secret_in_an_answer_of_another_shape_is_not_told(make: Make) -> None:
    answer = {"clientSecret": {"value": "ek_planted"}, "expiresAt": "ek_planted"}
    with fake_server(said(201, answer)) as server, pytest.raises(BadAnswerError, match="clientSecret") as strange:
        make(server.base_url, "octo_x").realtime.create_token()
    assert "ek_planted" not in everything_told(strange.value)


def test_fields_of_a_later_version_are_passed_over(make: Make) -> None:
    with fake_server(said(200, {"workspaceId": "ws_1", "keys": [], "later": 1})) as server:
        assert make(server.base_url, "octo_x").keys.list().workspace_id == "ws_1"


def test_a_redirect_is_not_followed(make: Make) -> None:
    with fake_server(said(200, {"workspaceId": "ws_1", "keys": []})) as elsewhere:
        moved = said(301, "", Location=f"{elsewhere.base_url}/api/v1/llm/keys")
        with fake_server(moved) as server, pytest.raises(APIStatusError, match="base_url") as refused:
            make(server.base_url, TOKEN).keys.list()
    assert (refused.value.status, elsewhere.seen) == (301, [])


def test_a_cookie_that_somebody_sets_is_not_kept(make: Make) -> None:
    answer = said(200, {"workspaceId": "ws_1", "keys": []}, Set_Cookie="opencto_session=stolen; Path=/")
    with fake_server(answer) as server:
        client = make(server.base_url, "octo_x")
        client.keys.list()
        client.keys.list()
    assert ["cookie" in one.headers for one in server.seen] == [False, False]
    assert server.seen[0].headers["authorization"] == "Bearer octo_x"
    assert server.seen[0].headers["user-agent"].startswith("opencto-python/")


def test_what_the_server_would_refuse_is_not_sent_and_not_repeated(make: Make) -> None:
    with fake_server(said(200, {})) as server:
        client = make(server.base_url, "octo_x")
        with pytest.raises(InvalidArgumentError, match="api_key") as refused:
            client.keys.save("openai", PLANTED)
        assert "Planted" not in everything_told(refused.value)
        with pytest.raises(InvalidArgumentError, match="tok"):
            client.tokens.get("../people")
        with pytest.raises(InvalidArgumentError, match="tok"):
            client.tokens.revoke("")
        with pytest.raises(InvalidArgumentError, match="zone"):
            client.ledger.list(since=datetime(2026, 11, 1))  # noqa: DTZ001 - that is the mistake
        with pytest.raises(InvalidArgumentError, match="idempotency_key"):
            client.tokens.revoke("tok_1", idempotency_key="two\r\nlines")
        with pytest.raises(ValueError, match="role"):
            client.invitations.create(role="emperor")
    assert server.seen == []


def test_the_token_is_nowhere(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):  # an earlier test may have quietened them
        if name.startswith(("httpx", "httpcore", "asyncio")):
            caplog.set_level(logging.DEBUG, logger=name)
    with fake_server(problem(500, "INTERNAL")) as server:
        client = make(server.base_url, TOKEN)
        with pytest.raises(OpenCTOError) as failed:
            client.keys.list()
        with pytest.raises(OpenCTOError) as other:
            client.keys.save("openai", "sk-proj-" + "Qz7v" * 12)
    assert repr(client).endswith(f"OpenCTO(base_url='{server.base_url}', workspace_id=None)")
    told = everything_told(failed.value) + everything_told(other.value) + repr(client) + caplog.text
    assert TOKEN not in repr(resolved(server.base_url, TOKEN, None, 1.0, 0))
    assert caplog.text, "else nothing was looked at"
    assert TOKEN not in told
    assert "Qz7v" not in told


def test_without_a_token_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENCTO_TOKEN", raising=False)
    for kind in (OpenCTO, AsyncOpenCTO):
        with pytest.raises(ConfigurationError, match=r"OPENCTO_TOKEN.*opencto token create"):
            kind("http://127.0.0.1:8787")
    with pytest.raises(ConfigurationError, match="blanks") as wrong:
        OpenCTO(token="octo_two words")
    assert "words" not in str(wrong.value)


def test_the_environment_counts_where_an_argument_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENCTO_BASE_URL", raising=False)
    monkeypatch.setenv("OPENCTO_TOKEN", "octo_env\n")
    with OpenCTO() as here:
        assert repr(here) == "OpenCTO(base_url='http://127.0.0.1:8787', workspace_id=None)"
    with fake_server(said(200, {"workspaceId": "ws_1", "keys": []})) as server:
        monkeypatch.setenv("OPENCTO_BASE_URL", server.base_url + "/")
        with OpenCTO() as client:
            client.keys.list()
        with OpenCTO(token="octo_argument") as client:
            client.keys.list()
    assert [one.headers["authorization"] for one in server.seen] == ["Bearer octo_env", "Bearer octo_argument"]
    assert server.seen[0].line.startswith("GET /api/v1/llm/keys ")


@pytest.mark.parametrize(
    "address",
    [
        "opencto.example",
        "ftp://x",
        "http://",
        "http://me:pw@host",
        "http://h:99999",
        "http://h?x=1",
        "http://1.2.3.999",
    ],
)
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(ConfigurationError, match="base_url"):
        OpenCTO(address, "octo_x")


def test_a_closed_client_says_so(make: Make) -> None:
    client = make("http://127.0.0.1:9", "octo_x")
    client.close()
    with pytest.raises(ConfigurationError, match="closed"):
        client.keys.list()


def test_an_error_survives_a_journey_between_processes() -> None:
    error = NotFoundError(404, detail="No.", code="NOT_FOUND", request_id="req_1", retry_after=2.0, body={"a": 1})
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), vars(again), str(again)) == (NotFoundError, vars(error), str(error))


def test_a_time_to_wait_is_a_number_or_a_date() -> None:
    assert retry_after("12") == 12
    assert retry_after("soon") is None
    assert retry_after(None) is None
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    soon = retry_after(format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True))
    assert soon is not None
    assert 0 < soon <= 1800
