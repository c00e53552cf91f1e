"""A lake of a test: its catalog is in SQLite or PostgreSQL, its data in a folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
from psycopg2.extensions import parse_dsn

from destinations.kinds.duckdb.extensions import load_extension
from tests.support.servers.connections import COLUMNS, set_defaults
from tests.support.servers.postgres import PASSWORD

_VARIABLE = "DESTINATION__DUCKLAKE__CREDENTIALS__"
EXTENSIONS = ("ducklake", "sqlite_scanner", "postgres_scanner", "httpfs")
_S3_SETTINGS = {
    "AWS_ACCESS_KEY_ID": "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY": "AWS_SECRET_ACCESS_KEY",
    "AWS_ENDPOINT_URL": "ENDPOINT_URL",
}
"""Variables of S3's clients, and dlt's settings."""
# Opens the lake with a DuckDB of its own, and prints the first row of the last statement.
_CLIENT = """
import duckdb, sys
connection = duckdb.connect()
for statement in sys.argv[1:-1]:
    connection.execute(statement)
print(*connection.execute(sys.argv[-1]).fetchone() or (), sep="\\t")
"""

_numbers = count()


@dataclass(frozen=True, slots=True)
class DuckLakeConnection:
    """A lake.

    Attributes:
        folder: Folder of its data, and of a catalog in SQLite.
        postgres: URL of the database of its catalog; None for SQLite.
        bucket: Name of the bucket of its data; None for the folder.
        s3: Environment variables of the clients of the bucket's server.
        metadata_schema: Schema of its catalog in PostgreSQL.
    """

    folder: Path
    postgres: str | None = None
    bucket: str | None = None
    s3: Mapping[str, str] = field(default_factory=dict)
    metadata_schema: str = "ducklake"
    destination = "ducklake"

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            f"{_VARIABLE}CATALOG": self.postgres or f"sqlite:///{self.folder / 'catalog.sqlite'}",
            f"{_VARIABLE}METADATA_SCHEMA": self.metadata_schema,
            f"{_VARIABLE}STORAGE__BUCKET_URL": self._storage,
            **{f"{_VARIABLE}STORAGE__CREDENTIALS__{setting}": self.s3[name] for name, setting in self._login},
            # No other query reads the lake while a test maintains it.
            "DESTINATION__DUCKLAKE__SNAPSHOT_RETENTION": "0s",
        }

    @property
    def unreachable_environment(self) -> Mapping[str, str]:
        return {f"{_VARIABLE}CATALOG": f"postgresql://postgres:{PASSWORD}@127.0.0.1:1/nowhere"}

    def attach(self, name: str = "ducklake") -> str:
        """Return the statement that attaches it."""
        catalog = f"postgres:{self.postgres}" if self.postgres else f"sqlite:{self.folder / 'catalog.sqlite'}"
        options = f"DATA_PATH '{self._storage}'" + (
            f", METADATA_SCHEMA '{self.metadata_schema}'" if self.postgres else ""
        )
        return f"ATTACH 'ducklake:{catalog}' AS {name} ({options})"

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the lake in the tests' own DuckDB."""
        name = f"lake_{next(_numbers)}"
        with _instance().cursor() as lake:
            if self.bucket:
                lake.execute(self._secret)
            lake.execute(self.attach(name))
            lake.execute(f"USE {name}")
            try:
                set_defaults(lake)
                yield lake
            finally:
                lake.execute("USE memory")
                lake.execute(f"DETACH {name}")

    @property
    def _storage(self) -> str:
        return f"s3://{self.bucket}/lake/" if self.bucket else str(self.folder / "lake")

    @property
    def _login(self) -> Iterator[tuple[str, str]]:
        return (pair for pair in _S3_SETTINGS.items() if self.bucket)

    @property
    def _secret(self) -> str:
        key, secret, endpoint = (self.s3[name] for name in _S3_SETTINGS)
        server = f"ENDPOINT '{endpoint.removeprefix('http://')}', URL_STYLE 'path', USE_SSL false"
        return f"CREATE OR REPLACE SECRET bucket (TYPE s3, KEY_ID '{key}', SECRET '{secret}', {server})"

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self.connect() as lake:
            return lake.execute(sql, list(parameters)).fetchall()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self.rows(sql, parameters)

    def columns(self, table: str) -> Mapping[str, str]:
        return dict(self.rows(COLUMNS, [table]))

    def read_elsewhere(self, sql: str) -> list[str]:
        output = subprocess.run(self.client(sql), capture_output=True, text=True, check=True, cwd=self.folder).stdout
        return output.strip().split("\t")

    def client(self, *statements: str) -> list[str]:
        """Return the command line of a program that runs statements in the lake and prints the last one's first row."""
        settings = [] if self.postgres else ["SET threads = 1"]
        loads = [f"LOAD '{_file_of(extension)}'" for extension in EXTENSIONS]
        return [sys.executable, "-c", _CLIENT, *settings, *loads, self.attach(), "USE ducklake", *statements]

    def prepare_reader(self, home: Path) -> None:
        """Give DuckDB in a home folder what docs/how-to/bi-tools.md asks for: the extensions, and the lake's secret."""
        with _instance().cursor() as connection:
            ((platform,),) = connection.execute("PRAGMA platform").fetchall()
        folder = home / ".duckdb" / "extensions" / f"v{duckdb.__version__}" / platform
        folder.mkdir(parents=True)
        for extension in EXTENSIONS:
            shutil.copy(_file_of(extension), folder)
        if self.postgres:
            parameters = " ".join(f"{key}={value}" for key, value in parse_dsn(self.postgres).items())
            secret = f"(TYPE ducklake, METADATA_PATH 'postgres:{parameters}', METADATA_SCHEMA '{self.metadata_schema}')"
            statements = ["LOAD ducklake", f"CREATE PERSISTENT SECRET gong_lake {secret}", "SELECT 1"]
            subprocess.run([sys.executable, "-c", _CLIENT, *statements], env={"HOME": str(home)}, check=True)


@cache
def _instance() -> duckdb.DuckDBPyConnection:
    """Return an instance with the extensions; loading them takes 0.4 s."""
    # As docs/how-to/ducklake.md says for a catalog in SQLite.
    instance = duckdb.connect(config={"threads": 1})
    for extension in EXTENSIONS:
        load_extension(instance, extension, "ducklake")
    return instance


def _file_of(extension: str) -> Path:
    (folder,) = import_module(f"duckdb_extension_{extension}").__path__
    return next(Path(folder).rglob(f"{extension}.duckdb_extension"))
