"""A connection's pipeline as the warehouse remembers it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt

from destinations.warehouse import missing_file
from sources.gong import bookmark_of

from .connection import Connection, Target


def restored_pipeline(connection: Connection, target: Target, folder: Path) -> dlt.Pipeline:
    """The pipeline with its state and schema from the warehouse, in an emptied working folder.

    A load that a killed run left behind in the folder is set aside: its bookmark never reached the warehouse,
    so all that it held is read again.

    Args:
        connection: Which Gong account.
        target: Which warehouse.
        folder: Working folder; whatever dlt left in it is deleted.
    """
    if folder.exists():
        shutil.rmtree(folder)
    pipeline = connection.pipeline(target.destination, target.dataset, folder)
    if missing_file(target.destination) is None:
        pipeline.sync_destination()
    return pipeline


def resource_state(pipeline: dlt.Pipeline, connection: Connection, resource: str) -> Mapping[str, Any]:
    """Dlt's state of a resource; empty before its first load."""
    sources: Mapping[str, Any] = pipeline.state.get("sources", {})
    state: Mapping[str, Any] = sources.get(connection.name, {}).get("resources", {}).get(resource, {})
    return state


def bookmark(pipeline: dlt.Pipeline, connection: Connection, resource: str = "calls") -> datetime | None:
    """Up to here the resource is complete in the warehouse."""
    return bookmark_of(resource_state(pipeline, connection, resource))


def tables_held(pipeline: dlt.Pipeline) -> set[str]:
    """Tables that exist in the warehouse."""
    return set(pipeline.default_schema.tables) if pipeline.default_schema_name else set()
