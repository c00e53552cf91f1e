"""The run ledger `_runs`: one row a run, in the warehouse beside what the run loaded."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from typing import Literal

from .warehouse import Sql

TABLE = "_runs"

COLUMN_TYPES: dict[str, Literal["text", "timestamp", "bigint"]] = {
    "run_id": "text",
    "connection": "text",
    "status": "text",
    "started_at": "timestamp",
    "finished_at": "timestamp",
    "window_since": "timestamp",
    "window_until": "timestamp",
    "bookmark": "timestamp",
    "requests": "bigint",
    "rows_written": "bigint",
    "calls": "bigint",
    "transcripts": "bigint",
    "sentences": "bigint",
    "private_excluded": "bigint",
    "rejected": "bigint",
    "reason": "text",
}
"""dlt's types of the ledger's columns; in the order of `Run`."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that ended.

    Attributes:
        status: `done`, `failed` or `stopped` (early, on purpose).
        window_since, window_until: Effective time that was asked for.
        bookmark: How far calls are complete after the run.
        rows_written: Rows over all tables of Gong's data.
        reason: Why it failed or stopped, or which resources were left out.
    """

    run_id: str
    connection: str
    status: str
    started_at: datetime
    finished_at: datetime
    window_since: datetime | None
    window_until: datetime | None
    bookmark: datetime | None
    requests: int
    rows_written: int
    calls: int
    transcripts: int
    sentences: int
    private_excluded: int
    rejected: int
    reason: str | None


def record(sql: Sql, run: Run) -> None:
    """Writes the run's row."""
    places = ", ".join(["%s"] * len(fields(Run)))
    sql.execute_sql(f"INSERT INTO {TABLE} ({', '.join(COLUMN_TYPES)}) VALUES ({places})", *astuple(run))


def latest(sql: Sql, connection: str, count: int) -> list[Run]:
    """The last runs of a connection, newest first."""
    rows = sql.execute_sql(
        f"SELECT {', '.join(COLUMN_TYPES)} FROM {TABLE} WHERE connection = %s ORDER BY started_at DESC LIMIT {count:d}",
        connection,
    )
    return [Run(*row) for row in rows or ()]


def requests_today(sql: Sql, connection: str, now: datetime) -> int:
    """Requests that runs of this connection have sent since midnight UTC."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = sql.execute_sql(
        f"SELECT COALESCE(SUM(requests), 0) FROM {TABLE} WHERE connection = %s AND started_at >= %s",
        connection,
        midnight,
    )
    return int(rows[0][0]) if rows else 0
