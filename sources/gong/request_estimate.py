"""Estimate the number of requests that a read takes, with a few requests."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime

from .api.client import GongClient
from .api.endpoint import PAGE_SIZE
from .calls.request import CallRequest
from .errors import EmptyResultError, MissingScopeError
from .extract.context import ExtractContext, ExtractRun
from .incremental.windows import Window
from .resources import DATE_SLICED, FULL_REFRESH
from .settings import GongSettings


@dataclass(frozen=True, slots=True)
class RequestEstimate:
    """The estimated cost of a read.

    Attributes:
        calls: Calls that Gong counts in the window, private ones included.
        requests: Number of requests by resource.
        page_size: Records per request.
    """

    calls: int
    requests: dict[str, int]
    page_size: int = PAGE_SIZE


async def estimate_requests(
    client: GongClient, settings: GongSettings, windows: Mapping[str, Window], *, now: datetime
) -> RequestEstimate:
    """Estimate the requests of a read. For resources that are read by date, the estimate is the minimum.

    Args:
        client: Client of the Gong API, with an open session.
        settings: Settings of the connection.
        windows: Window by resource to read. Calls and transcripts have the same one; the window of a resource that is
            read in full has no effect.
        now: When the read would begin.

    Raises:
        GongError: If a request fails.
    """
    context = ExtractContext.open(settings, ExtractRun(), client)
    requests: dict[str, int] = {}
    calls = 0
    if call_windows := [windows[name] for name in ("calls", "transcripts") if name in windows]:
        calls = await _count_calls(client, settings, call_windows[0])
        requests["calls"] = max(1, _count_pages(calls))
        if "transcripts" in windows:
            requests["transcripts"] = _count_pages(calls)
    for full_refresh in FULL_REFRESH:
        if full_refresh.name in windows:
            requests[full_refresh.name] = await _or_one(full_refresh.estimate_requests(context))
    for date_sliced in DATE_SLICED:
        if date_sliced.name in windows:
            slices = list(date_sliced.slices(windows[date_sliced.name], now))
            requests[date_sliced.name] = len(slices) * await _or_one(date_sliced.estimate_requests(context))
    if "library" in windows:
        requests["workspaces"] = 1
    return RequestEstimate(calls, requests)


async def _or_one(estimate: Awaitable[int]) -> int:
    """Return the estimate; 1 if the credential lacks the scope, because that costs one request as well."""
    try:
        return await estimate
    except MissingScopeError:
        return 1


async def _count_calls(client: GongClient, settings: GongSettings, window: Window) -> int:
    request = CallRequest.metadata_only(settings.call_detail, settings.workspace_id)
    try:
        page = await client.send(request.endpoint, query=request.query(window), body=request.body(window))
    except EmptyResultError:
        return 0
    return page.total if page.total is not None else len(page.records)


def _count_pages(records: int) -> int:
    return math.ceil(records / PAGE_SIZE)
