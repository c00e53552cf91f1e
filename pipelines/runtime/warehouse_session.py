"""A connection's pipeline as the warehouse remembers it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt
from dlt.destinations.exceptions import DatabaseUndefinedRelation

from destinations.warehouse import duckdb_file, missing_file, sql_client
from sources.gong import read_bookmark

from .connection import Connection
from .errors import UsageError
from .target import Target


def restore_pipeline(connection: Connection, target: Target, folder: Path) -> dlt.Pipeline:
    """The pipeline with its state and schema from the warehouse, in an emptied working folder.

    A load that a killed run left behind in the folder is set aside: its bookmark never reached the warehouse,
    so all that it held is read again.

    Args:
        connection: Which Gong account.
        target: Which warehouse.
        folder: Working folder; whatever dlt left in it is deleted.

    Raises:
        UsageError: The dataset is another connection's.
    """
    if folder.exists():
        shutil.rmtree(folder)
    pipeline = connection.pipeline(target.destination, target.dataset, folder)
    if missing_file(target.destination) is None:
        with hold_connection(pipeline, target):
            pipeline.sync_destination()
        if pipeline.default_schema_name is None and (other := _other_connection(pipeline)) is not None:
            raise UsageError(
                f"dataset {target.dataset} holds another connection's data ({other}), and lists such as users would"
                f" take each other's place: give connection {connection.name} one of its own with --dataset"
            )
    return pipeline


@contextmanager
def hold_connection(pipeline: dlt.Pipeline, target: Target) -> Iterator[None]:
    """Keeps a DuckDB file open, if there is one.

    Dlt opens one for each statement, and each time the file is read and written out if no other has it open: that
    takes 21 ms instead of 0.5, and a load twice its time.
    """
    file = duckdb_file(target.destination)
    if file is None or not file.exists():
        yield
        return
    with pipeline.sql_client():
        yield


def unfinished_loads(folder: Path) -> int:
    """Loads that a killed run left behind in its working folder, complete, half done or broken."""
    kept = [*folder.glob("*/normalize/extracted/*"), *folder.glob("*/load/new/*"), *folder.glob("*/load/normalized/*")]
    return len({package.name for package in kept})


def resource_state(pipeline: dlt.Pipeline, connection: Connection, resource: str) -> Mapping[str, Any]:
    """Dlt's state of a resource; empty before its first load."""
    sources: Mapping[str, Any] = pipeline.state.get("sources", {})
    state: Mapping[str, Any] = sources.get(connection.name, {}).get("resources", {}).get(resource, {})
    return state


def bookmark(pipeline: dlt.Pipeline, connection: Connection, resource: str = "calls") -> datetime | None:
    """Up to here the resource is complete in the warehouse."""
    return read_bookmark(resource_state(pipeline, connection, resource))


def dataset_exists(pipeline: dlt.Pipeline, target: Target, table: str = "calls") -> bool:
    """Whether the warehouse has our tables, be it from a load that was killed before it was complete.

    Args:
        pipeline: Says which dataset.
        target: The warehouse.
        table: One of them; an upload alone makes no `calls`.
    """
    if missing_file(target.destination) is not None:
        return False
    try:
        with sql_client(pipeline) as sql:
            sql.execute_sql(f"SELECT 1 FROM {table} WHERE 1 = 0")
    except DatabaseUndefinedRelation:
        return False
    return True


def _other_connection(pipeline: dlt.Pipeline) -> str | None:
    """The dlt pipeline that loaded this dataset, where it is not this one.

    Its own row can stand there too, without a load that was completed: a first load that was killed late.
    """
    try:
        with pipeline.sql_client() as sql:
            rows = sql.execute_sql(
                "SELECT MIN(pipeline_name) FROM _dlt_pipeline_state WHERE pipeline_name <> %s", pipeline.pipeline_name
            )
    except DatabaseUndefinedRelation:
        return None
    return str(rows[0][0]) if rows and rows[0][0] else None
