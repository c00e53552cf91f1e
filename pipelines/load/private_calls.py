"""Erase what the setting `private_calls` no longer allows, and calls in general, with everything derived from them."""

from __future__ import annotations

from collections.abc import Collection

import dlt

from destinations.erasure import Erasure
from sources.gong import CALL_METADATA_COLUMNS, COLUMNS_KEPT_AFTER_DELETION, call_child_tables
from state import loaded
from state.sql import list_tables

from ..analytics.derived_data import erase_from_indexes, tables_of_marts
from ..runtime.job import Job
from ..runtime.target import Target


def create_erasure(
    pipeline: dlt.Pipeline, target: Target, kept_columns: Collection[str] = COLUMNS_KEPT_AFTER_DELETION
) -> Erasure:
    """Return what is erased of a call in this warehouse.

    Args:
        pipeline: Restored from the warehouse.
        target: The warehouse.
        kept_columns: Columns of `calls` that keep their value.
    """
    tables = pipeline.default_schema.tables
    return Erasure(
        # Opt-in tables exist only once they were selected.
        child_tables=[name for name in call_child_tables() if name in tables],
        content_columns=[name for name in tables["calls"]["columns"] if name not in kept_columns],
        derived_tables=tables_of_marts(pipeline, target),
        staging_tables=_tables_of_staging(pipeline, target),
    )


def _tables_of_staging(pipeline: dlt.Pipeline, target: Target) -> list[str]:
    """Return the tables of the staging dataset, quoted for SQL, without dlt's own."""
    if not target.warehouse.can_list_tables:
        return []
    own = pipeline.default_schema.dlt_table_names()
    with pipeline.sql_client() as sql, sql.with_staging_dataset():
        return [sql.make_qualified_table_name(name) for name in sorted(list_tables(sql)) if name.lower() not in own]


def erase_private_calls(job: Job, pipeline: dlt.Pipeline) -> int:
    """Erase of private calls what an earlier value of `private_calls` allowed to load, and return their number.

    Args:
        job: The run. Nothing is erased with `include`.
        pipeline: Restored from a warehouse with loaded tables.
    """
    mode = job.connection.settings.private_calls
    if mode == "include":
        return 0
    with pipeline.sql_client() as sql:
        call_ids = loaded.private_calls(sql, with_content=mode == "metadata")
    if not call_ids:
        return 0
    erasure = create_erasure(pipeline, job.target, CALL_METADATA_COLUMNS)
    job.target.warehouse.confirm_lock()
    with pipeline.sql_client() as sql:
        if mode == "metadata":
            erasure.mark_private(sql, call_ids)
        else:
            erasure.remove(sql, call_ids)
    erase_from_indexes(job.target, call_ids, job.run_id)
    return len(call_ids)
