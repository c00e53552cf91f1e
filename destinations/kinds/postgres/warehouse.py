"""PostgreSQL: a warehouse on a server that several machines use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dlt

from ...warehouse import DbtConnection, Warehouse
from .advisory_lock import AdvisoryLock
from .client import BoundedPostgres, PostgresSettings, parse_lock_timeout
from .statements import StatementLimits, terminate_sessions, watch_sessions

# dbt masks the values of variables with this prefix in everything it prints.
_PASSWORD_VARIABLE = "DBT_ENV_SECRET_GONG_ELT_PASSWORD"
# dbt refuses an empty password; a server that let dlt in without one does not read it.
_NO_PASSWORD = "not-needed"
_DBT_THREADS = 4

_TABLES = """
SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY (%s) ORDER BY 1, 2
"""


class PostgresWarehouse:
    """A database on a PostgreSQL server.

    Args:
        name: Destination as the user named it.
        destination: dlt's destination of that name.
        settings: Its configuration.

    Raises:
        InvalidWarehouseError: If a setting is invalid.
    """

    def __init__(self, name: str, destination: BoundedPostgres, settings: PostgresSettings) -> None:
        self.name, self.destination = name, destination
        destination.limits = StatementLimits(parse_lock_timeout(settings.lock_timeout, name))
        destination.confirm_lock = self.confirm_lock
        self._credentials = settings.credentials
        self._dbt_login: dict[str, Any] = {}
        self._lock = AdvisoryLock()

    @property
    def file(self) -> Path | None:
        return None

    @property
    def lock_beside(self) -> Path | None:
        return None

    @property
    def is_missing(self) -> bool:
        return False

    @property
    def location(self) -> str:
        return str(dlt.secrets.get(f"destination.{self.name}.credentials") or self._credentials)

    @property
    def has_marts(self) -> bool:
        return True

    @property
    def marts_advice(self) -> str:
        return ""

    @property
    def can_list_tables(self) -> bool:
        return True

    @property
    def has_transactions(self) -> bool:
        return True

    def read_only(self) -> Warehouse:
        return self

    def hold(self, *, create: bool = False) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    @contextmanager
    def lock(self, pipeline: dlt.Pipeline, connection: str) -> Iterator[str | None]:
        """Hold an advisory lock. It is released with its session, whether the run ends, fails or is killed."""
        with (
            pipeline.sql_client() as sql,
            self._lock.hold(sql.execute_sql, f"{pipeline.dataset_name} {connection}") as holder,
        ):
            yield holder

    def confirm_lock(self) -> None:
        """Check that the session of `lock` still holds it.

        Raises:
            LockLostError: If it does not, or has ended.
        """
        self._lock.confirm()

    def limit_statements(self, deadline: datetime | None) -> None:
        """End statements that wait for another session's lock after this time; None for no limit."""
        self.destination.limits.deadline = deadline

    def cancel_statements(self) -> None:
        """Cancel what this process executes on the server, so that nothing of it remains in a queue for a lock."""
        self.destination.limits.cancel_running()
        if self._dbt_login:
            terminate_sessions(self._dbt_login, _dbt_application_name())

    def write_obstacle(self, pipeline: dlt.Pipeline) -> str | None:
        """Return the missing privilege and the GRANT that gives it; None if the user may create tables."""
        schema = str(pipeline.dataset_name)
        with pipeline.sql_client() as sql:
            rows = sql.execute_sql(
                "SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = %s", schema
            )
            if rows:
                can_create_tables = bool(rows[0][0])
                hint = f"this user may not create tables in schema {schema}: GRANT CREATE, USAGE on it"
                return None if can_create_tables else hint
            rows = sql.execute_sql("SELECT has_database_privilege(current_database(), 'CREATE')")
        can_create_schema = bool(rows and rows[0][0])
        hint = f"schema {schema} does not exist and this user may not create it: GRANT CREATE on the database"
        return None if can_create_schema else hint

    def prepare_publication(self) -> None:
        pass

    def publish_changes(self, pipeline: dlt.Pipeline) -> None:
        pass

    def maintain(self, pipeline: dlt.Pipeline, datasets: Sequence[str]) -> None:
        """Vacuum and analyze the tables. The tables keep their size; new rows use the space again."""
        with pipeline.sql_client() as sql:
            for schema, table in sql.execute_sql(_TABLES, list(datasets)) or ():
                sql.execute_sql(f"VACUUM (ANALYZE) {sql.escape_column_name(schema)}.{sql.escape_column_name(table)}")

    def dbt_connection(self, pipeline: dlt.Pipeline) -> DbtConnection:
        """Return a connection as that of dlt, with the same limits, which libpq reads from the environment."""
        with pipeline.sql_client() as sql:
            query: Mapping[str, Any] = sql.credentials.get_query()
            self._dbt_login = dict(sql.native_connection.login)
            # As libpq has completed them, for example from PGUSER or `.pgpass`; they are unknown once it is closed.
            login: Any = sql.native_connection.info
            password = login.password or _NO_PASSWORD
            server = {"host": login.host or "", "port": login.port, "user": login.user, "dbname": login.dbname}
        output = {
            "type": "postgres",
            "threads": _DBT_THREADS,
            **server,
            "password": f"{{{{ env_var('{_PASSWORD_VARIABLE}') }}}}",
            "connect_timeout": int(query["connect_timeout"]),
            "application_name": _dbt_application_name(),
            **{key: value for key, value in query.items() if key in ("sslmode", "sslrootcert", "sslcert", "sslkey")},
        }
        options = [query.get("options") or os.environ.get("PGOPTIONS", ""), *self.destination.limits.session_options]
        return DbtConnection(output, {_PASSWORD_VARIABLE: password, "PGOPTIONS": " ".join(options).strip()})

    @contextmanager
    def watch_dbt(self) -> Iterator[Callable[[str], str]]:
        """Watch dbt's sessions; the yielded function names who blocked them in the message of a lock timeout."""
        with watch_sessions(self._dbt_login, _dbt_application_name(), self.destination.limits) as watch:
            yield watch.describe

    def close_dbt(self) -> None:
        pass

    def sqlalchemy_uri(self, credentials: Any) -> str | None:
        user, database = quote(credentials.username), quote(credentials.database)
        return f"postgresql://{user}@{credentials.host}:{credentials.port}/{database}"


def _dbt_application_name() -> str:
    return f"gong-elt models, pid {os.getpid()}"
