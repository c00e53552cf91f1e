"""What is made of calls: marts, and the index of their sentences. What is erased of a call leaves them too."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import dlt

from state.lock import LockHeldError, run_lock

from ..runtime.target import Target
from .search.manifest import IndexLedger

# Where `gong-elt models` builds; what somebody's own dbt makes elsewhere is not ours to change.
_OURS = ("duckdb", "postgres")
_TABLES = """
SELECT columns.table_schema, columns.table_name
FROM information_schema.columns AS columns
JOIN information_schema.tables AS tables
    ON tables.table_catalog = columns.table_catalog AND tables.table_schema = columns.table_schema
    AND tables.table_name = columns.table_name
WHERE columns.table_catalog = current_database() AND tables.table_type = 'BASE TABLE'
    AND columns.column_name = 'call_id' AND columns.table_schema <> %s
    AND columns.table_schema IN (
        SELECT table_schema FROM information_schema.tables WHERE table_name = 'int_transcribed_calls'
    )
ORDER BY 1, 2
"""


def tables_of_marts(pipeline: dlt.Pipeline) -> list[str]:
    """Tables of every dataset of marts in this warehouse that have rows of single calls, as SQL names them."""
    destination = pipeline.destination
    if destination is None or destination.destination_name not in _OURS:
        return []
    with pipeline.sql_client() as sql:
        rows = sql.execute_sql(_TABLES, sql.dataset_name) or ()
        return [f"{sql.escape_column_name(schema)}.{sql.escape_column_name(table)}" for schema, table in rows]


def index_folder(target: Target, analytics: str) -> Path:
    """Where the index of the sentences of these marts is."""
    return target.folder / "search" / analytics


def index_lock(folder: Path) -> Path:
    """The lock that whoever changes the index in this folder holds."""
    return folder / "search.lock"


def forget_in_indexes(target: Target, calls: Sequence[str], run_id: str) -> None:
    """Deletes the parts of indexes on this machine that have sentences of these calls; the next search makes them anew.

    A search that writes an index meanwhile looks at the marts again when it is done, and does it then.

    Args:
        target: Whose marts the indexes are of; they have lost the calls before.
        calls: Ids.
        run_id: Who asks for it.

    Raises:
        OSError: One cannot be deleted.
    """
    for folder in (target.folder / "search").glob("*/"):
        with suppress(LockHeldError), run_lock(index_lock(folder), run_id):
            ledger = IndexLedger(folder)
            ledger.without(ledger.read(), calls)
