"""Where the copy stands: bookmarks, freshness, what is owed, the quota, the last runs. Reads only."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from destinations.warehouse import missing_file
from state import loaded, runs
from state.loaded import Contents

from ..runtime.connection import Connection, Target
from ..runtime.time_options import pending_since
from ..runtime.warehouse_session import bookmark, dataset_exists, restore_pipeline


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Where the copy stands; the fields are the keys of `--json`.

    Attributes:
        bookmarks: How far each resource is complete.
        pending_transcripts: Calls without transcript that are still asked for, and since when the oldest waits.
        requests_left: Of today's requests, as far as runs of this connection used them.
    """

    destination: str
    dataset: str
    loaded: bool
    bookmarks: dict[str, datetime] = field(default_factory=dict)
    contents: Contents | None = None
    pending_transcripts: int = 0
    owed_since: datetime | None = None
    requests_left: int | None = None
    runs: list[runs.Run] = field(default_factory=list)

    def as_json(self) -> str:
        """The object `--json` prints."""
        return json.dumps(asdict(self), default=lambda moment: moment.isoformat())

    def show(self, console: Console) -> None:
        """Prints it for a person."""
        if not self.loaded:
            console.print(f"nothing loaded yet into {self.destination}, dataset {self.dataset}: run gong-elt sync")
            return
        for resource, until in self.bookmarks.items():
            console.print(f"{resource} complete up to {until:%Y-%m-%d %H:%M:%S} UTC", highlight=False)
        if self.contents is not None:
            newest = f"{self.contents.newest_call:%Y-%m-%d %H:%M} UTC" if self.contents.newest_call else "none"
            console.print(
                f"{self.contents.calls:,} calls, {self.contents.transcripts:,} transcripts,"
                f" {self.contents.sentences:,} sentences; newest call {newest}",
                highlight=False,
            )
        since = f", the oldest since {self.owed_since:%Y-%m-%d %H:%M} UTC" if self.owed_since else ""
        console.print(f"{self.pending_transcripts:,} transcripts owed{since}", highlight=False)
        console.print(f"{self.requests_left:,} of today's requests left", highlight=False)
        table = Table(title="last runs", title_justify="left")
        for column in ("started", "command", "status", "requests", "rows", "reason"):
            table.add_column(column)
        for run in self.runs:
            started = f"{run.started_at:%Y-%m-%d %H:%M:%S}"
            counts = f"{run.requests:,}", f"{run.rows_written:,}"
            table.add_row(started, run.command or "sync", run.status, *counts, run.reason or "")
        console.print(table)


def status(connection: Connection, target: Target) -> StatusReport:
    """Asks the warehouse; creates nothing, not even the file of a DuckDB that is not there yet.

    Args:
        connection: Which Gong account.
        target: Which warehouse.
    """
    nothing = StatusReport(target.name, target.dataset, loaded=False)
    if missing_file(target.destination) is not None:
        return nothing
    with TemporaryDirectory(prefix="gong-elt-status-") as folder:
        pipeline = restore_pipeline(connection, target, Path(folder))
        if not dataset_exists(pipeline, target):
            return nothing
        now = datetime.now(UTC)
        bookmarks = {name: bookmark(pipeline, connection, name) for name in ("calls", "transcripts")}
        with pipeline.sql_client() as sql:
            since = pending_since(connection.transcript_retry_period, bookmarks["transcripts"], now)
            owed = loaded.pending_transcripts(sql, since, private_too=connection.keeps_private_calls)
            return StatusReport(
                destination=target.name,
                dataset=target.dataset,
                loaded=True,
                bookmarks={name: moment for name, moment in bookmarks.items() if moment is not None},
                contents=loaded.contents(sql),
                pending_transcripts=len(owed),
                owed_since=owed[0].effective_time if owed else None,
                requests_left=max(0, connection.requests_per_day - runs.requests_today(sql, connection.name, now)),
                runs=runs.latest(sql, connection.name, 5),
            )
