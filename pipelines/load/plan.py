"""`gong-elt sync --plan`: estimate the requests of a sync, and the hours they take at the company's quota."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pendulum

from sources.gong import (
    Coverage,
    GongClient,
    GongSettings,
    RequestEstimate,
    Window,
    estimate_requests,
    plan_backfill,
    truncate_to_millisecond,
)
from state import runs

from ..runtime.connection import Connection
from ..runtime.display.text import format_count
from ..runtime.process.interruption import temporary_folder
from ..runtime.result import Status
from ..runtime.run_options import resolve_window
from ..runtime.target import Target
from ..runtime.warehouse_session import (
    correct_future_bookmarks,
    dataset_exists,
    pending_transcripts,
    resource_state,
    restore_pipeline,
)
from .sync import SyncOptions
from .sync_result import format_duration

_HOURS_PER_DAY = 24.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Estimated cost of a sync; the fields are the keys of `--json`.

    Attributes:
        since, until: Window that would be read.
        calls: Calls that Gong reports for the window, private ones included.
        pending_transcripts: Calls before the window whose transcript would be requested again, at most.
        requests: Requests by resource.
        requests_left: Remaining requests of today, as far as runs of this connection used them.
        hours: From the first request to the last, including waits for the next day's quota.
        days: Days (UTC) on which requests would be sent.
    """

    since: datetime
    until: datetime
    calls: int
    pending_transcripts: int
    requests: Mapping[str, int]
    requests_left: int
    requests_per_day: int
    requests_per_second: float
    hours: float
    days: int
    requests_total: int

    @property
    def status(self) -> Status:
        """Return `done`: anything else raises."""
        return "done"

    def lines(self) -> Iterator[str]:
        """Yield the window, the requests and the time they take."""
        by_resource = ", ".join(f"{count:,} {name}" for name, count in self.requests.items())
        yield (
            f"{format_count(self.calls, 'call')} from {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC,"
            f" {format_count(self.pending_transcripts, 'earlier transcript')} pending"
        )
        yield f"{format_count(self.requests_total, 'request')}: {by_resource}"
        yield (
            f"{self.requests_left:,} of today's {self.requests_per_day:,} requests are left;"
            f" at {self.requests_per_second:g} per second it takes {format_duration(self.hours * 3600)}"
            + (f" over {self.days} days" if self.days > 1 else "")
        )
        if self.days > 1:
            yield "each day's run stops with exit code 3 and keeps its bookmark: run it daily until it ends with 0"


def plan(connection: Connection, target: Target, options: SyncOptions) -> Plan:
    """Return what a sync would cost. Sends one or two requests per selected resource and loads nothing.

    Args:
        connection: The Gong account.
        target: The warehouse. Nothing is written to it.
        options: What the sync would read.

    Raises:
        UsageError: If a setting or option is missing or invalid.
        GongError: If Gong rejects a request.
    """
    connection.validate()
    target = target.read_only()
    settings = connection.settings
    now = truncate_to_millisecond(datetime.now(UTC))
    requests_today, pending = 0, []
    with temporary_folder("plan") as folder, target.warehouse.hold():
        pipeline = restore_pipeline(connection, target, folder)
        correct_future_bookmarks(pipeline, connection, target, now)
        call_resources = [name for name in ("calls", "transcripts") if name in options.select]

        def window_of(names: Sequence[str]) -> Window:
            states = [resource_state(pipeline, connection, name) for name in names]
            window = resolve_window(connection, states, now, since=options.since, until=options.until)
            backfill = plan_backfill(states, Coverage.from_settings(settings, now))
            if backfill is None or options.since or options.until:
                return window
            return Window(min(window.since, backfill.since), window.until)

        window = window_of(call_resources[:1])
        windows = {name: window_of([name]) for name in options.select} | dict.fromkeys(call_resources, window)
        if dataset_exists(pipeline, target):
            with pipeline.sql_client() as sql:
                requests_today = runs.requests_today(sql, connection.name, now)
                if "transcripts" in call_resources:
                    pending = pending_transcripts(pipeline, connection, sql, now)
    earlier = sum(call.effective_time < window.since for call in pending)
    estimate = asyncio.run(_estimate(connection.client(), settings, windows, now))
    requests = {name: count for name, count in estimate.requests.items() if name in options.select}
    if earlier:
        requests["transcripts"] += math.ceil(earlier / estimate.page_size)
    total, requests_per_day = sum(requests.values()), settings.requests_per_day
    requests_left = max(0, requests_per_day - requests_today)
    days, hours = _duration(total, requests_left, requests_per_day, settings.requests_per_second, now)
    return Plan(
        since=window.since,
        until=window.until,
        calls=estimate.calls,
        pending_transcripts=earlier,
        requests=requests,
        requests_left=requests_left,
        requests_per_day=requests_per_day,
        requests_per_second=settings.requests_per_second,
        hours=round(hours, 4),
        days=days,
        requests_total=total,
    )


async def _estimate(
    client: GongClient, settings: GongSettings, windows: Mapping[str, Window], now: datetime
) -> RequestEstimate:
    async with client.session():
        return await estimate_requests(client, settings, windows, now=now)


def _duration(
    requests: int, requests_left: int, requests_per_day: int, requests_per_second: float, now: datetime
) -> tuple[int, float]:
    """Return the number of days on which requests are sent, and the hours from now to the last request."""
    if requests <= requests_left or requests_per_day <= 0:
        return 1, requests / requests_per_second / 3600
    start = pendulum.instance(now).in_timezone("UTC")
    hours_until_midnight = (start.add(days=1).start_of("day") - start).total_seconds() / 3600
    remaining = requests - requests_left
    full_days = math.ceil(remaining / requests_per_day) - 1
    last_day_hours = (remaining - full_days * requests_per_day) / requests_per_second / 3600
    return full_days + 1 + (requests_left > 0), hours_until_midnight + full_days * _HOURS_PER_DAY + last_day_hours
