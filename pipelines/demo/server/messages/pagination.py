"""Pages of a list, linked by cursors."""

from typing import Any

from pipelines.demo.server.messages.cursors import CursorPosition, encode_cursor
from pipelines.demo.server.messages.request import GongRequest
from pipelines.demo.server.messages.response import GongError, GongResponse


def paginate_rows(
    request: GongRequest, rows: list[Any], cursor: str | None, digest: str, *, array: str, empty_error: str | None
) -> GongResponse:
    """Return one page of a list with a stable order.

    Args:
        request: The request.
        rows: The whole list.
        cursor: The cursor of the request; None for the first page.
        digest: Digest of the request's other parameters.
        array: Name of the array in the response.
        empty_error: Message of the 404 that an empty list returns; None returns a page without rows.

    Raises:
        GongError: 404 if the list is empty and `empty_error` is given; 400 if the cursor is invalid.
    """
    position = request.decode_cursor(cursor, digest)
    begin = (position.position or 0) if position else 0
    if not rows and position is None and empty_error is not None:
        raise GongError(404, empty_error)
    page_size = request.settings.page_size
    end = begin + page_size
    number = position.page_number + 1 if position else 0
    total = position.total if position else len(rows)
    next_cursor = None
    if end < len(rows):
        expiry = position.exp if position else request.compute_cursor_expiry()
        next_cursor = encode_cursor(CursorPosition(total, number, page_size, expiry, digest, position=end))
    page = rows[begin:end]
    return GongResponse({"records": build_records_member(total, len(page), number, next_cursor), array: page})


def build_records_member(total: int, page_size: int, number: int, cursor: str | None) -> dict[str, Any]:
    """Return the `records` member of a page; the last page has no `cursor` key."""
    records: dict[str, Any] = {"totalRecords": total, "currentPageSize": page_size, "currentPageNumber": number}
    if cursor is not None:
        records["cursor"] = cursor
    return records
