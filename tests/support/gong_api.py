"""Types, paths and date-times of the Gong API, as tests use them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pipelines.demo.company.calls import Call

Json = dict[str, Any]
"""A JSON object."""

CALLS, EXTENSIVE, TRANSCRIPT = "/v2/calls", "/v2/calls/extensive", "/v2/calls/transcript"
USERS, WORKSPACES = "/v2/users", "/v2/workspaces"
FOLDERS, FOLDER_CONTENT = "/v2/library/folders", "/v2/library/folder-content"

DEMO_AUTHORIZATION = "Basic ZGVtbzpkZW1vLXNlY3JldA=="
"""The `Authorization` header of the demo company's API key."""


def parse_datetime(text: str) -> datetime:
    """Return an ISO 8601 date or date-time in UTC; without a zone, it is read as UTC."""
    parsed = datetime.fromisoformat(text)
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def call_start(call: Call) -> datetime:
    """Return when a call started, in UTC."""
    return parse_datetime(call.record["metaData"]["started"])


def edit_call_in_page(call_id: str, edit: Callable[[Json], object]) -> Callable[[Json], Json]:
    """Return a function that applies `edit` to one call's record in a page of calls, for `faults.rewrite`."""

    def edit_page(page: Json) -> Json:
        for record in page.get("calls", ()):
            if record["metaData"]["id"] == call_id:
                edit(record)
        return page

    return edit_page
