"""Protocol of a warehouse, with what differs between the kinds, and the kind without a module: any SQL destination."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import dlt
from dlt.common.destination import Destination
from dlt.destinations.sql_client import SqlClientBase

REPLACE_STRATEGY = "insert-from-staging"
"""Tables such as users are replaced in one transaction: a reader never sees an empty table, and a killed run leaves the
previous rows."""


class InvalidWarehouseError(ValueError):
    """The destination is unknown or its configuration is invalid. The message names what to change."""


@dataclass(frozen=True, slots=True)
class DbtConnection:
    """How dbt connects to a warehouse.

    Attributes:
        output: Entry of `profiles.yml`, without the schema.
        environment: Variables that the entry refers to. Passwords are passed here and never written to a file.
    """

    output: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)


class Warehouse(Protocol):
    """A warehouse of one kind. Each kind has a module, and a line in `destinations/registry.py`."""

    @property
    def destination(self) -> Destination[Any, Any]:
        """Dlt's destination."""

    @property
    def file(self) -> Path | None:
        """The file of a warehouse that is one; None for a server."""

    @property
    def location(self) -> str:
        """Text that differs between two warehouses of this kind. It may hold a password."""

    @property
    def has_marts(self) -> bool:
        """Whether `gong-elt models` builds in this kind of warehouse."""

    def lock(self, pipeline: dlt.Pipeline, connection: str) -> AbstractContextManager[str | None]:
        """Return a context that holds the lock of a connection and dataset against other machines.

        It yields None if the lock was acquired or the kind has no locks, otherwise a description of the holder.
        """

    def write_obstacle(self, pipeline: dlt.Pipeline) -> str | None:
        """Return why this user cannot write to the pipeline's dataset, as one line; None if they can.

        Raises:
            DatabaseException: If the warehouse cannot be reached.
            OSError: If the file cannot be opened for writing.
        """

    def checkpoint(self, pipeline: dlt.Pipeline) -> None:
        """Do housekeeping that is cheaper between two loads than at the end of a run."""

    def dbt_connection(self, pipeline: dlt.Pipeline) -> DbtConnection:
        """Return how dbt connects. Only for kinds with `has_marts`."""

    def close_dbt(self) -> None:
        """Close connections that dbt would otherwise keep open until the process exits."""

    def sqlalchemy_uri(self, credentials: Any) -> str | None:
        """Return SQLAlchemy's URI without a password; None if it cannot be derived.

        Args:
            credentials: The credentials of dlt's SQL client.
        """


@dataclass(frozen=True, slots=True)
class SqlWarehouse:
    """Any SQL destination of dlt: syncs and reconciles, without a lock between machines and without marts."""

    name: str
    destination: Destination[Any, Any]

    @property
    def file(self) -> Path | None:
        return None

    @property
    def location(self) -> str:
        return str(dlt.secrets.get(f"destination.{self.name}.credentials"))

    @property
    def has_marts(self) -> bool:
        return False

    def lock(self, pipeline: dlt.Pipeline, connection: str) -> AbstractContextManager[str | None]:  # noqa: ARG002
        return nullcontext()

    def write_obstacle(self, pipeline: dlt.Pipeline) -> str | None:
        with pipeline.sql_client() as sql:
            sql.execute_sql("SELECT 1")
        return None

    def checkpoint(self, pipeline: dlt.Pipeline) -> None:
        pass

    def dbt_connection(self, pipeline: dlt.Pipeline) -> DbtConnection:
        raise NotImplementedError(f"{self.name} has no marts")

    def close_dbt(self) -> None:
        pass

    def sqlalchemy_uri(self, credentials: Any) -> str | None:  # noqa: ARG002
        return None


def sql_client(pipeline: dlt.Pipeline) -> SqlClientBase[Any]:
    """Return the pipeline's cached SQL client for short statements: one `with` at a time, all in one thread.

    `pipeline.sql_client()` reads dlt's configuration and schemas each time, which takes 10 ms.
    """
    return _cached_sql_client(pipeline, pipeline.default_schema_name)


@lru_cache(maxsize=1)
def _cached_sql_client(pipeline: dlt.Pipeline, _schema: str | None) -> SqlClientBase[Any]:
    return pipeline.sql_client()
