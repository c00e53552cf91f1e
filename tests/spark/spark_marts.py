"""A workspace in which Spark builds the marts, and its warehouse, whose marts are read from their Iceberg tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
from pyiceberg.catalog import Catalog, load_catalog

from tests.support.process.command import CommandResult
from tests.support.servers.connections import set_defaults
from tests.support.servers.iceberg import IcebergConnection
from tests.support.workspace import Workspace

_MARTS = "gong_analytics"
_BUILD_SECONDS = 900


class SparkWorkspace(Workspace):
    """A workspace whose models Spark builds."""

    def run(self, *arguments: str, timeout_seconds: float = 120) -> CommandResult:
        """Run `gong-elt`, with Spark as the engine of `models`."""
        if arguments[0] != "models":
            return super().run(*arguments, timeout_seconds=timeout_seconds)
        return super().run(*arguments, "--engine", "spark", timeout_seconds=_BUILD_SECONDS)


@dataclass(frozen=True, slots=True)
class SparkMarts(IcebergConnection):
    """Iceberg tables, and marts in the same catalog."""

    @property
    def catalog(self) -> Catalog:
        """The catalog of the published tables and of the marts."""
        return load_catalog("gong_elt", type="sql", uri=self.catalog_url, warehouse=str(self.folder / "iceberg"))

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Query the published tables, or the marts, which pyiceberg reads."""
        names = set(re.findall(rf"\b{_MARTS}\.(\w+)", sql))
        if not names:
            return IcebergConnection.rows(self, sql, parameters)
        catalog = self.catalog
        with duckdb.connect() as connection:
            set_defaults(connection)
            connection.execute(f"CREATE SCHEMA {_MARTS}")
            for name in names:
                connection.register("scanned", catalog.load_table((_MARTS, name)).scan().to_arrow())
                connection.execute(f"CREATE TABLE {_MARTS}.{name} AS FROM scanned")
            return connection.execute(sql, list(parameters)).fetchall()
