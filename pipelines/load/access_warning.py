"""Whether Gong still shows any calls: to a key that may see none it answers as for a company without calls."""

from __future__ import annotations

import asyncio
from datetime import datetime

import dlt

from sources.gong import CallLookup, ExtractRun, GongError, RunMetrics, RunStopped, Window
from state import deletions, loaded

from ..runtime.connection import Connection


def no_visible_calls_warning(
    connection: Connection,
    pipeline: dlt.Pipeline,
    metrics: RunMetrics,
    now: datetime,
    *,
    left: int,
    deadline: datetime | None,
) -> str | None:
    """A warning where Gong shows no calls at all any more, though the warehouse has some; None for none.

    A run that read calls has its answer. One whose window was empty asks once, for all times and workspaces.

    Args:
        connection: Which Gong account.
        pipeline: Of the run that just ended.
        metrics: What it counted; the question counts, too.
        now: When the run began.
        left: Requests that may still be sent today.
        deadline: After it no request is sent.
    """
    if (
        metrics.calls_read
        or metrics.rejected["calls"]
        or metrics.stopped
        or "calls" in metrics.failed.keys() | metrics.skipped
    ):
        return None
    with pipeline.sql_client() as sql:
        held, oldest = loaded.contents(sql), deletions.first_call(sql)
    if not held.calls or oldest is None or oldest >= now:
        return None
    client = connection.client(ExtractRun(metrics=metrics, requests_left=left, deadline=deadline))
    presence = CallLookup(client, connection.settings.call_detail, None)
    try:
        if asyncio.run(presence.has_calls(Window(oldest, now))):
            return None
    except RunStopped:
        # Nothing is said that was not asked.
        return None
    except GongError as failure:
        return f"whether Gong still shows any calls could not be asked: {failure}"
    return (
        f"Gong shows no calls at all, though the warehouse has {held.calls:,}: a company that lost them, or a key whose"
        " owner may not see them any more; look at `gong-elt check`, and once it sees them again run"
        f" `gong-elt sync --since {held.newest_call:%Y-%m-%d}`"
    )
