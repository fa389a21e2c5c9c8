"""A strict organization API with books of the test's own: pages, gaps, rows told twice at the border of two pages.

It refuses what OpenAI refuses (a key that is no admin key, unknown parameters, too large a limit, a page that belongs to
another question) and shapes its rows as the types of the openai package do. `unfiltered` makes it ignore `project_ids`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

DAY = 86_400
COMMON = {"start_time", "end_time", "bucket_width", "limit", "page", "group_by", "project_ids"}


def stamp(day: str) -> int:
    found = date.fromisoformat(day)
    return int(datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp())


@dataclass
class Organization:
    """`books` by kind and day: rows with all their dimensions. Days that are not in a book are missing from its pages."""

    books: dict[str, dict[str, list[dict[str, Any]]]]
    page_days: int = 31
    doubled: bool = False
    """Each page begins with the last bucket of the one before."""
    unfiltered: bool = False
    failing: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    """Statuses with which the next requests for a kind are answered."""
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list[tuple[str, dict[str, list[str]]]])

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/organization/usage/{kind}", self._answer),
                Route("/v1/organization/costs", self._answer),
                Route("/v1/models", self._models),
            ]
        )

    async def _models(self, _: Request) -> JSONResponse:
        return JSONResponse({"object": "list", "data": []})

    async def _answer(self, request: Request) -> JSONResponse:
        kind = request.path_params.get("kind", "costs")
        if not request.headers["authorization"].startswith("Bearer sk-admin-"):
            return _refusal(401, "Missing scopes: api.usage.read.")
        given: dict[str, list[str]] = {}
        for name, value in parse_qsl(request.url.query):
            given.setdefault(name.removesuffix("[]"), []).append(value)
        self.asked.append((kind, given))
        if self.failing.get(kind):
            status = self.failing[kind].pop(0)
            return _refusal(status, "Rate limit reached", {"retry-after": "1"} if status == 429 else {})
        if kind not in self.books:
            return _refusal(404, "Invalid URL")
        if unknown := set(given) - COMMON:
            return _refusal(400, f"Unknown query parameter: {unknown}")
        if int(given["limit"][0]) > (180 if kind == "costs" else 31):
            return _refusal(400, "limit")
        return self._page(kind, given)

    def _page(self, kind: str, given: dict[str, list[str]]) -> JSONResponse:
        start, end = int(given["start_time"][0]), int(given.get("end_time", ["99999999999"])[0])
        days = [day for day in sorted(self.books[kind]) if start <= stamp(day) < end]
        size = min(self.page_days, int(given["limit"][0]))
        first = int(given["page"][0].removeprefix("page_")) if "page" in given else 0
        shown = days[max(0, first - 1) if self.doubled else first : first + size]
        following = first + size if first + size < len(days) else None
        return JSONResponse(
            {
                "object": "page",
                "data": [self._bucket(kind, day, given) for day in shown],
                "has_more": following is not None,
                "next_page": f"page_{following}" if following is not None else None,
            }
        )

    def _bucket(self, kind: str, day: str, given: dict[str, list[str]]) -> dict[str, Any]:
        mine = given.get("project_ids")
        rows = [
            row for row in self.books[kind][day] if mine is None or self.unfiltered or row.get("project_id") in mine
        ]
        return {
            "object": "bucket",
            "start_time": stamp(day),
            "end_time": stamp(day) + DAY,
            "results": [_grouped(row, given.get("group_by", [])) for row in rows],
        }


def _grouped(row: Mapping[str, Any], group_by: list[str]) -> dict[str, Any]:
    """Dimensions that were not grouped by are null."""
    dimensions = {"project_id", "model", "line_item"}
    return {name: value if name not in dimensions or name in group_by else None for name, value in row.items()}


def _refusal(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    kind = "tokens" if status == 429 else "invalid_request_error"
    code = "rate_limit_exceeded" if status == 429 else None
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return JSONResponse(body, status, headers)


def worked(
    project: str | None, model: str, requests: int = 1, given: int = 0, told: int = 0, **more: int | None
) -> dict[str, Any]:
    """A row of completions."""
    return {
        "object": "organization.usage.completions.result",
        "project_id": project,
        "model": model,
        "num_model_requests": requests,
        "input_tokens": given,
        "output_tokens": told,
        **more,
    }


def billed(project: str | None, value: float, item: str = "gpt-6-luna, input", currency: str = "usd") -> dict[str, Any]:
    """A row of costs."""
    return {
        "object": "organization.costs.result",
        "amount": {"value": value, "currency": currency},
        "project_id": project,
        "line_item": item,
    }
