"""`gong-elt status`: bookmarks, freshness, pending transcripts, remaining quota and last runs. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from state import loaded, runs
from state.loaded import Contents
from state.lock import Holder, read_holder

from ..runtime.connection import Connection
from ..runtime.display.table import DataTable
from ..runtime.display.text import format_count, format_time
from ..runtime.process.interruption import temporary_folder
from ..runtime.result import Line, Status
from ..runtime.target import Target, describe_nothing_loaded
from ..runtime.warehouse_session import (
    correct_future_bookmarks,
    dataset_exists,
    pending_transcripts,
    resource_bookmark,
    restore_pipeline,
)


@dataclass(frozen=True, slots=True)
class StatusReport:
    """State of the dataset; the fields are the keys of `--json`.

    Attributes:
        loaded: Whether the dataset has tables.
        bookmarks: Time up to which each resource is complete.
        pending_transcripts: Calls whose missing transcript is still requested.
        pending_since: Effective time of the oldest of these calls.
        requests_left: Remaining requests of today, as far as runs of this connection used them.
        runs: The last runs, newest first.
        running: The run that works on this dataset on this machine at this moment, with its counters; None if there is
            none.
        warning: What is wrong with the stored state, such as a bookmark that is later than now.
    """

    destination: str
    dataset: str
    loaded: bool
    bookmarks: dict[str, datetime] = field(default_factory=dict)
    contents: Contents | None = None
    pending_transcripts: int = 0
    pending_since: datetime | None = None
    requests_left: int | None = None
    runs: list[runs.Run] = field(default_factory=list)
    running: Holder | None = None
    warning: str | None = None

    @property
    def status(self) -> Status:
        """Return `done`: anything else raises."""
        return "done"

    def lines(self) -> Iterator[Line]:
        """Yield the bookmarks, counts and quota, then a table of the last runs, and the running one."""
        if self.running is not None:
            yield _describe_running(self.running)
        if not self.loaded:
            if self.running is None:
                yield describe_nothing_loaded(self.destination, self.dataset)
            else:
                yield f"nothing loaded yet into {self.destination}, dataset {self.dataset}"
            return
        for resource, until in self.bookmarks.items():
            yield f"{resource} complete up to {format_time(until)}"
        if self.contents is not None:
            newest = format_time(self.contents.newest_call) if self.contents.newest_call else "none"
            yield (
                f"{format_count(self.contents.calls, 'call')}, {format_count(self.contents.transcripts, 'transcript')},"
                f" {format_count(self.contents.sentences, 'sentence')}; newest call {newest}"
            )
        since = f", the oldest since {format_time(self.pending_since)}" if self.pending_since else ""
        yield f"{format_count(self.pending_transcripts, 'transcript')} pending{since}"
        yield f"{self.requests_left:,} of today's requests left"
        if self.warning is not None:
            yield f"warning: {self.warning}"
        rows = [
            (
                format_time(run.started_at),
                run.command or "sync",
                run.status,
                f"{run.requests:,}",
                f"{run.rows_written:,}",
                run.reason,
            )
            for run in self.runs
        ]
        headings = ("started", "command", "status", "requests", "rows", "reason")
        yield DataTable(headings, rows, "last runs", numbers=frozenset({"requests", "rows"}))


def status(connection: Connection, target: Target) -> StatusReport:
    """Return the state of the dataset. Creates nothing, not even a missing DuckDB file.

    Args:
        connection: The Gong account.
        target: The warehouse.

    Raises:
        LockHeldError: If another process has the DuckDB file open for longer than the command waits.
    """
    report = _read_warehouse(connection, target.read_only())
    return replace(report, running=read_holder(target.run_lock(connection.name)))


def _read_warehouse(connection: Connection, target: Target) -> StatusReport:
    nothing_loaded = StatusReport(target.name, target.dataset, loaded=False)
    if target.missing_file is not None:
        return nothing_loaded
    with temporary_folder("status") as folder, target.warehouse.hold():
        pipeline = restore_pipeline(connection, target, folder)
        if not dataset_exists(pipeline, target):
            return nothing_loaded
        now, requests_per_day = datetime.now(UTC), connection.settings.requests_per_day
        warning = correct_future_bookmarks(pipeline, connection, target, now)
        bookmarks = {name: resource_bookmark(pipeline, connection, name) for name in ("calls", "transcripts")}
        with pipeline.sql_client() as sql:
            pending = pending_transcripts(pipeline, connection, sql, now)
            return StatusReport(
                destination=target.name,
                dataset=target.dataset,
                loaded=True,
                bookmarks={name: until for name, until in bookmarks.items() if until is not None},
                contents=loaded.contents(sql),
                pending_transcripts=len(pending),
                pending_since=pending[0].effective_time if pending else None,
                requests_left=max(0, requests_per_day - runs.requests_today(sql, connection.name, now)),
                runs=runs.latest(sql, connection.name, 5),
                warning=warning,
            )


def _describe_running(holder: Holder) -> str:
    counters = holder.progress
    done = (
        f"{counters['calls_read']:,} of {counters['calls_expected']:,} calls and {counters['transcripts_read']:,}"
        f" transcripts read with {format_count(counters['requests'], 'request')}"
        if counters.keys() >= {"calls_read", "calls_expected", "transcripts_read", "requests"}
        else "starting"
    )
    return f"{holder.command} is running: run {holder.run_id}, pid {holder.pid}, since {holder.since}; {done}"
