"""How tests look into a warehouse and change it, beside the commands. One class per kind of warehouse."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import psycopg2
import psycopg2.extras

from tests.support.servers.postgres import PASSWORD, find_program

COLUMNS = """
SELECT column_name, upper(data_type) FROM information_schema.columns WHERE table_schema = 'gong' AND table_name = ?
"""


class WarehouseConnection(Protocol):
    """A warehouse of a test. Tables can be named without the dataset `gong`; times are in UTC, JSON is text."""

    @property
    def destination(self) -> str:
        """Name of the destination, as in `--destination`."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables with which commands load into it."""

    @property
    def unreachable_environment(self) -> Mapping[str, str]:
        """Environment variables that name a server which does not listen, with `PASSWORD`."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Query it and return the rows; placeholders are `?`."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Change it; placeholders are `?`."""

    def columns(self, table: str) -> Mapping[str, str]:
        """Return the columns of a table and their types."""

    def read_elsewhere(self, sql: str) -> list[str]:
        """Query one row with a client that neither gong-elt nor the tests use, and return its fields as text."""


@dataclass(frozen=True, slots=True)
class DuckDbFile:
    """A DuckDB file, which commands find by its default name."""

    file: Path
    destination = "duckdb"

    @property
    def environment(self) -> Mapping[str, str]:
        return {}

    @property
    def unreachable_environment(self) -> Mapping[str, str]:
        raise NotImplementedError("a file has no server")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.file), read_only=True) as warehouse:
            set_defaults(warehouse)
            return warehouse.execute(sql, list(parameters)).fetchall()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        with duckdb.connect(str(self.file)) as warehouse:
            set_defaults(warehouse)
            warehouse.execute(sql, list(parameters))

    def columns(self, table: str) -> Mapping[str, str]:
        return dict(self.rows(COLUMNS, [table]))

    def read_elsewhere(self, sql: str) -> list[str]:
        raise NotImplementedError("DuckDB alone reads its file")


@dataclass(frozen=True, slots=True)
class PostgresDatabase:
    """A PostgreSQL database."""

    url: str
    destination = "postgres"

    @property
    def environment(self) -> Mapping[str, str]:
        return {"DESTINATION__POSTGRES__CREDENTIALS": self.url}

    @property
    def unreachable_environment(self) -> Mapping[str, str]:
        return {"DESTINATION__POSTGRES__CREDENTIALS": f"postgresql://postgres:{PASSWORD}@127.0.0.1:1/nowhere"}

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.url, options="-c search_path=gong -c timezone=UTC")
        try:
            # Return JSON as text, as DuckDB does.
            psycopg2.extras.register_default_jsonb(connection, loads=lambda text: text)
            with connection, connection.cursor() as cursor:
                cursor.execute(sql.replace("%", "%%").replace("?", "%s"), list(parameters))
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self.rows(sql, parameters)

    def columns(self, table: str) -> Mapping[str, str]:
        return dict(self.rows(COLUMNS, [table]))

    def read_elsewhere(self, sql: str) -> list[str]:
        psql = [str(find_program("psql")), self.url, "--no-align", "--tuples-only", "--field-separator=\t"]
        return (
            subprocess.run([*psql, "--command", sql], capture_output=True, text=True, check=True)
            .stdout.strip()
            .split("\t")
        )


def set_defaults(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Use UTC, and let tables be named without their dataset if it exists."""
    warehouse.execute("SET TimeZone = 'UTC'")
    if warehouse.execute("SELECT 1 FROM information_schema.schemata WHERE schema_name = 'gong'").fetchall():
        warehouse.execute("SET search_path = 'gong'")
