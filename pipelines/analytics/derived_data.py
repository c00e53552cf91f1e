"""Data derived from calls (marts, search index), which must be erased with them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import dlt

from state.lock import LockHeldError, run_lock

from ..runtime.target import Target
from . import marts_origin
from .search.manifest import IndexManifest

_TABLES = """
SELECT columns.table_schema, columns.table_name
FROM information_schema.columns AS columns
JOIN information_schema.tables AS tables
    ON tables.table_catalog = columns.table_catalog AND tables.table_schema = columns.table_schema
    AND tables.table_name = columns.table_name
WHERE columns.table_catalog = current_database() AND tables.table_type = 'BASE TABLE'
    AND lower(columns.column_name) = 'call_id' AND columns.table_schema <> %s
    AND columns.table_schema IN (
        SELECT table_schema FROM information_schema.tables
        WHERE table_catalog = current_database() AND lower(table_name) IN ('_marts', 'int_transcribed_calls')
    )
ORDER BY 1, 2
"""


def tables_of_marts(pipeline: dlt.Pipeline, target: Target) -> list[str]:
    """Return the tables with rows per call in all datasets of marts of this warehouse, quoted for SQL.

    Empty for warehouses in which `gong-elt models` does not build: tables of a user's own dbt project are not changed.
    """
    if not target.warehouse.has_marts:
        return []
    with pipeline.sql_client() as sql:
        own_list = getattr(sql, "list_tables_beside", None)
        if own_list is None:
            rows = sql.execute_sql(_TABLES, sql.escape_column_name(sql.dataset_name, quote=False)) or ()
        else:
            rows = own_list(marts_origin.TABLE, "call_id")
        return [".".join(sql.make_qualified_table_name_path(table, dataset_name=dataset)) for dataset, table in rows]


def index_folder(target: Target, analytics: str) -> Path:
    """Return the folder of the search index of a dataset of marts."""
    return target.folder / "search" / analytics


def index_lock(folder: Path) -> Path:
    """Return the lock file of the index in a folder; hold it to change the index."""
    return folder / "search.lock"


def erase_from_indexes(target: Target, call_ids: Sequence[str], run_id: str) -> None:
    """Delete the parts of this machine's indexes that hold these calls; the next search rebuilds them.

    An index that a search is refreshing is skipped: the search compares it with the marts again before it ends.

    Args:
        target: The warehouse of the marts, from which the calls are erased already.
        call_ids: Ids of the erased calls.
        run_id: The run that erases them.

    Raises:
        OSError: If a file cannot be deleted.
    """
    for folder in (target.folder / "search").glob("*/"):
        with suppress(LockHeldError), run_lock(index_lock(folder), run_id, "reconcile"):
            manifest = IndexManifest(folder)
            manifest.drop_calls(manifest.read_entries(), call_ids)
