"""A connection's dlt pipeline, restored from the warehouse, and what its state says."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.pipeline.exceptions import PipelineStepFailed

from destinations.warehouse import InvalidWarehouseError, sql_client
from sources.gong import (
    PII_MODE,
    TABLES_BY_RESOURCE,
    check_pii_mode,
    correct_future_times,
    read_bookmark,
    table_names,
)
from state import deletions, loaded, media, runs, uploads
from state.loaded import PendingTranscript
from state.sql import Sql, list_tables

from .connection import Connection
from .errors import UsageError, exception_chain
from .run_options import pending_since
from .target import Target, describe_nothing_loaded

_DLT_TABLES = ("_dlt_version", "_dlt_loads", "_dlt_pipeline_state")


def restore_pipeline(connection: Connection, target: Target, folder: Path) -> dlt.Pipeline:
    """Return the pipeline with its state and schema from the warehouse, in an emptied working folder.

    A load that a killed run left in the folder is abandoned: its bookmark never reached the warehouse, so its records
    are read again.

    Args:
        connection: The Gong account.
        target: The warehouse.
        folder: Working folder. Its contents are deleted.

    Raises:
        UsageError: If the dataset belongs to another connection, or has tables of another program under our names.
        InvalidWarehouseError: If the warehouse needs a setting that is missing.
        PipelineStepFailed: If the warehouse cannot be read.
    """
    if folder.exists():
        shutil.rmtree(folder)
    pipeline = connection.pipeline(target.destination, target.dataset, folder)
    if target.missing_file is None:
        with target.warehouse.hold():
            _read_state(pipeline)
            other = _other_connection(pipeline) if pipeline.default_schema_name is None else None
            if pipeline.default_schema_name is None and other is None and target.warehouse.can_list_tables:
                _refuse_foreign_tables(pipeline, target)
        if other is not None:
            raise UsageError(
                f"dataset {target.dataset} holds another connection's data ({other}), and tables such as users would"
                f" overwrite each other: give connection {connection.name} its own dataset with --dataset"
            )
    return pipeline


def _read_state(pipeline: dlt.Pipeline) -> None:
    try:
        pipeline.sync_destination()
    except PipelineStepFailed as error:
        for cause in exception_chain(error):
            if isinstance(cause, InvalidWarehouseError):
                raise cause from None
        raise


def restore_loaded_pipeline(connection: Connection, target: Target, folder: Path) -> dlt.Pipeline:
    """Return the pipeline as `restore_pipeline` does.

    Raises:
        UsageError: If nothing was loaded yet, the dataset belongs to another connection, or tables were dropped.
    """
    pipeline = restore_pipeline(connection, target, folder)
    if missing := missing_tables(pipeline, target):
        raise tables_missing(target, missing)
    if pipeline.default_schema_name is None or not dataset_exists(pipeline, target):
        raise nothing_loaded(target)
    return pipeline


def missing_tables(pipeline: dlt.Pipeline, target: Target) -> set[str]:
    """Return the tables that the pipeline has loaded and the warehouse no longer has, because they were dropped.

    Empty before the first load, and for warehouses without a module, whose tables cannot be listed.

    Args:
        pipeline: Restored from the warehouse.
        target: The warehouse.
    """
    if target.missing_file is not None or not target.warehouse.can_list_tables:
        return set()
    with target.warehouse.hold(), sql_client(pipeline) as sql:
        tables = list_tables(sql)
    if pipeline.default_schema_name is None:
        # dlt's state is not in the warehouse: no load was completed, or its tables were dropped.
        return set(_DLT_TABLES) - tables if tables & set(_DLT_TABLES) else set()
    return {*pipeline.default_schema.data_table_names(), *pipeline.default_schema.dlt_table_names()} - tables


def tables_missing(target: Target, names: Iterable[str]) -> UsageError:
    """Return the error for a command that needs tables that were dropped."""
    tables = ", ".join(f"{target.dataset}.{name}" for name in sorted(names))
    return UsageError(f"{tables} missing in {target.name}: run gong-elt sync, which creates and fills missing tables")


def nothing_loaded(target: Target) -> UsageError:
    """Return the error for a command that needs loaded tables."""
    return UsageError(describe_nothing_loaded(target.name, target.dataset))


def count_unfinished_loads(folder: Path) -> int:
    """Return the number of load packages that a killed run left in its working folder."""
    packages = [
        *folder.glob("*/normalize/extracted/*"),
        *folder.glob("*/load/new/*"),
        *folder.glob("*/load/normalized/*"),
    ]
    return len({package.name for package in packages})


def correct_future_bookmarks(
    pipeline: dlt.Pipeline, connection: Connection, target: Target, now: datetime
) -> str | None:
    """Correct in the pipeline's state what a run left whose clock was ahead; the next load commits it.

    Args:
        pipeline: Restored from the warehouse.
        connection: The Gong account.
        target: The warehouse.
        now: The present time.

    Returns:
        A warning, if the bookmark of calls was later than now; otherwise None.
    """
    stored = resource_bookmark(pipeline, connection)
    known = None
    if stored is not None and stored > now and dataset_exists(pipeline, target, runs.TABLE):
        with pipeline.sql_client() as sql:
            known = runs.latest_bookmark(sql, connection.name, now)
    with pipeline.managed_state() as state:
        for name, resource in _resources(state, connection).items():
            # What is read by date is read again as far as the deepest lookback, calls from the last known bookmark.
            fallback = known if name in ("calls", "transcripts") else known or now
            correct_future_times(resource, now, known_bookmark=fallback)
    if stored is None or stored <= now:
        return None
    begin = f"calls since {known:%Y-%m-%d %H:%M} UTC" if known else "all calls"
    return (
        f"the bookmark {stored:%Y-%m-%d %H:%M} UTC is later than now, because a clock is wrong: {begin} are read again"
    )


def allow_pii_mode(pipeline: dlt.Pipeline, connection: Connection, *, allow_clear_text: bool) -> None:
    """Refuse to store personal values in clear where any resource has hashes, unless that is intended.

    Args:
        pipeline: Restored from the warehouse.
        connection: The Gong account, whose setting `pii` counts.
        allow_clear_text: Whether it is intended: then all resources are in clear from now on.

    Raises:
        ConfigurationError: If it would happen by accident.
    """
    mode = connection.settings.pii
    with pipeline.managed_state() as state:
        for resource in _resources(state, connection).values():
            check_pii_mode(resource, mode, allow_clear_text=allow_clear_text)
            if PII_MODE in resource:
                resource[PII_MODE] = mode


def resource_state(pipeline: dlt.Pipeline, connection: Connection, resource: str) -> Mapping[str, Any]:
    """Return dlt's state of a resource; empty before its first load."""
    state: Mapping[str, Any] = _resources(pipeline.state, connection).get(resource, {})
    return state


def resource_bookmark(pipeline: dlt.Pipeline, connection: Connection, resource: str = "calls") -> datetime | None:
    """Return the time up to which a resource is complete in the warehouse; None before its first load."""
    return read_bookmark(resource_state(pipeline, connection, resource))


def pending_transcripts(
    pipeline: dlt.Pipeline, connection: Connection, sql: Sql, now: datetime
) -> list[PendingTranscript]:
    """Return the calls whose missing transcript is still requested, oldest first."""
    transcripts_bookmark = resource_bookmark(pipeline, connection, "transcripts")
    since = pending_since(connection.transcript_retry_period, transcripts_bookmark, now)
    return loaded.pending_transcripts(sql, since, include_private=connection.includes_private_calls)


def dataset_exists(pipeline: dlt.Pipeline, target: Target, table: str = "calls") -> bool:
    """Return whether the dataset has our tables. A load that was killed before it was complete also creates them.

    Args:
        pipeline: A pipeline of the dataset.
        target: The warehouse.
        table: The table to look for. An upload creates no `calls`.
    """
    if target.missing_file is not None:
        return False
    try:
        with sql_client(pipeline) as sql:
            sql.execute_sql(f"SELECT 1 FROM {sql.make_qualified_table_name(table)} WHERE 1 = 0")
    except DatabaseUndefinedRelation:
        return False
    return True


def _resources(state: Mapping[str, Any], connection: Connection) -> Mapping[str, Any]:
    """Return dlt's states of a connection's resources by name."""
    resources: Mapping[str, Any] = state.get("sources", {}).get(connection.name, {}).get("resources", {})
    return resources


def _refuse_foreign_tables(pipeline: dlt.Pipeline, target: Target) -> None:
    """Refuse a dataset into which dlt never loaded and that has tables under our names: a load would change them."""
    with sql_client(pipeline) as sql:
        tables = list_tables(sql)
    ours = {name for resource in TABLES_BY_RESOURCE for name in table_names(resource)}
    ours |= {state.TABLE for state in (runs, deletions, uploads, media)}
    foreign = sorted(tables & ours)
    if foreign and not tables & set(_DLT_TABLES):
        raise UsageError(
            f"dataset {target.dataset} has tables that gong-elt did not create ({', '.join(foreign[:5])}): choose"
            " another --dataset, or rename them"
        )


def _other_connection(pipeline: dlt.Pipeline) -> str | None:
    """Return the name of another dlt pipeline that loaded this dataset.

    Rows of this pipeline do not count: a first load that was killed late leaves one without having completed.
    """
    try:
        with pipeline.sql_client() as sql:
            table = sql.make_qualified_table_name("_dlt_pipeline_state")
            rows = sql.execute_sql(
                f"SELECT MIN(pipeline_name) FROM {table} WHERE pipeline_name <> %s", pipeline.pipeline_name
            )
    except DatabaseUndefinedRelation:
        return None
    return str(rows[0][0]) if rows and rows[0][0] else None
