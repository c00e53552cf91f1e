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
    table = sql.make_qualified_table_name("_dlt_pipeline_state")
    rows = sql.execute_sql(
        f"SELECT DISTINCT _dlt_load_id FROM {table} WHERE pipeline_name = %s AND _dlt_load_id > %s",
        pipeline_name,
        str(now.timestamp()),
    )
    return [str(row[0]) for row in rows or ()]


def delete_states(sql: Sql, pipeline_name: str, load_ids: Sequence[str]) -> None:
    """Delete the states of loads. Call it when the present run has loaded its own state, which succeeds them."""
    table = sql.make_qualified_table_name("_dlt_pipeline_state")
    sql.execute_sql(
        f"DELETE FROM {table} WHERE pipeline_name = %s AND _dlt_load_id IN ({placeholders(len(load_ids))})",
        pipeline_name,
        *load_ids,
    )


def correct_schema_times(sql: Sql, now: datetime) -> None:
    """Move schemas that were inserted later than now to just before now, in their order."""
    table = sql.make_qualified_table_name("_dlt_version")
    rows = sql.execute_sql(f"SELECT version_hash FROM {table} WHERE inserted_at > %s ORDER BY inserted_at DESC", now)
    for position, (version_hash,) in enumerate(rows or (), start=1):
        sql.execute_sql(
            f"UPDATE {table} SET inserted_at = %s WHERE version_hash = %s AND inserted_at > %s",
            now - timedelta(milliseconds=position),
            version_hash,
            now,
        )
