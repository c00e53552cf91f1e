"""May we write there: asked of the warehouse itself, without leaving anything behind."""

from __future__ import annotations

from typing import Any

import dlt
from dlt.destinations.sql_client import SqlClientBase

from .warehouse import duckdb_file


def write_right(pipeline: dlt.Pipeline) -> str | None:
    """Why a run could not write, in one line; None if it could, as far as the warehouse tells.

    Args:
        pipeline: Says which warehouse and dataset.

    Raises:
        DatabaseException: The warehouse cannot be opened.
        OSError: Likewise, for a file.
    """
    if (file := duckdb_file(pipeline.destination)) is not None:
        with file.open("r+b"):
            pass
    with pipeline.sql_client() as sql:
        sql.execute_sql("SELECT 1")
        if pipeline.destination is not None and pipeline.destination.destination_name == "postgres":
            return _refused_by_postgres(sql, str(pipeline.dataset_name))
    return None


def _refused_by_postgres(sql: SqlClientBase[Any], dataset: str) -> str | None:
    rows = sql.execute_sql("SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = %s", dataset)
    if rows:
        return None if rows[0][0] else f"this user may not create tables in schema {dataset}: GRANT CREATE, USAGE on it"
    ((allowed,),) = sql.execute_sql("SELECT has_database_privilege(current_database(), 'CREATE')") or ((False,),)
    return None if allowed else f"there is no schema {dataset} and this user may not create one: GRANT CREATE"
