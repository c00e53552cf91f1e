"""Cursor pagination: read all pages of an endpoint and restart after an expired cursor."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable

from ..errors import CursorExpiredError, EmptyResultError, PaginationError
from .endpoint import Endpoint
from .responses import Page

# Bounds the requests that a broken sequence of cursors can cost.
_MAX_EMPTY_PAGES = 50

SendPage = Callable[[str | None], Awaitable[Page]]
"""Requests the page that a cursor leads to; the first page for None."""


class CursorPaginator:
    """Pages of one endpoint, one after the other.

    Args:
        endpoint: The endpoint to read.
        send: Requests one page.
        max_restarts: How many times to restart from page one after the cursor expires. Records may repeat; callers
            must deduplicate.
    """

    def __init__(self, endpoint: Endpoint, send: SendPage, *, max_restarts: int = 0) -> None:
        self._endpoint = endpoint
        self._send = send
        self._restarts_left = max_restarts
        self._used_cursors: set[str] = set()
        self._received = self._empty_pages = 0
        self._total: int | None = None

    async def pages(self, cursor: str | None = None) -> AsyncGenerator[Page, None]:
        """Yield the pages; none for an empty range.

        Args:
            cursor: Cursor of the page to begin with; None for the first page.

        Raises:
            CursorExpiredError: If the cursor expires, or its page has no records although Gong announced more, and
                no restart is left.
            PaginationError: If Gong repeats a cursor or sends 50 pages without records in succession.
            GongError: As `GongClient.send`, except that an empty range is not an error.
        """
        while True:
            try:
                page = await self._send(cursor)
            except EmptyResultError as error:
                # Gong reports an empty range on the first page. Later, it marks the end only if all records have
                # been received; otherwise the data has changed since the cursor was issued.
                if cursor is None or (self._total is not None and self._received >= self._total):
                    return
                self._restart(self._truncation_error(error))
                cursor = None
                continue
            except CursorExpiredError as error:
                self._restart(error)
                cursor = None
                continue
            yield page
            if not self._received:
                self._total = page.total
            self._received += len(page.records)
            if page.cursor is None or not self._endpoint.paged:
                return
            self._check_progress(page)
            self._used_cursors.add(cursor := page.cursor)

    def _restart(self, error: CursorExpiredError) -> None:
        if not self._restarts_left:
            raise error
        self._restarts_left -= 1
        self._used_cursors.clear()
        self._received = 0

    def _check_progress(self, page: Page) -> None:
        """Raise PaginationError if the cursors do not lead to the end."""
        self._empty_pages = 0 if page.records else self._empty_pages + 1
        if self._empty_pages == _MAX_EMPTY_PAGES:
            raise PaginationError(
                f"{self._endpoint}: {_MAX_EMPTY_PAGES} pages without a record, each with another cursor; the window is"
                " incomplete, run again",
                request_id=page.request_id,
            )
        if page.cursor in self._used_cursors:
            raise PaginationError(
                f"{self._endpoint}: Gong repeated a paging cursor; the window is incomplete, run again",
                request_id=page.request_id,
            )

    def _truncation_error(self, error: EmptyResultError) -> CursorExpiredError:
        total = "an unknown number of" if self._total is None else format(self._total, ",")
        truncation = CursorExpiredError(
            f"the pages ended after {self._received:,} of {total} records: {error}; run again", status=error.status
        )
        truncation.__cause__ = error
        return truncation
