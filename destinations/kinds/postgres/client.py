"""dlt's PostgreSQL destination with bounded statements, optional passwords, and lists that readers can always read."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
from dlt.common.configuration import configspec
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.runtime import signals
from dlt.common.schema import Schema
from dlt.common.schema.typing import TSchemaTables
from dlt.common.typing import TSecretStrValue
from dlt.destinations import postgres
from dlt.destinations.exceptions import DatabaseTerminalException, DestinationConnectionError
from dlt.destinations.impl.postgres.configuration import PostgresClientConfiguration, PostgresCredentials
from dlt.destinations.impl.postgres.postgres import PostgresClient
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient
from psycopg2 import errors, extensions

from ...loading.atomic_load import AtomicLoad
from ...warehouse import InvalidWarehouseError
from .statements import (
    CLIENT_CHECK,
    LOCK_TIMEOUT_SETTING,
    Blocker,
    BoundedConnection,
    BoundedCursor,
    StatementBlockedError,
    StatementLimits,
    StatementOverdueError,
)

_SERVER_VERSION_WITH_CLIENT_CHECK = 14_00_00
# libpq's own words, which no error code accompanies.
_NO_PASSWORD = "no password supplied"
_CONNECTION_DEFAULTS: Mapping[str, Any] = {
    # A server that vanished without closing its connections is noticed within a minute.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
# A wait for an exclusive lock blocks all later readers of the table, so these waits are short and repeated.
_EXCLUSIVE_LOCK_TIMEOUT_SECONDS = 0.5
_SECONDS_BETWEEN_EXCLUSIVE_LOCKS = 1.5
_EMPTY_TABLE = """
DO $gong_elt$ BEGIN
    LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE NOWAIT;
    TRUNCATE TABLE {table};
EXCEPTION WHEN lock_not_available THEN
    DELETE FROM {table};
END $gong_elt$
"""
_UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600}


@configspec(init=False)
class PostgresLogin(PostgresCredentials):
    """Credentials in which everything but the database is optional, as for PostgreSQL's own programs.

    libpq takes what is missing from PGUSER, PGPASSWORD, `.pgpass` and so on, and some servers ask for no password.
    """

    username: str | None = None  # type: ignore[assignment]
    password: TSecretStrValue | None = None  # type: ignore[assignment]
    host: str | None = None  # type: ignore[assignment]
    connect_timeout: int = 10


@configspec
class PostgresSettings(PostgresClientConfiguration):
    """Settings of `destination.postgres`.

    Attributes:
        lock_timeout: How long a statement waits for a lock that another session holds, such as 30s or 2m; 0 waits
            without limit.
    """

    credentials: PostgresLogin = None  # type: ignore[assignment]
    lock_timeout: str = "30s"

    def data_location(self) -> str:
        """Return host, port and database for dlt's trace; without a host, libpq chooses one."""
        login = self.credentials
        return f"{login.host or ''}:{login.port}/{login.database}"


def parse_lock_timeout(text: str, destination: str) -> float:
    """Return a lock timeout in seconds.

    Args:
        text: Number and unit: ms, s, m or h; or 0.
        destination: Name of the destination, for the message.

    Raises:
        InvalidWarehouseError: If it is not a duration.
    """
    match = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)\s*(ms|s|m|min|h)", text.strip()) or re.fullmatch(r"(0)()", text.strip())
    if match is None:
        raise InvalidWarehouseError(
            f"invalid destination.{destination}.{LOCK_TIMEOUT_SETTING} {text!r}: use a duration such as 30s or 2m, or 0"
            " to wait without limit"
        )
    number, unit = match.groups()
    return float(number) * _UNIT_SECONDS.get(unit, 0)


class BoundedSqlClient(Psycopg2SqlClient):
    """dlt's SQL client, whose connections are bounded by the limits of the process."""

    def __init__(
        self,
        dataset_name: str,
        staging_dataset_name: str,
        credentials: PostgresCredentials,
        capabilities: DestinationCapabilitiesContext,
    ) -> None:
        super().__init__(dataset_name, staging_dataset_name, credentials, capabilities)
        self.limits = StatementLimits(0)

    def open_connection(self) -> Any:
        """Open the connection.

        Raises:
            DestinationConnectionError: If the server cannot be reached or refuses the login.
            InvalidWarehouseError: If the server asks for a password and none was found.
        """
        login = self._login()
        try:
            self._conn = psycopg2.connect(**login, connection_factory=BoundedConnection, cursor_factory=BoundedCursor)
        except psycopg2.OperationalError as error:
            if _NO_PASSWORD in str(error):
                raise InvalidWarehouseError(
                    f"{self.credentials.host or 'the server'} asks for a password: add it to the URL in"
                    " destination.postgres.credentials, or set PGPASSWORD or a line in .pgpass"
                ) from error
            raise DestinationConnectionError(type(self).__name__, self.dataset_name, str(error), error) from error
        self._conn.bind(self.limits, login)
        self._reset_connection()
        return self._conn

    @contextmanager
    def lock_timeout(self, seconds: float) -> Iterator[None]:
        """Wait at most this long for each lock within a `with` block."""
        self._set_lock_timeout(seconds)
        try:
            yield
        finally:
            if self._conn is not None and not self._conn.closed:
                self._set_lock_timeout(self.limits.lock_timeout_seconds)

    def _set_lock_timeout(self, seconds: float) -> None:
        with self._conn.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", (f"{1000 * seconds:.0f}ms",))
        self._conn.lock_timeout_seconds = seconds

    def _login(self) -> dict[str, Any]:
        query = self.credentials.get_query()
        options = [
            query.get("options", ""),
            f"-csearch_path={self.fully_qualified_dataset_name()},public",
            *self.limits.session_options,
        ]
        defaults = {name: value for name, value in _CONNECTION_DEFAULTS.items() if name not in query}
        return {"dsn": self.credentials.to_native_representation(), "options": " ".join(options).strip(), **defaults}

    def _reset_connection(self) -> None:
        super()._reset_connection()
        connection = self._conn
        # The reset has restored the session's own setting.
        connection.lock_timeout_seconds = self.limits.lock_timeout_seconds
        if self.limits.server_checks_client or connection.server_version < _SERVER_VERSION_WITH_CLIENT_CHECK:
            return
        # Servers on some systems refuse it.
        with suppress(psycopg2.DataError), connection.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute("SELECT set_config(%s, %s, false)", CLIENT_CHECK)
            self.limits.server_checks_client = True

    def truncate_tables(self, *tables: str) -> None:
        """Empty staging tables: quickly, or row by row if another session is reading them."""
        self.execute_many([_EMPTY_TABLE.format(table=self.make_qualified_table_name(table)) for table in tables])

    def _truncate_table_sql(self, qualified_table_name: str) -> str:
        # TRUNCATE waits for every transaction that has read the table, and meanwhile blocks all other readers.
        return f"DELETE FROM {qualified_table_name}"

    @classmethod
    def _make_database_exception(cls, ex: Exception) -> Exception:
        # dlt would repeat the statement five times.
        if isinstance(ex, StatementBlockedError | errors.QueryCanceled):
            return DatabaseTerminalException(ex)
        return super()._make_database_exception(ex)


class BoundedPostgresClient(AtomicLoad, PostgresClient):
    """dlt's client with bounded connections and atomic loads. It loads only while this run holds its lock.

    Attributes:
        confirm_lock: Raises if the run has lost its lock.
    """

    stages_appends = False

    def __init__(
        self, schema: Schema, config: PostgresClientConfiguration, capabilities: DestinationCapabilitiesContext
    ) -> None:
        super().__init__(schema, config, capabilities)
        names = self.sql_client.dataset_name, self.sql_client.staging_dataset_name
        self.sql_client: BoundedSqlClient = BoundedSqlClient(*names, config.credentials, capabilities)
        self.confirm_lock: Callable[[], None] = _accept

    def initialize_storage(self, truncate_tables: Any = None) -> None:
        """Prepare a load.

        Raises:
            LockLostError: If another run may be working on the dataset.
        """
        self.confirm_lock()
        super().initialize_storage(truncate_tables)

    def confirm_load(self) -> None:
        """Check that no other run can have read what this load replaces.

        Raises:
            LockLostError: If another run may be working on the dataset.
        """
        self.confirm_lock()

    def update_stored_schema(
        self,
        only_tables: Any = None,
        expected_update: Any = None,
        force: bool = False,
    ) -> TSchemaTables | None:
        """Create and alter tables in one transaction, which is repeated until it gets its locks.

        Raises:
            DatabaseTerminalException: If another session held a lock for longer than the lock timeout.
        """
        if not self.sql_client.native_connection.autocommit:
            # Within a transaction, a statement cannot be repeated alone.
            return super().update_stored_schema(only_tables, expected_update, force)
        # An iterator could not be repeated.
        tables: Any = None if only_tables is None else list(only_tables)
        start = time.monotonic()
        while True:
            try:
                with self.sql_client.lock_timeout(_EXCLUSIVE_LOCK_TIMEOUT_SECONDS):
                    return super().update_stored_schema(tables, expected_update, force)
            except DatabaseTerminalException as error:
                if not isinstance(error.dbapi_exception, StatementBlockedError):
                    raise
                self._check_patience(error.dbapi_exception.blocker, time.monotonic() - start)
            # dlt defers signals while it loads.
            signals.sleep(_SECONDS_BETWEEN_EXCLUSIVE_LOCKS)
            signals.raise_if_signalled()

    def _check_patience(self, blocker: Blocker | None, waited_seconds: float) -> None:
        limits = self.sql_client.limits
        error: psycopg2.Error | None = None
        if limits.seconds_late > 0:
            error = StatementOverdueError(limits.deadline, blocker)
        elif 0 < limits.lock_timeout_seconds < waited_seconds + _SECONDS_BETWEEN_EXCLUSIVE_LOCKS:
            error = StatementBlockedError(blocker, limits.lock_timeout_seconds)
        if error is not None:
            raise DatabaseTerminalException(error) from error


class BoundedPostgres(postgres):
    """dlt's PostgreSQL destination with bounded connections, named as dlt's own in its state.

    Attributes:
        limits: Limits of all statements.
        confirm_lock: Raises if the run has lost its lock.
    """

    spec: Any = PostgresSettings
    limits: StatementLimits
    confirm_lock: Callable[[], None]

    @property
    def destination_type(self) -> str:
        """The name under which dlt finds this kind of destination."""
        return "dlt.destinations.postgres"

    @property
    def client_class(self) -> type[BoundedPostgresClient]:
        """The class of its clients."""
        return BoundedPostgresClient

    def client(self, schema: Schema, initial_config: Any = None) -> BoundedPostgresClient:
        """Return a client with this destination's limits."""
        client: Any = super().client(schema, initial_config)
        client.confirm_lock = self.confirm_lock
        client.sql_client.limits = self.limits
        return client  # type: ignore[no-any-return]


def _accept() -> None:
    """Accept a client without a run."""
