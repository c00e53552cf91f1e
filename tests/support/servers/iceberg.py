"""Iceberg tables of a test, and the lake from which they are published. Tests read what was published."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import duckdb

from destinations.kinds.duckdb.extensions import load_extension
from tests.support.servers.connections import COLUMNS, set_defaults
from tests.support.servers.ducklake import EXTENSIONS, DuckLakeConnection
from tests.support.servers.postgres import PASSWORD

_VARIABLE = "DESTINATION__ICEBERG__CREDENTIALS__"
_VIEW = re.compile(r'CREATE OR REPLACE VIEW "gong"\."(\w+)" AS (.+);')
# Reads the tables with pyiceberg, as the catalog has them.
_READER = """
import duckdb, sys
from pyiceberg.catalog import load_catalog
catalog = load_catalog("gong_elt", type="sql", uri=sys.argv[1])
connection = duckdb.connect()
connection.execute("CREATE SCHEMA gong")
for _, name in catalog.list_tables("gong"):
    rows = catalog.load_table(("gong", name)).scan().to_arrow()
    connection.execute(f"CREATE TABLE gong.{name} AS SELECT * FROM rows")
print(*connection.execute(sys.argv[2]).fetchone(), sep="\\t")
"""

_numbers = count()


@dataclass(frozen=True, slots=True)
class IcebergConnection:
    """A lake and the Iceberg tables that are published from it.

    Attributes:
        folder: Folder of the data, and of catalogs in SQLite.
        postgres: URL of the database of the catalogs; None for SQLite.
        bucket: Name of the bucket of the data; None for the folder.
        s3: Environment variables of the clients of the bucket's server.
    """

    folder: Path
    postgres: str | None = None
    bucket: str | None = None
    s3: Mapping[str, str] = field(default_factory=dict)
    destination = "iceberg"

    @property
    def lake(self) -> DuckLakeConnection:
        """The lake."""
        return DuckLakeConnection(self.folder, self.postgres, self.bucket, self.s3, "gong_elt_lake")

    @property
    def environment(self) -> Mapping[str, str]:
        settings = {name.replace("DUCKLAKE", "ICEBERG"): value for name, value in self.lake.environment.items()}
        return {**settings, f"{_VARIABLE}STORAGE__BUCKET_URL": self._storage}

    @property
    def unreachable_environment(self) -> Mapping[str, str]:
        return {f"{_VARIABLE}CATALOG": f"postgresql://postgres:{PASSWORD}@127.0.0.1:1/nowhere"}

    @property
    def catalog_url(self) -> str:
        """SQLAlchemy's URL of the catalog of the Iceberg tables."""
        if self.postgres:
            return self.postgres.replace("postgresql://", "postgresql+psycopg2://")
        return f"sqlite:///{self.folder / 'catalog.iceberg.sqlite'}"

    @property
    def views_file(self) -> Path:
        """The file of the views for DuckDB."""
        return self.folder / "iceberg" / "gong" / "views" / "duckdb.sql"

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self.connect(sql) as tables:
            return tables.execute(sql, list(parameters)).fetchall()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self.lake.execute(sql, parameters)

    def columns(self, table: str) -> Mapping[str, str]:
        with self.connect(table) as tables:
            return dict(tables.execute(f"{COLUMNS} AND table_catalog = current_database()", [table]).fetchall())

    def read_elsewhere(self, sql: str) -> list[str]:
        program = [sys.executable, "-c", _READER, self.catalog_url, sql]
        output = subprocess.run(program, capture_output=True, text=True, check=True, cwd=self.folder).stdout
        return output.strip().split("\t")

    @property
    def _storage(self) -> str:
        return f"s3://{self.bucket}" if self.bucket else str(self.folder)

    @contextmanager
    def connect(self, sql: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection with views of the tables that a text names.

        Those that are published are views of the published tables, with their names in the lake, too. dlt's own tables
        and the marts are those of the lake, and so are all tables before the first publication.
        """
        name = f"published_{next(_numbers)}"
        with _instance().cursor() as tables:
            tables.execute(f"ATTACH ':memory:' AS {name}")
            lake = f"lake_{name}"
            tables.execute(self.lake.attach(lake))
            tables.execute(f"USE {name}")
            try:
                self._create_views(tables, lake, sql)
                set_defaults(tables)
                yield tables
            finally:
                tables.execute("USE memory")
                tables.execute(f"DETACH {name}")
                tables.execute(f"DETACH {lake}")

    def _create_views(self, tables: duckdb.DuckDBPyConnection, lake: str, sql: str) -> None:
        named = set(re.findall(r"\w+", sql))
        published = dict(_VIEW.findall(self._read_views()))
        in_lake = _list_tables(tables, lake)
        if in_lake:
            tables.execute("CREATE SCHEMA gong")
        if in_lake and not published:
            tables.execute("CREATE TABLE gong.gong_loads (load_id VARCHAR)")
        for table, query in published.items():
            for view in {table, re.sub(r"^gong_", "_", table)} & named:
                tables.execute(f"CREATE VIEW gong.{view} AS {query}")
        for schema, table in in_lake:
            if table in named and (not published or schema != "gong" or table.startswith("_dlt")):
                tables.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
                tables.execute(f"CREATE VIEW {schema}.{table} AS FROM {lake}.{schema}.{table}")

    def _read_views(self) -> str:
        return self.views_file.read_text() if self.views_file.exists() else ""


def _list_tables(tables: duckdb.DuckDBPyConnection, lake: str) -> list[tuple[Any, ...]]:
    query = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = ?"
    return tables.execute(query, [lake]).fetchall()


@cache
def _instance() -> duckdb.DuckDBPyConnection:
    """Return an instance with the extensions; loading them takes half a second."""
    instance = duckdb.connect(config={"threads": 1})
    # iceberg needs avro.
    for extension in (*EXTENSIONS, "avro", "iceberg"):
        load_extension(instance, extension, "dev")
    return instance
