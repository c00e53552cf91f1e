"""The lake as this process has it open: one DuckDB instance in memory, to which the catalog is attached once.

Attaching takes 0.1 to 0.4 s, and dlt does it again for each connection.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from threading import RLock
from typing import Any

import duckdb
from dlt.common.runtime.run_context import active
from dlt.destinations.exceptions import DatabaseTerminalException, DatabaseTransientException
from psycopg2.extensions import parse_dsn

from ...warehouse import InvalidWarehouseError
from ..duckdb.extensions import load_extension
from ..duckdb.warehouse import DUCKDB_CONFIG
from .limits import application_name, limits

EXTRA = "ducklake"
"""The extra of gong-elt with the packages."""

POSTGRES, SQLITE = "postgres", "sqlite"
"""Kinds of catalogs, as DuckDB names them."""

# In the instance's memory: views of load files, as dlt's staging dataset.
MEMORY = "memory"
"""The catalog of the instance's own database."""

_SCANNERS = {POSTGRES: "postgres_scanner", SQLITE: "sqlite_scanner"}
_CATALOG_SECRET = "gong_elt_catalog"
_CONNECT_SECONDS = "10"
# How long a statement waits for another process that changes a catalog in SQLite.
_BUSY_MILLISECONDS = 30_000
# DuckDB names the whole connection string in front of the reason.
_UNREACHABLE = re.compile(r"Unable to connect to Postgres at \"[^\"]*\": (.*)", re.DOTALL)
_MISSING = "creating a new DuckLake is explicitly disabled"
_CREATE_ATTEMPTS = 3
_SECONDS_BETWEEN_ATTEMPTS = 1.0

_instances: dict[LakeAddress, duckdb.DuckDBPyConnection] = {}
_cursors: set[duckdb.DuckDBPyConnection] = set()
_lock = RLock()


@dataclass(frozen=True, slots=True)
class LakeAddress:
    """Where a lake is, and how it is opened.

    Attributes:
        name: Name of the lake in SQL.
        kind: `POSTGRES` or `SQLITE`.
        catalog: URL of the catalog's database, or its file.
        metadata_schema: Schema of the catalog's tables in PostgreSQL.
        storage: Folder or bucket of the data.
        secrets: Statements that create the credentials of the bucket.
        options: Further options of ATTACH.
        settings: Names and values of the user's settings of DuckDB.
        is_read_only: Whether nothing can be changed, and nothing is created.
    """

    name: str
    kind: str
    catalog: str = field(repr=False)
    metadata_schema: str
    storage: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    options: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    is_read_only: bool = False

    @property
    def database(self) -> str:
        """Name of the instance, with which other connections of this process find it."""
        return f":memory:gong_elt_{blake2b(repr((self, self.catalog)).encode(), digest_size=6).hexdigest()}"

    @property
    def metadata(self) -> str:
        """Schema of the catalog's tables, as SQL."""
        catalog = quote_name(f"__ducklake_metadata_{self.name}")
        return catalog if self.kind == SQLITE else f"{catalog}.{quote_name(self.metadata_schema)}"


def open_cursor(address: LakeAddress) -> duckdb.DuckDBPyConnection:
    """Return a connection in which the lake is the current database. Close it with `close_cursor`.

    A lake that does not exist is created, unless it is opened read-only: then it is empty.

    Raises:
        DatabaseTransientException: If the catalog cannot be reached.
        DatabaseTerminalException: If the run's deadline passed while it was locked.
        InvalidWarehouseError: If a package is missing, or the data cannot be in this place.
    """
    with _lock:
        instance = _instances.get(address)
        if instance is None:
            instance = _open_instance(address)
        cursor = instance.cursor()
        _cursors.add(cursor)
    cursor.execute(f"USE {quote_name(address.name)}")
    return cursor


def login(url: str) -> dict[str, str]:
    """Return the parameters of libpq for the URL of a catalog in PostgreSQL."""
    return {"connect_timeout": _CONNECT_SECONDS, **parse_dsn(url)}


def close_cursor(cursor: duckdb.DuckDBPyConnection) -> None:
    """Roll back what is open, and close the connection. The lake stays attached until the process ends."""
    with suppress(duckdb.Error):
        cursor.execute("ROLLBACK")
    with _lock:
        _cursors.discard(cursor)
    cursor.close()


def cancel_statements() -> None:
    """Interrupt the statements of all connections of this process. Called from another thread than theirs."""
    # A thread may hold the lock while it waits for the catalog.
    for cursor in _cursors.copy():
        cursor.interrupt()


def quote_text(text: str) -> str:
    """Return a text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """Return a name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def _open_instance(address: LakeAddress) -> duckdb.DuckDBPyConnection:
    instance = duckdb.connect(address.database)
    try:
        settings: dict[str, Any] = {
            **DUCKDB_CONFIG,
            "TimeZone": "UTC",
            "autoinstall_known_extensions": False,
            "temp_directory": str(_spill_folder()),
            **dict(address.settings),
        }
        if address.kind == SQLITE:
            # With more threads, DuckDB 1.5.5 reads the tables of the catalog at different times: a query would see a
            # part of a load that is committed at this moment.
            settings["threads"] = 1
        for name, value in settings.items():
            instance.execute(f"SET GLOBAL {name} = {quote_text(str(value))}")
        if address.is_read_only and address.kind == SQLITE and not Path(address.catalog).exists():
            return _empty(instance, address)
        try:
            _attach(instance, address)
        except duckdb.Error as error:
            if _MISSING in str(error) and address.is_read_only:
                return _empty(instance, address)
            if limits.name_cause(error):
                raise DatabaseTerminalException(error) from error
            raise DatabaseTransientException(_without_credentials(error, address)) from None
    except BaseException:
        instance.close()
        raise
    _instances[address] = instance
    return instance


def _attach(instance: duckdb.DuckDBPyConnection, address: LakeAddress) -> None:
    for extension in ("ducklake", _SCANNERS[address.kind], *(["httpfs"] if "://" in address.storage else [])):
        load_extension(instance, extension, EXTRA)
    options = [f"DATA_PATH {quote_text(address.storage)}", *address.options]
    if address.kind == SQLITE:
        catalog = address.catalog
        options += ["META_TYPE 'sqlite'", f"META_BUSY_TIMEOUT {_BUSY_MILLISECONDS}"]
        if not address.is_read_only:
            # Queries then read beside a run that commits. The file keeps the mode.
            options.append("META_JOURNAL_MODE 'WAL'")
    else:
        parameters = login(address.catalog)
        # In the connection string, it would be a part of error messages.
        if (password := parameters.pop("password", None)) is not None:
            secret = f"{_CATALOG_SECRET} (TYPE postgres, PASSWORD {quote_text(password)})"
            instance.execute(f"CREATE OR REPLACE SECRET {secret}")
            options.append(f"META_SECRET {_CATALOG_SECRET}")
        parameters["application_name"] = application_name()
        catalog = "postgres:" + " ".join(f"{key}={_quote_parameter(value)}" for key, value in parameters.items())
        schema = quote_text(address.metadata_schema)
        # The second option is one of DuckDB's connection, which otherwise reads the tables of every schema.
        options += [f"METADATA_SCHEMA {schema}", f"META_SCHEMA {schema}"]
    if address.is_read_only:
        options.append("READ_ONLY")
    for create_secret in address.secrets:
        instance.execute(create_secret)
    _attach_or_create(
        instance, address, f"ATTACH {quote_text(f'ducklake:{catalog}')} AS {quote_name(address.name)}", options
    )


def _attach_or_create(
    instance: duckdb.DuckDBPyConnection, address: LakeAddress, statement: str, options: Sequence[str]
) -> None:
    """Attach the lake, and create it if it is missing. Another machine may be creating it at the same time."""
    for attempt in range(1, _CREATE_ATTEMPTS + 1):
        is_last = attempt == _CREATE_ATTEMPTS
        # Opening a catalog in SQLite would create the file.
        if address.kind != SQLITE or Path(address.catalog).exists():
            try:
                instance.execute(f"{statement} ({', '.join([*options, 'CREATE_IF_NOT_EXISTS false'])})")
            except duckdb.Error as error:
                if _MISSING not in str(error) or address.is_read_only:
                    raise
            else:
                return
        try:
            _refuse_files_of_others(instance, address)
            instance.execute(f"{statement} ({', '.join(options)})")
        except (duckdb.Error, InvalidWarehouseError):
            # Two machines cannot create the catalog's schema at the same moment, and the files may be of the other one.
            if is_last:
                raise
            time.sleep(_SECONDS_BETWEEN_ATTEMPTS)
        else:
            return


def _refuse_files_of_others(instance: duckdb.DuckDBPyConnection, address: LakeAddress) -> None:
    """Refuse to create a lake where files are: `maintain` deletes those that the lake does not know."""
    files = f"{address.storage.rstrip('/')}/**/*.parquet"
    found = instance.execute("SELECT file FROM glob(?) LIMIT 1", [files]).fetchone()
    if found is not None:
        raise InvalidWarehouseError(
            f"a new lake cannot be in {address.storage}, which has Parquet files of others, such as {found[0]}: use an"
            " empty folder, or the catalog of that lake"
        )


def _empty(instance: duckdb.DuckDBPyConnection, address: LakeAddress) -> duckdb.DuckDBPyConnection:
    """Return an instance in which the lake is empty. It is not kept: another process may create the lake."""
    instance.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {quote_name(address.name)}")
    return instance


def _without_credentials(error: duckdb.Error, address: LakeAddress) -> duckdb.Error:
    """Return why a lake cannot be attached, without its login."""
    if unreachable := _UNREACHABLE.search(str(error)):
        return duckdb.IOException(f"the catalog of the lake cannot be reached: {unreachable[1]}")
    if address.kind == SQLITE and not os.access(Path(address.catalog).absolute().parent, os.W_OK):
        return duckdb.IOException(f"the catalog {address.catalog} cannot be opened: check its folder and permissions")
    return error


def _quote_parameter(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _spill_folder() -> Path:
    """Return the folder for rows that do not fit in memory, without those that killed processes have left."""
    folder = Path(active().data_dir, "gong-elt", "spilled")
    # DuckDB creates the last folder only, and not before it writes.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.iterdir():
        if not _is_running(left.name):
            shutil.rmtree(left, ignore_errors=True)
    return folder / str(os.getpid())


def _is_running(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except OSError:
        return True
    return True
