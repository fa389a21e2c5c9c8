"""Embeddings: shapes, lengths, nearness and refusals."""

import base64
import struct
from typing import Any

import httpx2
import openai
import pytest
from openai.types import CreateEmbeddingResponse

from opencto.sandbox.vectors import Directions
from opencto.testing import ManualClock
from strict_openai import strictly

PATH = "/embeddings"
SMALL = "text-embedding-3-small"


def ask(http: httpx2.Client, **body: Any) -> httpx2.Response:
    return http.post(PATH, json={"model": SMALL, "input": "Hello", **body})


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


@pytest.fixture(params=["as installed", "lexical"])
def directions(request: pytest.FixtureRequest) -> Directions:
    return Directions() if request.param == "as installed" else Lexical()


class Lexical(Directions):
    """As where the extra `local` is not installed."""

    @property
    def knows_meaning(self) -> bool:
        return False


def test_the_answer_has_every_key_and_the_call_stands_in_the_books(http: httpx2.Client, admin: httpx2.Client) -> None:
    answer = ask(http, input=["Hello there", "Deploy failed"], user="ada")
    found = strictly(CreateEmbeddingResponse, answer.json())
    assert answer.json().keys() == {"object", "data", "model", "usage"}
    assert [(one.index, len(one.embedding)) for one in found.data] == [(0, 1536), (1, 1536)]
    assert (found.model, found.usage.prompt_tokens, found.usage.total_tokens) == (SMALL, 4, 4)
    assert int(answer.headers["x-ratelimit-remaining-tokens"]) < int(answer.headers["x-ratelimit-limit-tokens"])
    start = int(ManualClock().now().timestamp()) - 86400
    usage = admin.get("/organization/usage/embeddings", params={"start_time": start, "group_by": "model"}).json()
    [result] = [one for bucket in usage["data"] for one in bucket["results"]]
    assert (result["model"], result["input_tokens"], result["num_model_requests"]) == (SMALL, 4, 1)


def test_base64_is_the_same_numbers(http: httpx2.Client) -> None:
    plain: list[float] = ask(http).json()["data"][0]["embedding"]
    packed = base64.b64decode(ask(http, encoding_format="base64").json()["data"][0]["embedding"])
    assert list(struct.unpack(f"<{len(plain)}f", packed)) == pytest.approx(plain)


@pytest.mark.parametrize(
    ("model", "dimensions", "length"),
    [(SMALL, None, 1536), (SMALL, 100, 100), ("text-embedding-3-large", None, 3072), ("text-embedding-3-large", 1, 1),
     ("text-embedding-ada-002", None, 1536)],
)  # fmt: skip
def test_the_official_package_gets_vectors_of_length_one(
    ai: openai.OpenAI, model: str, dimensions: int | None, length: int
) -> None:
    [one] = ai.embeddings.create(model=model, input="Hello", dimensions=dimensions or openai.omit).data
    assert len(one.embedding) == length
    assert cosine(one.embedding, one.embedding) == pytest.approx(1, abs=1e-5)


@pytest.mark.anyio
async def test_lists_of_tokens_are_taken_whole_and_in_lists(async_ai: openai.AsyncOpenAI) -> None:
    one = await async_ai.embeddings.create(model=SMALL, input=[15339, 1917])
    several = await async_ai.embeddings.create(model=SMALL, input=[[15339, 1917], [7]])
    assert len(several.data) == 2
    assert several.data[0].embedding == one.data[0].embedding
    assert (one.usage.prompt_tokens, several.usage.prompt_tokens) == (2, 3)


def test_what_shares_its_words_is_nearer_also_when_shortened(directions: Directions) -> None:
    texts = ("The deployment of the payment service failed", "payment service deploy fails", "A recipe for apple cake")
    for dimensions in (3072, 1536, 256):
        one, near, far = (directions.of_text(text, dimensions).tolist() for text in texts)
        assert cosine(one, near) > cosine(one, far) + 0.03


def test_a_longer_vector_has_the_same_angles(directions: Directions) -> None:
    def angle(dimensions: int) -> float:
        a, b = (directions.of_text(text, dimensions).tolist() for text in ("disk is full", "out of memory"))
        return cosine(a, b)

    assert angle(384) == pytest.approx(angle(3072), abs=1e-5)


@pytest.mark.parametrize("text", ["?!", " ", "\0", "a\0b", "\ud800", "日本語", "x" * 9000])
def test_every_text_has_a_direction(directions: Directions, text: str) -> None:
    vector = directions.of_text(text, 512).tolist()
    assert cosine(vector, vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        ({"model": "text-embedding-9"}, 404, "model", "model_not_found"),
        ({"model": "gpt-6-luna"}, 403, None, None),
        ({"foo": 1}, 400, None, None),
        ({"input": ""}, 400, "input", "empty_string"),
        ({"input": []}, 400, "input", "empty_array"),
        ({"input": ["a", ""]}, 400, "input[1]", "empty_string"),
        ({"input": [[1], []]}, 400, "input[1]", "empty_array"),
        ({"input": ["a", 1]}, 400, "input", "invalid_type"),
        ({"input": [True]}, 400, "input[0]", "invalid_type"),
        ({"input": [1, -1]}, 400, "input", "invalid_type"),
        ({"input": 3}, 400, "input", "invalid_type"),
        ({"input": ["a"] * 2049}, 400, "input", "array_above_max_length"),
        ({"input": [1] * 8193}, 400, "input", None),
        ({"input": ["a", "hm " * 8200]}, 400, "input[1]", None),
        ({"input": [[1] * 8000] * 38}, 400, None, "max_tokens_per_request"),
        ({"dimensions": 0}, 400, "dimensions", "integer_below_min_value"),
        ({"dimensions": 1537}, 400, "dimensions", None),
        ({"dimensions": 256, "model": "text-embedding-ada-002"}, 400, "dimensions", None),
        ({"encoding_format": "int8"}, 400, "encoding_format", "invalid_value"),
    ],
)
def test_a_mistake_is_refused(
    shared_http: httpx2.Client, body: dict[str, Any], status: int, param: str | None, code: str | None
) -> None:
    answer = ask(shared_http, **body)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (status, param, code)
