"""A request to the simulated Gong once its credential and body are valid, and the checks of its parameters."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Company
from pipelines.demo.server.call_index import CallIndex
from pipelines.demo.server.messages.cursors import CursorError, CursorPosition, decode_cursor
from pipelines.demo.server.messages.response import GongError, GongResponse
from pipelines.demo.server.server_settings import ServerSettings


@dataclass(slots=True)
class GongRequest:
    """A request as its handler receives it.

    Attributes:
        company: The company whose data is served.
        calls: The company's calls, indexed.
        settings: Behaviour of the server.
        now: Time of the request.
        scopes: Scopes of the credential; None for all.
        path: Path of the URL.
        path_id: The id in the path, or "".
        query: Query parameters.
        body: The decoded body, of the type that the route declares.
    """

    company: Company
    calls: CallIndex
    settings: ServerSettings
    now: datetime
    scopes: frozenset[str] | None
    path: str
    path_id: str
    query: dict[str, str]
    body: Any = None

    def require_scope(self, scope: str) -> None:
        """Check that the credential has the scope; an empty scope is granted to every credential.

        Raises:
            GongError: 401 if the scope is missing.
        """
        if scope and self.scopes is not None and scope not in self.scopes:
            raise GongError(401, f"You don't have permission to use '{scope}' in your app.")

    def require_parameter(self, name: str) -> str:
        """Return the value of a query parameter.

        Raises:
            GongError: 400 if the parameter is missing or empty.
        """
        if not (value := self.query.get(name)):
            raise GongError(400, f"{name}: must not be null")
        return value

    def parse_datetime_parameter(self, name: str) -> datetime | None:
        """Return a query parameter as a datetime with time zone, or None if it is missing.

        Raises:
            GongError: 400 if the value is not a datetime with an offset.
        """
        text = self.query.get(name)
        if text is None:
            return None
        try:
            parsed = msgspec.convert(text, datetime)
        except msgspec.ValidationError:
            parsed = None
        if parsed is None or parsed.tzinfo is None:
            raise GongError(400, f"{name}: invalid date-time")
        return parsed

    def list_visible_calls(self) -> Iterator[Call]:
        """Yield the calls that Gong lists at the time of the request."""
        delay = self.settings.call_visible_after
        return (entry.call for entry in self.calls if entry.is_visible(self.now, delay))

    def decode_cursor(self, cursor: str | None, digest: str) -> CursorPosition | None:
        """Return the position in the cursor, or None on the first page.

        Args:
            cursor: The cursor of the request.
            digest: Digest of the request's other parameters; a cursor is valid for one digest only.

        Raises:
            GongError: 400 if the cursor is invalid, expired or from another request.
        """
        if cursor is None:
            return None
        try:
            return decode_cursor(cursor, digest=digest, now=self.now.timestamp())
        except CursorError as error:
            raise GongError(400, str(error)) from error

    def compute_cursor_expiry(self) -> int:
        """Return when a chain of pages that starts now expires, in epoch seconds."""
        return int(self.now.timestamp() + self.settings.cursor_lifetime_seconds)


Handler = Callable[[GongRequest], GongResponse]


def validate_ids(name: str, ids: list[str] | None, below: int = 2**63) -> None:
    """Check a list of ids in a request; None is valid.

    Args:
        name: Name of the parameter, for the error.
        ids: The ids.
        below: Upper bound of a valid id, exclusive; Gong accepts signed 64-bit integers.

    Raises:
        GongError: 400 if the list is empty or an id is not a number below the bound.
    """
    if ids is None:
        return
    if not ids:
        raise GongError(400, f"{name}: must not be empty")
    for text in ids:
        if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) < below):
            raise GongError(400, "Bad request")
