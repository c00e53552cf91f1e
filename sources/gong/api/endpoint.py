"""Declaration of a Gong API operation: method, path, scope and paging.

From Gong's OpenAPI document (July 2026) and recorded answers: the page size is fixed at 100; GET endpoints take the
cursor as a query parameter, POST endpoints as a top-level field of the body. POST endpoints ignore a cursor in the
query and would return page one forever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

Bound = Literal["date-time", "date"]

PAGE_SIZE = 100
"""Records per full page. There is no parameter for it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An operation of Gong's API.

    Attributes:
        method: HTTP method.
        path: Path below the base URL.
        records: Key of the response body that holds the records.
        scope: OAuth scope that the operation requires; empty if Gong's document states none.
        paged: Whether the response has pages of 100 records with a cursor.
        id_field: Field that holds a record's id; empty if records have no id.
        single: Whether the response holds one record instead of a list.
        bound: How a request limits the records to a period: by date-times, or by dates in the company's time zone.
        priority: Whether further requests depend on the response, so that it is sent before those of other endpoints.
        empty_text_known: Whether the text of Gong's 404 for an empty result is documented or recorded.
        description: What the records are, for docs/coverage.md.
        note: What else a user has to know, for docs/coverage.md.
        optional_scope: Scope that Gong requires for a part of the response.
    """

    method: Literal["GET", "POST", "PUT"]
    path: str
    records: str
    scope: str
    paged: bool = False
    id_field: str = "id"
    single: bool = False
    bound: Bound | None = None
    priority: bool = False
    empty_text_known: bool = True
    description: str = ""
    note: str = ""
    optional_scope: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def with_id(self, text: str) -> Endpoint:
        """Return the endpoint with an id in its path, for a path that contains `{id}`."""
        return replace(self, path=self.path.format(id=quote(text, safe="")))
