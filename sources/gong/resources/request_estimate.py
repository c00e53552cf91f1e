"""How many requests a read would take, found out with few."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..api.client import GongClient
from ..api.endpoint import PAGE_SIZE
from ..calls.request import CallRequest
from ..errors import EmptyResultError, MissingScopeError
from ..extract.pages import ExtractContext, UserList, WorkspaceList
from ..incremental.windows import Window
from .date_sliced import DATE_SLICED
from .full_refresh import FULL_REFRESH


@dataclass(frozen=True, slots=True)
class RequestEstimate:
    """What a read would take.

    Attributes:
        calls: Calls that Gong counts in the window, private ones included.
        requests: By resource; one that the credential may not read costs nothing and is left out.
        page_size: Records a request.
    """

    calls: int
    requests: dict[str, int]
    page_size: int = PAGE_SIZE


async def estimate_requests(
    client: GongClient, windows: Mapping[str, Window], *, now: datetime, basic: bool, workspace_id: str | None
) -> RequestEstimate:
    """Counts the requests of a read; of what is read by date the least that it takes.

    Args:
        client: Talks to Gong, inside `connected()`.
        windows: The window of each resource that would be read, the same one for calls and transcripts; of lists that
            are read whole it does not matter.
        now: When the read begins.
        basic: Whether calls are listed by GET /v2/calls.
        workspace_id: Only calls and folders of this workspace.

    Raises:
        GongError: Gong does not tell how many calls there are.
    """
    requests: dict[str, int] = {}
    calls = 0
    if of_calls := [windows[name] for name in ("calls", "transcripts") if name in windows]:
        calls = await _calls(client, of_calls[0], basic=basic, workspace_id=workspace_id)
        requests["calls"] = max(1, _pages(calls))
        if "transcripts" in windows:
            requests["transcripts"] = _pages(calls)
    reading = ExtractContext(client, WorkspaceList(), UserList(), workspace_id)
    for whole in FULL_REFRESH:
        if whole.name in windows:
            requests[whole.name] = await _or_one(whole.estimate_requests(reading))
    for dated in DATE_SLICED:
        if dated.name in windows:
            slices = list(dated.slices(windows[dated.name], now))
            requests[dated.name] = len(slices) * await _or_one(dated.estimate_requests(reading))
    if "library" in windows:
        requests["workspaces"] = 1
    return RequestEstimate(calls, requests)


async def _or_one(estimate: Awaitable[int]) -> int:
    """What a resource costs; one request where the credential may not read it."""
    try:
        return await estimate
    except MissingScopeError:
        return 1


async def _calls(client: GongClient, window: Window, *, basic: bool, workspace_id: str | None) -> int:
    request = CallRequest.bare("basic" if basic else "extensive", workspace_id)
    try:
        page = await client.send(request.endpoint, query=request.query(window), body=request.body(window))
    except EmptyResultError:
        return 0
    return page.total if page.total is not None else len(page.records)


def _pages(records: int) -> int:
    return math.ceil(records / PAGE_SIZE)
