"""The client of MariaDB: types that hold any value, and loads that nothing commits early. It imports the driver."""

from __future__ import annotations

import re
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pymysql  # noqa: F401 - a missing driver is found here, and not by the first statement
import sqlalchemy as sa
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.client import LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.json import json
from dlt.common.schema import Schema
from dlt.common.schema.typing import TColumnSchema, TSchemaTables
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.destinations.exceptions import (
    DatabaseTerminalException,
    DatabaseTransientException,
    DatabaseUndefinedRelation,
)
from dlt.destinations.impl.sqlalchemy.db_api_client import SqlalchemyClient
from dlt.destinations.impl.sqlalchemy.dialect import MysqlDialectCapabilities
from dlt.destinations.impl.sqlalchemy.load_jobs import SqlalchemyParquetInsertJob
from dlt.destinations.impl.sqlalchemy.sqlalchemy_job_client import SqlalchemyJobClient
from dlt.destinations.impl.sqlalchemy.type_mapper import MysqlVariantTypeMapper
from sqlalchemy.dialects.mysql import LONGBLOB, LONGTEXT
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn

from ...loading.atomic_load import AtomicLoad

_CHARSET = "utf8mb4"
# Texts are equal if they are the same: other collations ignore case, accents, or spaces at the end.
_COLLATION = "utf8mb4_nopad_bin"
_TABLE_OPTIONS = {"engine": "InnoDB", "charset": _CHARSET, "collate": _COLLATION}
_KEY_CHARACTERS = 64
_KEY_HINTS = ("primary_key", "merge_key")

_UNDEFINED = (1049, 1051, 1146)
# Deadlocks, and servers that cannot be reached, are full or shut down.
_TRANSIENT = (1040, 1053, 1158, 1159, 1160, 1161, 1213, 1927, 2002, 2003, 2006, 2013, 2014)
_PACKET = "if it repeats, raise max_allowed_packet of the server above the size of the longest transcript"
_ADVICE = {
    1045: "correct user and password in the URL of the destination",
    1153: "raise max_allowed_packet of the server above the size of the longest transcript",
    1205: "end the transaction of the other session, or raise lock_timeout of the destination, and run again",
    2003: "start the server, or correct host and port in the URL of the destination",
    2006: _PACKET,
    2013: _PACKET,
}
# They commit the transaction, unless they are about a temporary table.
_COMMITTING = re.compile(
    r"\s*(CREATE|DROP|ALTER|RENAME|TRUNCATE|OPTIMIZE|ANALYZE|LOCK|GRANT|BEGIN|START)\b(?!\s+TEMPORARY\b)", re.IGNORECASE
)
# A server that vanished without closing its connections is noticed within a minute.
_SOCKET_OPTIONS = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}

# dlt's statements that merge a table cause it.
warnings.filterwarnings("ignore", "implicitly coercing SELECT object", sa.exc.SAWarning)


class ImplicitCommitError(Exception):
    """A statement of a load would have committed the load before its end."""


class KeyIndex(sa.schema.ColumnCollectionConstraint):  # type: ignore[misc]
    """An index of the columns by which rows are found, which is created with its table."""


@compiles(KeyIndex)  # type: ignore[untyped-decorator]
def _write_index(index: KeyIndex, compiler: Any, **_: Any) -> str:
    columns = (compiler.preparer.format_column(column) for column in index.columns)
    return f"INDEX ({', '.join(f'{column}({_KEY_CHARACTERS})' for column in columns)})"


class JsonText(sa.TypeDecorator[Any]):  # type: ignore[misc]
    """JSON as text. MariaDB's type JSON is the same text with a check, which refuses more than 32 levels."""

    impl = LONGTEXT
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:  # noqa: ARG002
        """Return the text of a value. Load files in Parquet hold JSON as text already."""
        return value if value is None or isinstance(value, str) else json.dumps(value)


class MariaDbTypes(MysqlVariantTypeMapper):
    """Types by those of dlt, for values of any length; keys included, as they are compared with such texts."""

    def db_type_from_text_type(self, column: TColumnSchema, table: PreparedTableSchema) -> Any:  # noqa: ARG002
        """Return the type of texts. TEXT would hold 64 KB."""
        return LONGTEXT(charset=_CHARSET, collation=_COLLATION)

    def db_type_from_json_type(self, column: TColumnSchema, table: PreparedTableSchema) -> Any:  # noqa: ARG002
        """Return the type of JSON."""
        return JsonText(charset=_CHARSET, collation=_COLLATION)

    def db_type_from_binary_type(self, column: TColumnSchema, table: PreparedTableSchema) -> Any:  # noqa: ARG002
        """Return the type of bytes. BLOB would hold 64 KB."""
        return LONGBLOB()


class MariaDbDialect(MysqlDialectCapabilities):
    """Tables with transactions and an index of their key. The server's defaults may be others."""

    def type_mapper_class(self) -> Any:
        """Return the types."""
        return MariaDbTypes

    def adapt_table(self, table: sa.Table, table_schema: PreparedTableSchema) -> sa.Table:
        """Return the table with its options and index."""
        for name, value in _TABLE_OPTIONS.items():
            for backend in ("mysql", "mariadb"):
                table.dialect_options[backend][name] = value
        hints: Any = table_schema["columns"]
        keys = [column for column in table.columns if any(hints.get(column.name, {}).get(hint) for hint in _KEY_HINTS)]
        texts = [column for column in keys if isinstance(column.type, LONGTEXT)]
        if texts:
            table.append_constraint(KeyIndex(*texts))
        return table


class MariaDbSqlClient(SqlalchemyClient):
    """dlt's SQL client, whose errors are classified by the server's codes.

    Attributes:
        refuses_commits: Whether statements that commit a transaction are refused.
    """

    refuses_commits = False

    def open_connection(self) -> Any:
        """Open the connection.

        Raises:
            DatabaseException: If the server cannot be reached or refuses the login.
        """
        if self._current_connection is None:
            try:
                _limit_waits(super().open_connection())
            except sa.exc.SQLAlchemyError as error:
                raise self._make_database_exception(error) from error
        return self._current_connection

    def create_dataset(self) -> None:
        """Create the database. Another run may have created it at the same time."""
        name = self.escape_column_name(self.dataset_name)
        self.execute_sql(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET {_CHARSET} COLLATE {_COLLATION}")

    def list_tables(self) -> set[str]:
        """Return the names of the tables in the dataset; empty if the dataset does not exist."""
        rows = self.execute_sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE'",
            self.dataset_name,
        )
        return {str(row[0]) for row in rows or ()}

    def alter_table_add_columns(self, columns: Any) -> None:
        """Add columns. dlt would need another package for it."""
        for column in columns:
            table = self.make_qualified_table_name(column.table.name)
            self.execute_sql(f"ALTER TABLE {table} ADD COLUMN {CreateColumn(column).compile(dialect=self.dialect)}")

    @contextmanager
    def execute_query(self, query: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Run a statement with times in UTC, of which the driver drops the zone.

        Raises:
            ImplicitCommitError: If it would commit a load before its end.
        """
        if self.refuses_commits and _COMMITTING.match(str(query)):
            raise ImplicitCommitError(f"{str(query).split(maxsplit=1)[0]} would commit the load before its end")
        with super().execute_query(query, *map(_in_utc, args), **kwargs) as cursor:
            yield cursor

    def _make_database_exception(self, e: Exception) -> Exception:  # type: ignore[override]
        if isinstance(e, sa.exc.NoSuchTableError):
            return DatabaseUndefinedRelation(e)
        if not isinstance(e, sa.exc.DBAPIError):
            return DatabaseTransientException(e) if isinstance(e, sa.exc.SQLAlchemyError) else e
        code = _complete_message(e.orig)
        if code in _UNDEFINED:
            return DatabaseUndefinedRelation(e)
        if code in _TRANSIENT or e.connection_invalidated or isinstance(e, sa.exc.InterfaceError):
            return DatabaseTransientException(e)
        return DatabaseTerminalException(e)


class MariaDbClient(AtomicLoad, SqlalchemyJobClient):
    """dlt's client with atomic loads."""

    sql_client: MariaDbSqlClient

    def __init__(self, schema: Schema, config: Any, capabilities: DestinationCapabilitiesContext) -> None:
        super().__init__(schema, config, capabilities)
        names = self.sql_client.dataset_name, self.sql_client.staging_dataset_name
        self.sql_client = MariaDbSqlClient(*names, config.credentials, capabilities)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begin a transaction that only its end commits."""
        with super().transaction(), self._commits_refused(True):
            yield

    def update_stored_schema(
        self, only_tables: Any = None, expected_update: Any = None, force: bool = False
    ) -> TSchemaTables | None:
        """Create and alter tables, each of which the server commits.

        A run that is killed meanwhile leaves at least one of dlt's tables, and not all of them: the next one notices
        that tables are missing. What a version of the schema lacks is created before the version is stored.
        """
        names = sorted(only_tables or self.schema.tables, key=self._creation_order)
        with self._commits_refused(False):
            return super().update_stored_schema(names, expected_update, force)

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """Return a job that loads a file in this client's session; dlt would use another driver if it is installed."""
        job = super().create_load_job(table, file_path, load_id, restore)
        if ParsedLoadJobFileName.parse(file_path).file_format == "parquet" and hasattr(job, "table"):
            return SqlalchemyParquetInsertJob(file_path, job.table)
        return job

    def _creation_order(self, table: str) -> int:
        if table == self.schema.version_table_name:
            return 0
        return 2 if table in self.schema.dlt_table_names() else 1

    @contextmanager
    def _commits_refused(self, is_refused: bool) -> Iterator[None]:
        client = self.sql_client
        before, client.refuses_commits = client.refuses_commits, is_refused
        try:
            yield
        finally:
            client.refuses_commits = before


def _complete_message(error: Any) -> int:
    """Add to the message of a driver's error what to do, and return the server's number of the error; 0 without."""
    # The driver's own error names the server, and the error that it was raised for does not.
    error.__suppress_context__ = True
    if len(error.args) != 2:
        return 0
    code, text = error.args
    advice = _ADVICE.get(code, "")
    if advice and not text.endswith(advice):
        error.args = (code, f"{text}: {advice}")
    return int(code)


def _limit_waits(connection: sa.engine.Connection) -> None:
    """Let statements take any time while the server is there. The driver has no settings for it."""
    raw: Any = connection.connection.dbapi_connection
    # The limit for each response during the login.
    raw._read_timeout = None
    with suppress(OSError, AttributeError):
        for name, value in _SOCKET_OPTIONS.items():
            raw._sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _in_utc(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value
