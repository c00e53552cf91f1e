"""Tables that were dropped from the warehouse: what a sync reads to create and fill them again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import dlt

from destinations.warehouse import sql_client
from sources.gong import OPT_IN_RESOURCES, RESOURCES, table_names
from sources.gong.resources import DATE_SLICED
from state import deletions, runs
from state.sql import Sql, list_tables

from ...runtime.connection import Connection
from ...runtime.run_log import STATE_TABLES
from ...runtime.target import Target
from ...runtime.warehouse_session import missing_tables

# Their rows are about earlier runs and records.
_NOT_FILLED = frozenset({"_rejected", *STATE_TABLES})


@dataclass(frozen=True, slots=True)
class MissingTables:
    """Tables that were dropped.

    Attributes:
        names: All of them, those of dlt included.
        resources: Resources that fill them.
        oldest: Where a run has to begin to fill them.
    """

    names: Collection[str] = ()
    resources: Sequence[str] = ()
    oldest: datetime | None = None

    @property
    def has_calls(self) -> bool:
        """Return whether calls or their content must be read again."""
        return bool({"calls", "transcripts"} & set(self.resources))

    @property
    def has_dates(self) -> bool:
        """Return whether resources that are read by date must be read again."""
        return any(resource.name in self.resources for resource in DATE_SLICED)

    @property
    def warning(self) -> str | None:
        """Return what the sync has done about them, as one line; None if none was missing."""
        filled = sorted(name for name in self.names if name not in _NOT_FILLED and not name.startswith("_dlt_"))
        empty = sorted(set(self.names) - set(filled))
        lines = [f"{', '.join(filled)} missing: created and filled again"] if filled else []
        lines += [f"{', '.join(empty)} missing: created again"] if empty else []
        return "; ".join(lines) or None


def find_missing_tables(pipeline: dlt.Pipeline, connection: Connection, target: Target, now: datetime) -> MissingTables:
    """Return the tables that were dropped. Changes nothing.

    Args:
        pipeline: Restored from the warehouse.
        connection: The Gong account.
        target: The warehouse.
        now: When the run started.
    """
    missing = missing_tables(pipeline, target)
    if not missing:
        return MissingTables()
    resources = [name for name in (*RESOURCES, *OPT_IN_RESOURCES) if (missing - _NOT_FILLED) & set(table_names(name))]
    return MissingTables(missing, resources, _oldest(pipeline, connection, now))


def unfilled_warning(sql: Sql, connection: str, window_since: datetime) -> str | None:
    """Return a warning if an earlier run ended before all rows of calls were written, and this one does not read them.

    Args:
        sql: The warehouse.
        connection: Name of the connection.
        window_since: Where this run begins to read.
    """
    since = runs.unfinished_since(sql, connection)
    if since is None or since >= window_since:
        return None
    return (
        f"rows of calls from {since:%Y-%m-%d} on may be missing, because an earlier run ended early:"
        f" gong-elt sync --since {since:%Y-%m-%d}"
    )


def _oldest(pipeline: dlt.Pipeline, connection: Connection, now: datetime) -> datetime:
    """Return where the data in the warehouse begins."""
    times = []
    with sql_client(pipeline) as sql:
        tables = list_tables(sql)
        if "calls" in tables and (oldest := deletions.oldest_call_time(sql)):
            times.append(oldest)
        if runs.TABLE in tables and (since := runs.first_window_since(sql, connection.name)):
            times.append(since)
    return min(times, default=connection.settings.first_read(now))
