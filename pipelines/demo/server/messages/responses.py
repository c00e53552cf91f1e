"""What an endpoint of the simulated Gong is asked and answers, including its errors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Company
from pipelines.demo.server.call_index import CallIndex
from pipelines.demo.server.messages.cursors import CursorError, CursorPosition, decode_cursor, encode_cursor
from pipelines.demo.server.messages.response_cache import Piece
from pipelines.demo.server.server_settings import ServerSettings

NO_CALLS = "No calls found corresponding to the provided filters"


class GongError(Exception):
    """An answer other than 200: the status and the texts of its `errors`."""

    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(f"{status}: {'; '.join(errors)}")
        self.status = status
        self.errors = list(errors)


@dataclass(slots=True)
class Asked:
    """A request that reached its endpoint: authorised, its body parsed and known to be strict."""

    company: Company
    calls: CallIndex
    settings: ServerSettings
    now: datetime
    scopes: frozenset[str] | None
    path: str
    path_id: str
    query: dict[str, str]
    body: Any = None

    def require(self, scope: str) -> None:
        """Raises Gong's 401 unless the credential has the scope; no scope is had by all."""
        if scope and self.scopes is not None and scope not in self.scopes:
            raise GongError(401, f"You don't have permission to use '{scope}' in your app.")

    def listed_calls(self) -> Iterator[Call]:
        """The calls that the company sees now."""
        return (one.call for one in self.calls if one.is_listed(self.now, self.settings.call_visible_after))

    def resume(self, cursor: str | None, request: str) -> CursorPosition | None:
        """The position in the cursor, if there is one; raises Gong's 400 if it cannot be used."""
        if cursor is None:
            return None
        try:
            return decode_cursor(cursor, request=request, now=self.now.timestamp())
        except CursorError as refused:
            raise GongError(400, str(refused)) from refused

    def expiry(self) -> int:
        """When a chain of pages that begins now ends."""
        return int(self.now.timestamp() + self.settings.cursor_lifetime_seconds)


@dataclass(slots=True)
class Answer:
    """A success: plain members of the JSON object, and perhaps one array of ready pieces."""

    members: dict[str, Any] = field(default_factory=dict)
    array: str | None = None
    items: Sequence[Piece] = ()
    status: int = 200


Endpoint = Callable[[Asked], Answer]


def instant(asked: Asked, name: str) -> datetime | None:
    """A date-time from the query; raises 400 if it is not one with an offset."""
    text = asked.query.get(name)
    if text is None:
        return None
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise GongError(400, f"{name}: invalid date-time")
    return moment


def check_ids(name: str, ids: list[str] | None, below: int = 2**63) -> None:
    """Raises 400 for an empty list or for an id that is not a number below that, by default one of 64 bits."""
    if ids is None:
        return
    if not ids:
        raise GongError(400, f"{name}: must not be empty")
    for text in ids:
        if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) < below):
            raise GongError(400, "Bad request")


def page_of(
    asked: Asked, rows: list[Any], cursor: str | None, request: str, *, array: str, empty: str | None
) -> Answer:
    """A page of a list that is kept in order; an empty list is a 404 with the text `empty`, if given."""
    position = asked.resume(cursor, request)
    begin = (position.position or 0) if position else 0
    if not rows and position is None and empty is not None:
        raise GongError(404, empty)
    end = begin + asked.settings.page_size
    number = position.page_number + 1 if position else 0
    total = position.total if position else len(rows)
    following = None
    if end < len(rows):
        expiry = position.exp if position else asked.expiry()
        following = encode_cursor(
            CursorPosition(total, number, asked.settings.page_size, expiry, request, position=end)
        )
    shown = rows[begin:end]
    return Answer({"records": records(total, len(shown), number, following), array: shown})


def records(total: int, size: int, number: int, cursor: str | None) -> dict[str, Any]:
    """The `records` member; the last page has no cursor key."""
    described: dict[str, Any] = {"totalRecords": total, "currentPageSize": size, "currentPageNumber": number}
    if cursor is not None:
        described["cursor"] = cursor
    return described
