"""Gong's endpoints that this source reads, as data: one line says everything the client needs to know.

Facts from Gong's OpenAPI document (July 2026) and from recorded answers: the page size is fixed at 100;
GET endpoints take the cursor as a query parameter, POST endpoints as a top-level field of the body
(a cursor in the query of a POST is ignored and would return page one for ever).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PAGE_SIZE = 100
"""Records on a full page. There is no parameter for it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of Gong's API.

    Attributes:
        method: HTTP verb.
        path: Path below the base URL.
        records: Key of the answer that holds the records.
        scope: OAuth scope that the operation asks for.
        pages: Whether the answer comes in pages of 100 with a cursor.
        goes_first: Further requests depend on its answer, so it leaves before those of other endpoints.
        single: The answer holds one record, not a list of them.
        resource: The dlt resource that reads it.
    """

    method: Literal["GET", "POST"]
    path: str
    records: str
    scope: str
    pages: bool
    resource: str
    goes_first: bool = False
    single: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


CALLS = Endpoint("GET", "/v2/calls", "calls", "api:calls:read:basic", True, "calls", goes_first=True)
CALL = Endpoint("GET", "/v2/calls/{id}", "call", "api:calls:read:basic", False, "calls", single=True)
CALLS_EXTENSIVE = Endpoint(
    "POST", "/v2/calls/extensive", "calls", "api:calls:read:extensive", True, "calls", goes_first=True
)
TRANSCRIPTS = Endpoint(
    "POST", "/v2/calls/transcript", "callTranscripts", "api:calls:read:transcript", True, "transcripts"
)
USERS = Endpoint("GET", "/v2/users", "users", "api:users:read", True, "users")
WORKSPACES = Endpoint("GET", "/v2/workspaces", "workspaces", "api:workspaces:read", False, "workspaces")
FOLDERS = Endpoint("GET", "/v2/library/folders", "folders", "api:library:read", False, "library")
FOLDER_CONTENT = Endpoint("GET", "/v2/library/folder-content", "calls", "api:library:read", False, "library")

ENDPOINTS = (CALLS, CALL, CALLS_EXTENSIVE, TRANSCRIPTS, USERS, WORKSPACES, FOLDERS, FOLDER_CONTENT)
