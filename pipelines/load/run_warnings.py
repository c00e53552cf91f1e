"""Warnings of a run that completes: a clock that differs from Gong's, and a key that no longer sees any calls."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import dlt

from sources.gong import MAX_CLOCK_SKEW, CallLookup, GongError, RunMetrics, RunStopped, Window
from state import deletions, loaded

from ..runtime.job import Job


def clock_warning(metrics: RunMetrics) -> str | None:
    """Return a warning if this machine's clock differs from Gong's by more than `MAX_CLOCK_SKEW`; otherwise None.

    Args:
        metrics: The run's counters.
    """
    skew = metrics.clock_skew
    if skew is None or abs(skew) <= MAX_CLOCK_SKEW:
        return None
    difference = f"{format_difference(abs(skew))} {'ahead of' if skew > timedelta(0) else 'behind'} Gong's"
    return f"this machine's clock is {difference}: no bookmark was moved past Gong's time; correct the clock"


def format_difference(difference: timedelta) -> str:
    """Return a time difference for a person, such as `7 minutes`, `26 hours` or `400 days`."""
    minutes = round(difference.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{round(minutes / 60)} hours" if minutes < 120 * 24 else f"{round(minutes / 60 / 24)} days"


def no_visible_calls_warning(job: Job, pipeline: dlt.Pipeline) -> str | None:
    """Return a warning if Gong shows no calls at all although the warehouse has some; otherwise None.

    Gong responds to a key that may see none as for a company without calls.

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
