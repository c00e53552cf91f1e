"""MariaDB: sessions with known modes and limits, the missing privileges, and maintenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dlt
from dlt.common.configuration import configspec
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.libs.sql_alchemy_shims import URL
from dlt.destinations import sqlalchemy
from dlt.destinations.exceptions import DatabaseException, DatabaseUndefinedRelation
from dlt.destinations.impl.sqlalchemy.configuration import SqlalchemyClientConfiguration, SqlalchemyCredentials
from dlt.destinations.sql_client import SqlClientBase

from ...lease import parse_expiry
from ...loading.atomic_load import AtomicDestination
from ...warehouse import InvalidWarehouseError, Space, SqlWarehouse, read_duration

DRIVER = "pymysql"
BACKENDS = ("mariadb", "mysql")
"""Schemes of URLs whose server is MariaDB, before the name of the driver."""

LOCK_TIMEOUT_SETTING = "lock_timeout"
DEFAULT_LOCK_TIMEOUT = "30s"

_SYSTEM_DATABASES = ("information_schema", "mysql", "performance_schema", "sys")
_CONNECT_SECONDS = 10
# The server's defaults differ. Without the strict mode, it cuts texts and changes numbers that do not fit.
_SESSION: Mapping[str, object] = {
    "time_zone": "'+00:00'",
    "sql_mode": "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_ENGINE_SUBSTITUTION'",
    # Some servers end sessions that idle for a minute.
    "wait_timeout": 28_800,
}
_LOCK_TIMEOUTS = ("lock_wait_timeout", "innodb_lock_wait_timeout")
_PROBE = "_no_such_table"
# The server checks privileges first: with them, each statement fails because the table does not exist.
# Each begins with the name of its privilege.
_PRIVILEGED = (
    "CREATE TABLE {table} LIKE {source}",
    "ALTER TABLE {table} ADD COLUMN probe INT",
    "INSERT INTO {table} VALUES (1)",
    "UPDATE {table} SET probe = 1",
    "DELETE FROM {table}",
)
_PRIVILEGES = ", ".join(("SELECT", *(statement.split()[0] for statement in _PRIVILEGED)))
_TABLES = """
SELECT table_schema, table_name FROM information_schema.tables
WHERE table_schema IN ({datasets}) AND table_type = 'BASE TABLE' ORDER BY 1, 2
"""
_SIZE = """
SELECT COALESCE(SUM(data_length + index_length + data_free), 0) FROM information_schema.tables
WHERE table_schema IN ({datasets}) AND table_type = 'BASE TABLE'
"""


@configspec(init=False)
class MariaDbLogin(SqlalchemyCredentials):
    """Credentials of sessions with the modes and limits of all commands.

    Attributes:
        lock_timeout_seconds: How long a statement waits for a lock of another session.
    """

    lock_timeout_seconds: int = 30

    def to_url(self) -> URL:
        """Return the URL without its database: that of the dataset may not exist yet."""
        return super().to_url()._replace(database=None)

    def _resolve_engine_kwargs(self) -> dict[str, Any]:
        from sqlalchemy.pool import NullPool  # noqa: PLC0415 - the package may be missing

        session = {**_SESSION, **dict.fromkeys(_LOCK_TIMEOUTS, self.lock_timeout_seconds)}
        variables = ", ".join(f"{name} = {value}" for name, value in session.items())
        configured = super()._resolve_engine_kwargs()
        return {
            # A statement then sees what others have committed before it, and locks only the rows that it changes.
            "isolation_level": "READ COMMITTED",
            # dlt loads in more threads than a pool has connections.
            "poolclass": NullPool,
            # Errors would quote the content of calls.
            "hide_parameters": True,
            **configured,
            "connect_args": {
                "connect_timeout": _CONNECT_SECONDS,
                # Until the session is open: a server may accept the connection and never respond.
                "read_timeout": _CONNECT_SECONDS,
                "charset": "utf8mb4",
                "init_command": f"SET SESSION {variables}",
                **configured.get("connect_args", {}),
            },
        }


@configspec
class MariaDbSettings(SqlalchemyClientConfiguration):
    """Settings of `destination.sqlalchemy` for a MariaDB server.

    Attributes:
        lock_timeout: How long a statement waits for a lock that another session holds, such as 30s or 2m.
    """

    credentials: MariaDbLogin = None  # type: ignore[assignment]
    lock_timeout: str = DEFAULT_LOCK_TIMEOUT

    def on_resolved(self) -> None:
        """Pass the lock timeout on to the sessions."""
        super().on_resolved()
        self.credentials.lock_timeout_seconds = int(parse_expiry(self.lock_timeout).total_seconds())


class MariaDb(AtomicDestination, sqlalchemy):
    """dlt's SQLAlchemy destination for MariaDB, named as dlt's own in its state."""

    spec: Any = MariaDbSettings

    @property
    def destination_type(self) -> str:
        """The name under which dlt finds this kind of destination."""
        return "dlt.destinations.sqlalchemy"

    @property
    def client_class(self) -> Any:
        """The client, whose module imports the driver."""
        from .client import MariaDbClient  # noqa: PLC0415 - the driver may be missing

        return MariaDbClient

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities = super()._raw_capabilities()
        capabilities.supports_ddl_transactions = False
        return capabilities

    @classmethod
    def adjust_capabilities(cls, caps: DestinationCapabilitiesContext, config: Any, naming: Any) -> Any:
        """Return the capabilities with the types and tables of this kind."""
        from .client import MariaDbDialect  # noqa: PLC0415 - the driver may be missing

        adjusted: Any = super().adjust_capabilities(caps, config, naming)
        adjusted.dialect_capabilities = MariaDbDialect(BACKENDS[0])
        adjusted.type_mapper = adjusted.dialect_capabilities.type_mapper_class()
        return adjusted


@dataclass(frozen=True, slots=True)
class MariaDbWarehouse(SqlWarehouse):
    """Databases on a MariaDB server, one per dataset.

    Attributes:
        login: The credentials.
    """

    login: MariaDbLogin | None = None

    @property
    def marts_advice(self) -> str:
        return "dbt has no adapter for MariaDB that runs them; sync into duckdb or postgres as well, and build there"

    @property
    def location(self) -> str:
        login = self.login
        return f"{BACKENDS[0]}://{login.username}@{login.host}:{login.port or ''}" if login else self.name

    @property
    def can_list_tables(self) -> bool:
        return True

    def write_obstacle(self, pipeline: dlt.Pipeline) -> str | None:
        """Return the missing privilege and the GRANT that gives it; None if the user may create and change tables."""
        with pipeline.sql_client() as sql:
            for database in (sql.dataset_name, sql.staging_dataset_name):
                for statement in _PRIVILEGED:
                    if not _may_run(sql, database, statement):
                        name = sql.escape_column_name(database)
                        return (
                            f"this user may not {statement.split()[0]} in database {database}:"
                            f" GRANT {_PRIVILEGES} ON {name}.* TO this user"
                        )
        return None

    def maintain(self, pipeline: dlt.Pipeline, datasets: Sequence[str]) -> Space:
        """Write the tables again without the space of deleted rows, and update their statistics.

        Raises:
            DatabaseException: If the server rejects it.
        """
        parameters = ", ".join(["%s"] * len(datasets))
        with pipeline.sql_client() as sql:
            tables = [
                f"{sql.escape_column_name(database)}.{sql.escape_column_name(table)}"
                for database, table in sql.execute_sql(_TABLES.format(datasets=parameters), *datasets) or ()
            ]
            bytes_before = _measure(sql, tables, datasets)
            for table in tables:
                _maintain_table(sql, f"OPTIMIZE TABLE {table}")
            return Space(bytes_before, _measure(sql, tables, datasets))


def check_mariadb(name: str, driver: str, dataset: str) -> None:
    """Refuse what cannot work.

    Args:
        name: Name of the destination.
        driver: Scheme of the URL, such as `mysql+pymysql`.
        dataset: Dataset that it will hold.

    Raises:
        InvalidWarehouseError: If the driver is another one, the dataset is a database of the server, or the lock
            timeout is invalid.
    """
    read_duration(name, LOCK_TIMEOUT_SETTING, DEFAULT_LOCK_TIMEOUT)
    if driver.partition("+")[2] != DRIVER:
        raise InvalidWarehouseError(
            f"destination.{name}.credentials has the scheme {driver}: write mysql+{DRIVER}://…, the driver with which"
            " gong-elt is tested"
        )
    if dataset in _SYSTEM_DATABASES:
        raise InvalidWarehouseError(f"--dataset {dataset!r} is reserved by the warehouse: use another name")


def _may_run(sql: SqlClientBase[Any], database: str, statement: str) -> bool:
    """Return whether the user has the privilege for a statement on a table that does not exist."""
    names = {"table": _PROBE, "source": f"{_PROBE}_either"}
    quoted = {key: f"{sql.escape_column_name(database)}.{sql.escape_column_name(name)}" for key, name in names.items()}
    try:
        sql.execute_sql(statement.format(**quoted))
    except DatabaseUndefinedRelation:
        return True
    except DatabaseException as error:
        if is_denied(error):
            return False
        raise
    return True


def is_denied(error: DatabaseException) -> bool:
    """Return whether a user has no privilege for a statement."""
    return _error_code(error) in (1044, 1142, 1143, 1227)


def _error_code(error: DatabaseException) -> int:
    arguments = getattr(getattr(error.dbapi_exception, "orig", None), "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else 0


def _measure(sql: SqlClientBase[Any], tables: Sequence[str], datasets: Sequence[str]) -> int:
    # Sizes are part of the statistics.
    for table in tables:
        _maintain_table(sql, f"ANALYZE TABLE {table}")
    rows = sql.execute_sql(_SIZE.format(datasets=", ".join(["%s"] * len(datasets))), *datasets)
    return int(rows[0][0]) if rows else 0


def _maintain_table(sql: SqlClientBase[Any], statement: str) -> None:
    """Run a statement whose errors are rows."""
    for _table, _operation, kind, text in sql.execute_sql(statement) or ():
        if str(kind).lower() == "error":
            raise DatabaseException(RuntimeError(f"{statement}: {text}"))
