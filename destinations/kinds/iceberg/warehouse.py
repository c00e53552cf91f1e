"""Iceberg: a lake in DuckLake, in which all commands work, and its tables published in Iceberg's format."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import dlt

from ...warehouse import InvalidWarehouseError, NotPublishedError, Space
from ..ducklake.warehouse import DuckLakeWarehouse, open_ducklake
from .destination import Iceberg

if TYPE_CHECKING:
    from .publication import Publisher

# Those of pyiceberg 0.12 that gong-elt was run with come first.
_CATALOG_TYPES = ("sql", "rest", "hive", "glue", "dynamodb", "bigquery")

_NOT_PUBLISHED = "the data is in the lake, but was not published to Iceberg, which the next command repeats"


@dataclass(frozen=True, slots=True)
class IcebergWarehouse(DuckLakeWarehouse):
    """A lake whose tables are published in Iceberg's format."""

    def write_obstacle(self, pipeline: dlt.Pipeline) -> str | None:
        if (obstacle := DuckLakeWarehouse.write_obstacle(self, pipeline)) is not None:
            return obstacle
        from .catalog import open_catalog  # noqa: PLC0415 - importing pyiceberg takes a second

        try:
            with errors_of("the Iceberg catalog cannot be used"):
                open_catalog(self.settings, create=False)
        except NotPublishedError as error:
            return str(error)
        return None

    def prepare_publication(self) -> None:
        # Not a daemon: the end of the process would stop it within an import, whose lock it would keep.
        threading.Thread(target=_import_packages, name="gong-elt-imports").start()

    def publish_changes(self, pipeline: dlt.Pipeline) -> None:
        with errors_of(_NOT_PUBLISHED), pipeline.sql_client() as sql:
            client: Any = sql
            self._publisher(client.address(), pipeline.dataset_name).publish(client.native_connection)

    def maintain(self, pipeline: dlt.Pipeline, datasets: Sequence[str]) -> Space | None:
        """Maintain the lake, the published tables of the pipeline's dataset, and marts that Spark has built."""
        with self._lock_marts(), errors_of("the Iceberg tables were not maintained"), pipeline.sql_client() as sql:
            from ..ducklake.maintenance import maintain_lake  # noqa: PLC0415 - imports DuckDB
            from .maintenance import maintain_tables, measure_tables  # noqa: PLC0415

            client: Any = sql
            publisher = self._publisher(client.address(), pipeline.dataset_name)
            # Before snapshots of the lake are removed, from which it would know what has changed.
            publisher.publish(client.native_connection)
            namespaces = [name for name in datasets if publisher.catalog.namespace_exists(name)]
            files_before, bytes_before = measure_tables(publisher.catalog, namespaces)
            lake = maintain_lake(
                client,
                self.retention,
                datasets,
                lambda: publisher.publish(client.native_connection, retention=self.retention),
            )
            for namespace in namespaces:
                maintain_tables(publisher.catalog, namespace, self.retention)
            files_after, bytes_after = measure_tables(publisher.catalog, namespaces)
            return Space(
                lake.bytes_before + bytes_before,
                lake.bytes_after + bytes_after,
                (lake.files_before or 0) + files_before,
                (lake.files_after or 0) + files_after,
            )

    def _publisher(self, address: Any, dataset: str) -> Publisher:
        from .catalog import open_catalog  # noqa: PLC0415 - importing pyiceberg takes a second
        from .publication import Publisher  # noqa: PLC0415
        from .views import ViewFiles  # noqa: PLC0415

        catalog = open_catalog(self.settings)
        folder = f"{self.settings.credentials.iceberg_url}/{dataset}/views"
        return Publisher(catalog, address, dataset, ViewFiles(folder, catalog.properties, catalog.name, dataset))


def _import_packages() -> None:
    # Errors are those of the publication, which imports the same.
    with suppress(Exception):
        from . import publication  # noqa: F401, PLC0415


def open_iceberg(name: str, destination: Iceberg, settings: Any, dataset: str) -> IcebergWarehouse:
    """Return a lake with its publication.

    Args:
        name: Destination as the user named it.
        destination: The destination.
        settings: Its configuration.
        dataset: Dataset that it will hold.

    Raises:
        InvalidWarehouseError: If a package is missing, or a setting of the lake or of the catalog is invalid.
    """
    if find_spec("pyiceberg") is None or find_spec("sqlalchemy") is None:
        raise InvalidWarehouseError(
            f"destination {name!r} needs packages that are not installed: pip install 'gong-elt[iceberg]'"
        )
    lake = open_ducklake(name, destination, settings, dataset)
    catalog = settings.catalog or {}
    kind = catalog.get("type", "sql")
    if kind not in _CATALOG_TYPES:
        raise InvalidWarehouseError(
            f"destination.{name}.catalog.type {kind!r} is not a catalog of pyiceberg: use {', '.join(_CATALOG_TYPES)}"
        )
    if kind == "rest" and "uri" not in catalog:
        raise InvalidWarehouseError(f"destination.{name}.catalog.uri is missing: set it to the URL of the REST catalog")
    return IcebergWarehouse(lake.name, destination, settings, lake.dataset, lake.retention)


@contextmanager
def errors_of(what: str) -> Iterator[None]:
    """Raise errors of the lake, the catalog and the storage as NotPublishedError, with this text in front."""
    import duckdb  # noqa: PLC0415 - only commands that publish need them
    from pyarrow import ArrowException  # noqa: PLC0415
    from pyiceberg import exceptions  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError  # noqa: PLC0415

    classes = [value for value in vars(exceptions).values() if isinstance(value, type)]
    of_pyiceberg = [value for value in classes if issubclass(value, Exception)]
    try:
        yield
    except (duckdb.Error, ArrowException, SQLAlchemyError, ImportError, OSError, ValueError, *of_pyiceberg) as error:
        # SQLAlchemy adds the statement and its parameters.
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        raise NotPublishedError(f"{what}: {str(cause) or type(cause).__name__}") from error
