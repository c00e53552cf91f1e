"""Rows of dlt's own tables that a run wrote whose clock was ahead.

dlt restores the state of the load with the largest id, which is a time, and the schema that was inserted last. Until
that time has come, such rows would hide the state and schema of every later run.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from .sql import Sql, placeholders


def future_loads(sql: Sql, pipeline_name: str, now: datetime) -> list[str]:
    """Return the ids of a pipeline's loads with a state that are later than now.

    Args:
        sql: The warehouse.
        pipeline_name: Name of the dlt pipeline.
        now: When the present run began, which holds the lock: all other loads are earlier.
    """
    rows = sql.execute_sql(
        "SELECT DISTINCT _dlt_load_id FROM _dlt_pipeline_state WHERE pipeline_name = %s AND _dlt_load_id > %s",
        pipeline_name,
        str(now.timestamp()),
    )
    return [str(row[0]) for row in rows or ()]


def delete_states(sql: Sql, pipeline_name: str, load_ids: Sequence[str]) -> None:
    """Delete the states of loads. Call it when the present run has loaded its own state, which succeeds them."""
    sql.execute_sql(
        f"DELETE FROM _dlt_pipeline_state WHERE pipeline_name = %s AND _dlt_load_id IN ({placeholders(len(load_ids))})",
        pipeline_name,
        *load_ids,
    )


def correct_schema_times(sql: Sql, now: datetime) -> None:
    """Move schemas that were inserted later than now to just before now, in their order."""
    rows = sql.execute_sql(
        "SELECT version_hash FROM _dlt_version WHERE inserted_at > %s ORDER BY inserted_at DESC", now
    )
    for position, (version_hash,) in enumerate(rows or (), start=1):
        sql.execute_sql(
            "UPDATE _dlt_version SET inserted_at = %s WHERE version_hash = %s AND inserted_at > %s",
            now - timedelta(milliseconds=position),
            version_hash,
            now,
        )
