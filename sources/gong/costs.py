"""How many requests a read would take, found out with few."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from .client import GongClient
from .endpoints import PAGE_SIZE, USERS
from .errors import NothingFound, ScopeMissing
from .lists import WorkspaceList, read_folders
from .request import CallRequest
from .windows import Window


@dataclass(frozen=True, slots=True)
class RequestCosts:
    """What a read would take.

    Attributes:
        calls: Calls that Gong counts in the window, private ones included.
        requests: By resource; one that the credential may not read costs nothing and is left out.
        page_size: Records a request.
    """

    calls: int
    requests: dict[str, int]
    page_size: int = PAGE_SIZE


async def request_costs(
    client: GongClient, window: Window, resources: Collection[str], *, basic: bool, workspace_id: str | None
) -> RequestCosts:
    """Counts the requests of a read.

    Args:
        client: Talks to Gong, inside `connected()`.
        window: Which calls.
        resources: What would be read.
        basic: Whether calls are listed by GET /v2/calls.
        workspace_id: Only calls and folders of this workspace.

    Raises:
        GongError: Gong does not tell how many calls there are.
    """
    requests: dict[str, int] = {}
    calls = 0
    if {"calls", "transcripts"} & set(resources):
        calls = await _calls(client, window, basic=basic, workspace_id=workspace_id)
        requests["calls"] = max(1, _pages(calls))
        if "transcripts" in resources:
            requests["transcripts"] = _pages(calls)
    if "users" in resources:
        page = await client.send(USERS, query={"includeAvatars": "true"})
        requests["users"] = max(1, _pages(page.total or len(page.records)))
    workspaces = WorkspaceList()
    if "library" in resources:
        try:
            folders = await read_folders(client, workspaces, workspace_id)
            requests["library"] = len(folders) + len({folder["workspaceId"] for folder in folders})
        except ScopeMissing:
            requests["library"] = 1
    if "workspaces" in resources or "library" in resources:
        requests["workspaces"] = 1
    return RequestCosts(calls, requests)


async def _calls(client: GongClient, window: Window, *, basic: bool, workspace_id: str | None) -> int:
    request = CallRequest.bare("basic" if basic else "extensive", workspace_id)
    try:
        page = await client.send(request.endpoint, query=request.query(window), body=request.body(window))
    except NothingFound:
        return 0
    return page.total if page.total is not None else len(page.records)


def _pages(records: int) -> int:
    return math.ceil(records / PAGE_SIZE)
