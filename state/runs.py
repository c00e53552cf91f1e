"""The run ledger `_runs`: one row a run, in the warehouse beside what the run loaded."""

from __future__ import annotations

import secrets
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from typing import Literal

from .sql import Sql

TABLE = "_runs"

COLUMN_TYPES: dict[str, Literal["text", "timestamp", "bigint"]] = {
    "run_id": "text",
    "connection": "text",
    "command": "text",
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
    "unfinished_load": "text",
    "unfinished_since": "timestamp",
}
"""dlt's types of the ledger's columns; in the order of `Run`."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as far as it came.

    Attributes:
        command: `sync`, `reconcile`, `upload` or `download-media`; None for runs of versions that did not write it.
        status: `running`, `done`, `failed`, `stopped` (early, on purpose), `refused` (a reconcile that would erase
            too much) or `killed` (it ended without a word; found out by the next run).
        finished_at: When it ended; None while it runs.
        window_since, window_until: Effective time that was asked for.
        bookmark: How far calls are complete after the run.
        rows_written: Rows over all tables of Gong's data.
        calls: Calls written, or marked as deleted by a reconcile.
        reason: Why it failed or stopped, or what it warned of.
        unfinished_load: dlt's load that was begun and, unless `_dlt_loads` has it, never completed.
        unfinished_since: Where the calls of that load begin, effective time.
    """

    run_id: str
    connection: str
    command: str | None
    status: str
    started_at: datetime
    finished_at: datetime | None = None
    window_since: datetime | None = None
    window_until: datetime | None = None
    bookmark: datetime | None = None
    requests: int = 0
    rows_written: int = 0
    calls: int = 0
    transcripts: int = 0
    sentences: int = 0
    private_excluded: int = 0
    rejected: int = 0
    reason: str | None = None
    unfinished_load: str | None = None
    unfinished_since: datetime | None = None


def new_run_id(started: datetime) -> str:
    """A name for a run that sorts by time and that no other run has."""
    return f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def begin(sql: Sql, run: Run) -> None:
    """Writes the row of a run that begins; whoever is still said to run on this connection was killed.

    Only for who holds the connection's lock.
    """
    sql.execute_sql(
        f"UPDATE {TABLE} SET status = 'killed' WHERE connection = %s AND status = 'running'", run.connection
    )
    places = ", ".join(["%s"] * len(fields(Run)))
    sql.execute_sql(f"INSERT INTO {TABLE} ({', '.join(COLUMN_TYPES)}) VALUES ({places})", *astuple(run))


def update(sql: Sql, run: Run) -> None:
    """Writes how far a run has come, or how it ended, into its row."""
    values = ", ".join(f"{name} = %s" for name in COLUMN_TYPES)
    sql.execute_sql(f"UPDATE {TABLE} SET {values} WHERE run_id = %s", *astuple(run), run.run_id)


def latest(sql: Sql, connection: str, count: int, command: str | None = None) -> list[Run]:
    """The last runs of a connection, newest first.

    Args:
        sql: The warehouse.
        connection: Whose runs.
        count: How many at most.
        command: Only runs of this command.
    """
    of_command, parameters = (" AND command = %s", [command]) if command else ("", [])
    rows = sql.execute_sql(
        f"SELECT {', '.join(COLUMN_TYPES)} FROM {TABLE} WHERE connection = %s{of_command}"
        f" ORDER BY started_at DESC LIMIT {count:d}",
        connection,
        *parameters,
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


def interrupted(sql: Sql, connection: str, since: datetime, until: datetime) -> bool:
    """Whether a load was broken off that held calls of a window, and no complete sync has read them again since.

    A load merges table by table. What a broken one leaves can look right: a call whose children are new and whose own
    row, with its hash, is old, or one whose own row is gone and whose children are still there.

    Args:
        sql: The warehouse.
        connection: Whose runs.
        since: Begin of the window, effective time.
        until: Its end.
    """
    rows = sql.execute_sql(
        f"SELECT COUNT(*) FROM {TABLE} AS broken WHERE broken.connection = %s AND broken.unfinished_load IS NOT NULL"
        " AND broken.unfinished_since < %s AND broken.window_until > %s"
        " AND NOT EXISTS (SELECT 1 FROM _dlt_loads AS loads"
        " WHERE loads.load_id = broken.unfinished_load AND loads.status = 0)"
        f" AND NOT EXISTS (SELECT 1 FROM {TABLE} AS mending WHERE mending.connection = broken.connection"
        " AND mending.command = 'sync' AND mending.status = 'done' AND mending.started_at > broken.started_at"
        " AND mending.window_since <= broken.unfinished_since AND mending.window_until >= broken.window_until)",
        connection,
        until,
        since,
    )
    return bool(rows and rows[0][0])
