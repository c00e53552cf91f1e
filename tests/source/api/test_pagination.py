"""Cursor pagination on its own: the end of a list, restarts after an expired cursor, cursors that lead nowhere."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from sources.gong.api.endpoint import Endpoint
from sources.gong.api.pagination import CursorPaginator
from sources.gong.api.responses import Page
from sources.gong.errors import CursorExpiredError, EmptyResultError, PaginationError

USERS = Endpoint("GET", "/v2/users", "users", "api:users:read", paged=True)
WORKSPACES = Endpoint("GET", "/v2/workspaces", "workspaces", "")


class ScriptedGong:
    """Responds with the given pages or errors, in order, and records the cursor of each request."""

    def __init__(self, *responses: Page | Exception) -> None:
        self._responses = iter(responses)
        self.cursors: list[str | None] = []

    async def send(self, cursor: str | None) -> Page:
        """Return the next page or raise the next error."""
        self.cursors.append(cursor)
        response = next(self._responses)
        if isinstance(response, Exception):
            raise response
        return response


def page(*ids: int, cursor: str | None = None, total: int | None = None) -> Page:
    """Return a page with records of these ids."""
    records = [msgspec.Raw(b'{"id":"%d"}' % record_id) for record_id in ids]
    return Page(records, cursor, total, request_id="r1", server_time=None)


def read_ids(
    gong: ScriptedGong, *, endpoint: Endpoint = USERS, cursor: str | None = None, restarts: int = 0
) -> list[int]:
    """Return the ids of all pages."""

    async def read() -> list[int]:
        pages = CursorPaginator(endpoint, gong.send, max_restarts=restarts).pages(cursor)
        return [int(msgspec.json.decode(record)["id"]) async for each in pages for record in each.records]

    return asyncio.run(read())


def test_pages_are_read_until_there_is_no_cursor() -> None:
    """Each page's cursor is used for the next request, until a page has none."""
    gong = ScriptedGong(page(1, cursor="a"), page(2, cursor="b"), page(3))

    assert read_ids(gong) == [1, 2, 3]
    assert gong.cursors == [None, "a", "b"]


def test_reading_begins_at_a_given_cursor() -> None:
    """A caller can continue where it stopped."""
    gong = ScriptedGong(page(2, cursor="b"), page(3))

    assert read_ids(gong, cursor="a") == [2, 3]
    assert gong.cursors == ["a", "b"]


def test_an_empty_range_has_no_pages() -> None:
    """Gong's 404 for an empty range is not an error."""
    assert read_ids(ScriptedGong(EmptyResultError("no users found", status=404))) == []


def test_an_endpoint_without_pages_is_requested_once() -> None:
    """A cursor is ignored where the endpoint has no pages."""
    gong = ScriptedGong(page(1, cursor="a"))

    assert read_ids(gong, endpoint=WORKSPACES) == [1]
    assert gong.cursors == [None]


def test_an_expired_cursor_restarts_from_the_first_page() -> None:
    """Cursors live about an hour. After a restart, cursors of the first attempt may appear again."""
    expired = CursorExpiredError("cursor has expired", status=400)
    gong = ScriptedGong(page(1, cursor="a"), expired, page(1, cursor="a"), page(2))

    assert read_ids(gong, restarts=1) == [1, 1, 2]
    assert gong.cursors == [None, "a", None, "a"]


def test_restarts_are_limited() -> None:
    """A cursor that expires again and again ends in the last error."""
    expired = CursorExpiredError("cursor has expired", status=400)
    gong = ScriptedGong(page(1, cursor="a"), expired, page(1, cursor="a"), expired)

    with pytest.raises(CursorExpiredError, match="has expired"):
        read_ids(gong, restarts=1)


@pytest.mark.parametrize("total", [5, None], ids=["more announced", "total unknown"])
def test_an_empty_page_before_the_end_restarts(total: int | None) -> None:
    """Records that Gong announced and did not send are missing, not absent."""
    nothing = EmptyResultError("no users found", status=404)

    gong = ScriptedGong(page(1, cursor="a", total=total), nothing, page(1, 2))
    assert read_ids(gong, restarts=1) == [1, 1, 2]

    gong = ScriptedGong(page(1, cursor="a", total=total), nothing)
    with pytest.raises(CursorExpiredError, match="the pages ended after 1 of") as raised:
        read_ids(gong)
    assert raised.value.status == 404
    assert raised.value.__cause__ is nothing


def test_an_empty_page_after_all_records_is_the_end() -> None:
    """Gong may send a cursor with the last page."""
    gong = ScriptedGong(page(1, 2, cursor="a", total=2), EmptyResultError("no users found", status=404))

    assert read_ids(gong) == [1, 2]


def test_a_repeated_cursor_is_an_error() -> None:
    """A cursor that leads back would be followed for ever."""
    gong = ScriptedGong(page(1, cursor="a"), page(2, cursor="b"), page(3, cursor="a"))

    with pytest.raises(PaginationError, match="repeated a paging cursor") as raised:
        read_ids(gong)
    assert raised.value.request_id == "r1"
    assert not isinstance(raised.value, CursorExpiredError)


def test_fifty_empty_pages_in_succession_are_an_error() -> None:
    """New cursors without records would use up the daily quota."""
    gong = ScriptedGong(*(page(cursor=str(number)) for number in range(100)))

    with pytest.raises(PaginationError, match="50 pages without a record"):
        read_ids(gong)
    assert len(gong.cursors) == 50


def test_empty_pages_between_others_are_followed() -> None:
    """Only empty pages in succession count."""
    pages = [page(*([number] if number % 40 == 0 else []), cursor=str(number)) for number in range(90)]

    assert read_ids(ScriptedGong(*pages, page(90))) == [0, 40, 80, 90]
