"""Lists, page by page and whole."""

import asyncio

import pytest

from client.both import Make
from client.conftest import Cast
from client.fakes import fake_server, said
from opencto import AsyncOpenCTO
from opencto.client import BadAnswerError

WORKSPACE = {"id": "ws_1", "slug": "one", "members": 1, "createdAt": "2026-11-23T12:00:00Z"}


def test_going_over_a_list_goes_over_all_pages(people: Cast) -> None:
    for number in range(5):
        people.ben.invitations.create(email=f"guest{number}@example.com")
    page = people.ben.invitations.list(limit=2)
    assert len(page.data) == 2
    assert page.next_cursor is not None
    second = page.next_page()
    assert second is not None
    whole = people.ben.invitations.list(limit=200)
    assert whole.next_cursor is None
    assert whole.next_page() is None
    assert len(whole.data) >= 5
    assert [one.id for one in page] == [one.id for one in whole.data]
    assert [one.id for one in second.data] == [one.id for one in whole.data][2:4]
    assert [one.id for one in people.ben.invitations.list(limit=2, cursor=page.next_cursor)] == [
        one.id for one in whole.data
    ][2:]


def test_the_filters_go_along(make: Make) -> None:
    with fake_server(said(200, {"data": [], "nextCursor": "c2"}), said(200, {"data": []})) as server:
        assert list(make(server.base_url, "octo_x").ledger.list(surface="chat", limit=1)) == []
    first, second = (one.line for one in server.seen)
    assert "surface=chat&limit=1" in first
    assert "surface=chat&limit=1&cursor=c2" in second


def test_a_list_that_goes_in_circles_is_left(make: Make) -> None:
    with fake_server(said(200, {"data": [], "nextCursor": "same"})) as server:
        page = make(server.base_url, "octo_x").ledger.list()
        with pytest.raises(BadAnswerError, match="again"):
            list(page)
    assert len(server.seen) == 2


def test_a_list_on_a_loop_is_gone_over_without_waiting_for_its_first_page() -> None:
    async def found(base_url: str) -> list[str]:
        async with AsyncOpenCTO(base_url, "octo_x") as client:
            assert (await client.workspaces.list()).next_cursor == "c2"
            return [one.name async for one in client.workspaces.list()]

    first, second = ({**WORKSPACE, "name": name} for name in ("One", "Two"))
    answers = [said(200, {"data": [first], "nextCursor": "c2"})] * 2 + [said(200, {"data": [second]})]
    with fake_server(*answers) as server:
        assert asyncio.run(found(server.base_url)) == ["One", "Two"]
