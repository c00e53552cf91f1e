"""What a sync would cost, asked before it is run: requests, and hours at this company's quota. Loads nothing."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from destinations.warehouse import missing_file
from sources.gong import GongClient, GongSettings, RequestEstimate, Window, estimate_requests, truncate_to_millisecond
from state import loaded, runs

from ..runtime.connection import Connection
from ..runtime.result import Status
from ..runtime.run_options import pending_since, resolve_window
from ..runtime.target import Target
from ..runtime.warehouse_session import bookmark, dataset_exists, resource_state, restore_pipeline
from .sync import SyncOptions
from .sync_result import format_duration

_HOURS_A_DAY = 24.0


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
            f"{self.calls:,} calls from {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC,"
            f" {self.pending_transcripts:,} earlier transcripts pending"
        )
        yield f"{self.requests_total:,} requests: {by_resource}"
        yield (
            f"{self.requests_left:,} of today's {self.requests_per_day:,} requests are left;"
            f" at {self.requests_per_second:g} per second it takes {format_duration(self.hours * 3600)}"
            + (f" over {self.days} days" if self.days > 1 else "")
        )
        if self.days > 1:
            yield "each day's run stops with exit code 3 and keeps its bookmark: run it daily until it ends with 0"


def plan(connection: Connection, target: Target, options: SyncOptions) -> Plan:
    """Asks Gong how much there is, with a request or two for each selected resource.

    Args:
        connection: Which Gong account.
        target: Which warehouse; nothing is written to it.
        options: What the sync would read.

    Raises:
        UsageError: A setting or option cannot be used.
        GongError: Gong does not tell.
    """
    connection.source()
    settings = connection.settings
    now = truncate_to_millisecond(datetime.now(UTC))
    used, owed = 0, []
    with TemporaryDirectory(prefix="gong-elt-plan-") as folder:
        pipeline = restore_pipeline(connection, target, Path(folder))
        with_calls = [name for name in ("calls", "transcripts") if name in options.select]
        states = [resource_state(pipeline, connection, name) for name in with_calls[:1]]
        asked = {"since": options.since, "until": options.until}
        window = resolve_window(connection, states, now, **asked)
        windows = {
            name: resolve_window(connection, [resource_state(pipeline, connection, name)], now, **asked)
            for name in options.select
        } | dict.fromkeys(with_calls, window)
        if missing_file(target.destination) is None and dataset_exists(pipeline, target):
            with pipeline.sql_client() as sql:
                used = runs.requests_today(sql, connection.name, now)
                if "transcripts" in with_calls:
                    since = pending_since(
                        connection.transcript_retry_period, bookmark(pipeline, connection, "transcripts"), now
                    )
                    owed = loaded.pending_transcripts(sql, since, private_too=connection.includes_private_calls)
    earlier = sum(call.effective_time < window.since for call in owed)
    costs = asyncio.run(_costs(connection.client(), settings, windows, now))
    requests = {name: count for name, count in costs.requests.items() if name in options.select}
    if earlier:
        requests["transcripts"] += math.ceil(earlier / costs.page_size)
    left, rate = max(0, settings.requests_per_day - used), settings.requests_per_second
    days, hours = _duration(sum(requests.values()), left, settings.requests_per_day, rate, now)
    return Plan(
        since=window.since,
        until=window.until,
        calls=costs.calls,
        pending_transcripts=earlier,
        requests=requests,
        requests_left=left,
        requests_per_day=settings.requests_per_day,
        requests_per_second=rate,
        hours=round(hours, 4),
        days=days,
        requests_total=sum(requests.values()),
    )


async def _costs(
    client: GongClient, settings: GongSettings, windows: Mapping[str, Window], now: datetime
) -> RequestEstimate:
    async with client.session():
        return await estimate_requests(client, settings, windows, now=now)


def _duration(requests: int, left: int, per_day: int, per_second: float, now: datetime) -> tuple[int, float]:
    """Days on which requests are sent, and hours from now to the last one."""
    if requests <= left or per_day <= 0:
        return 1, requests / per_second / 3600
    until_midnight = _HOURS_A_DAY - (now.hour + now.minute / 60 + now.second / 3600)
    later = requests - left
    full_days = math.ceil(later / per_day) - 1
    last_day = later - full_days * per_day
    return full_days + 1 + (left > 0), until_midnight + full_days * _HOURS_A_DAY + last_day / per_second / 3600
