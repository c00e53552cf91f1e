"""dbt profile and environment for the warehouse that a sync has loaded."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from destinations.warehouse import DbtConnection

from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.target import Target
from ..runtime.warehouse_session import (
    dataset_exists,
    missing_tables,
    nothing_loaded,
    restore_pipeline,
    tables_missing,
)
from .marts_origin import claim_marts


def dbt_profile(
    connection: Connection, target: Target, analytics: str, models: Collection[str], folder: Path
) -> tuple[Mapping[str, Any], DbtConnection]:
    """Return dbt's profile for the warehouse, and the connection that it is made of.

    The dataset of the marts is claimed for the loaded tables.

    Args:
        connection: The Gong account that loaded the dataset.
        target: The warehouse.
        analytics: Dataset that dbt builds into.
        models: Names of the relations that dbt replaces.
        folder: An empty working folder.

    Raises:
        UsageError: If nothing is loaded yet, gong-elt cannot build marts in this kind of warehouse, or the dataset
            belongs to other tables.
    """
    if not target.warehouse.has_marts:
        raise UsageError(f"gong-elt models does not support {target.name}: {target.warehouse.marts_advice}")
    pipeline = restore_pipeline(connection, target, folder)
    if missing := missing_tables(pipeline, target):
        raise tables_missing(target, missing)
    if not dataset_exists(pipeline, target):
        raise nothing_loaded(target)
    with pipeline.sql_client() as sql:
        claim_marts(sql, analytics, target.dataset, connection.name, models)
    dbt = target.warehouse.dbt_connection(pipeline)
    return {"target": "warehouse", "outputs": {"warehouse": {**dbt.output, "schema": analytics}}}, dbt


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables within a `with` block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
