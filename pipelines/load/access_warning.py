"""Warn if Gong shows no calls any more: it responds to a key that may see none as for a company without calls."""

from __future__ import annotations

import asyncio

import dlt

from sources.gong import CallLookup, GongError, RunStopped, Window
from state import deletions, loaded

from ..runtime.job import Job


def no_visible_calls_warning(job: Job, pipeline: dlt.Pipeline) -> str | None:
    """Return a warning if Gong shows no calls at all although the warehouse has some; otherwise None.

    A run that read calls needs no request. After an empty window one request covers all times and workspaces.

    Args:
        job: The sync that has just read.
        pipeline: Its pipeline.
    """
    metrics = job.metrics
    if (
        metrics.calls_read
        or metrics.rejected["calls"]
        or metrics.stopped
        or "calls" in metrics.failed.keys() | metrics.skipped
    ):
        return None
    with pipeline.sql_client() as sql:
        contents, oldest = loaded.contents(sql), deletions.oldest_call_time(sql)
    if not contents.calls or oldest is None or oldest >= job.started_at:
        return None
    window = Window(oldest, job.started_at)
    try:
        if asyncio.run(CallLookup(job.client(), job.connection.settings.call_detail, None).has_calls(window)):
            return None
    except RunStopped:
        # Could not check; no warning.
        return None
    except GongError as error:
        return f"could not check whether Gong still shows calls: {error}"
    return (
        f"Gong shows no calls, but the warehouse has {contents.calls:,}: the company lost its calls, or the key's owner"
        " may no longer see them; run `gong-elt check`, and once calls are visible again"
        f" `gong-elt sync --since {contents.newest_call:%Y-%m-%d}`"
    )
