"""Sums over the published Iceberg tables in one engine: `python -m tests.spark.engines Spark` prints them as JSON.

It reads the settings of `destination.iceberg` as gong-elt does, from the current folder and the environment. Each
engine reads the snapshots of the last complete load.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import duckdb

from destinations.kinds.duckdb.extensions import load_extension
from destinations.kinds.iceberg.catalog import open_catalog
from destinations.kinds.iceberg.publication import LOADS
from destinations.kinds.iceberg.spark import spark_session
from destinations.kinds.iceberg.warehouse import IcebergWarehouse
from destinations.registry import open_warehouse
from tests.support.paths import REPOSITORY

TABLES: Mapping[str, tuple[str, str]] = {
    "calls": ("id", "duration"),
    "transcript_sentences": ("call_id", "end_ms"),
}
"""By the name of a table: the column of the call's id, and one with a number."""

_DATASET = "gong"


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A table of the last complete load.

    Attributes:
        name: Its name.
        location: Its metadata file.
    """

    name: str
    location: str

    def sums(self, source: str) -> str:
        """Return a query of the number of rows, of calls, and the sum of the numbers."""
        call_id, number = TABLES[self.name]
        return f"SELECT count(*) AS n, count(DISTINCT {call_id}) AS calls, sum({number}) AS total FROM {source}"

    @property
    def file(self) -> Path:
        """Its metadata file, on this machine."""
        return Path(unquote(urlsplit(self.location).path))


Read = Callable[[PublishedTable], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class EngineRun:
    """What one engine has read.

    Attributes:
        sums: Rows, calls and the sum of the numbers, by the name of the table.
        seconds: Duration of the queries.
        start_seconds: Duration until the engine can be queried.
    """

    sums: Mapping[str, list[int]]
    seconds: float
    start_seconds: float


@contextmanager
def _duckdb(_: IcebergWarehouse) -> Iterator[Read]:
    with duckdb.connect() as connection:
        # iceberg needs avro.
        for extension in ("avro", "iceberg"):
            load_extension(connection, extension, "dev")

        def read(table: PublishedTable) -> tuple[Any, ...]:
            row = connection.execute(table.sums("iceberg_scan(?)"), [table.location]).fetchone()
            return row or ()

        yield read


@contextmanager
def _chdb(_: IcebergWarehouse) -> Iterator[Read]:
    import chdb  # noqa: PLC0415 - in the environment of Spark's tests only

    def read(table: PublishedTable) -> tuple[Any, ...]:
        # It only reads below the current folder.
        folder, file = table.file.parents[1], table.file
        settings = f"SETTINGS iceberg_metadata_file_path = '{file.relative_to(folder)}'"
        query = table.sums(f"icebergLocal('{folder}', {settings})")
        return tuple(json.loads(str(chdb.query(query, "JSONCompactEachRow"))))

    yield read


@contextmanager
def _polars(_: IcebergWarehouse) -> Iterator[Read]:
    import polars  # noqa: PLC0415 - in the environment of Spark's tests only

    def read(table: PublishedTable) -> tuple[Any, ...]:
        call_id, number = TABLES[table.name]
        columns = (polars.len().alias("n"), polars.col(call_id).n_unique(), polars.col(number).sum())
        row: tuple[Any, ...] = polars.scan_iceberg(table.location).select(*columns).collect().row(0)
        return row

    yield read


@contextmanager
def _spark(warehouse: IcebergWarehouse) -> Iterator[Read]:
    """Read the views that gong-elt has written for Spark."""
    views = Path(unquote(urlsplit(warehouse.settings.credentials.iceberg_url).path)) / _DATASET / "views" / "spark.sql"
    with tempfile.TemporaryDirectory() as folder, spark_session(warehouse.settings, Path(folder)) as session:
        for statement in views.read_text().split(";\n"):
            if statement.strip():
                session.sql(statement)
        yield lambda table: tuple(session.sql(table.sums(table.name)).first() or ())


ENGINES = {"Spark": _spark, "chDB": _chdb, "Polars": _polars, "DuckDB": _duckdb}


def run_engine(engine: str, folder: Path, environment: Mapping[str, str]) -> EngineRun:
    """Read the tables in a process of its own.

    Args:
        engine: A name of `ENGINES`.
        folder: Working folder of the process.
        environment: Environment variables with the settings of the destination.

    Raises:
        subprocess.CalledProcessError: If the engine fails.
    """
    printed = subprocess.run(
        [sys.executable, "-m", "tests.spark.engines", engine],
        cwd=folder,
        # Polars would warn that it has no planner of its own.
        env={**environment, "PYTHONPATH": str(REPOSITORY), "POLARS_ICEBERG_PLANNER": "pyiceberg"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    return EngineRun(**json.loads(printed.splitlines()[-1]))


def _read_tables(warehouse: IcebergWarehouse) -> list[PublishedTable]:
    rows = open_catalog(warehouse.settings, create=False).load_table((_DATASET, LOADS)).scan().to_arrow().to_pylist()
    newest = max(row["published_at"] for row in rows)
    return [
        PublishedTable(row["table_name"], row["metadata_location"])
        for row in rows
        if row["published_at"] == newest and row["table_name"] in TABLES
    ]


def main() -> None:
    """Read the tables with one engine, and print a line of JSON."""
    warehouse = open_warehouse("iceberg", _DATASET)
    assert isinstance(warehouse, IcebergWarehouse)
    tables = _read_tables(warehouse)
    begun = time.monotonic()
    with ENGINES[sys.argv[1]](warehouse) as read:
        ready = time.monotonic()
        sums = {table.name: [int(value) for value in read(table)] for table in tables}
        seconds = time.monotonic() - ready
    print(json.dumps({"sums": sums, "seconds": seconds, "start_seconds": ready - begun}))


if __name__ == "__main__":
    main()
