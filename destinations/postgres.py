"""PostgreSQL: a warehouse on a server that several machines use."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dlt
from dlt.common.destination import Destination

from .warehouse import DbtConnection, Warehouse

# dbt masks the values of variables with this prefix in everything it prints.
_PASSWORD_VARIABLE = "DBT_ENV_SECRET_GONG_ELT_PASSWORD"
_DBT_THREADS = 4
# PostgreSQL truncates application names to this length.
_MAX_NAME_CHARACTERS = 63
# "gong" as the first of the lock's two numbers, to avoid the locks of other programs.
_LOCK_NAMESPACE = 0x676F6E67


@dataclass(frozen=True, slots=True)
class PostgresWarehouse:
    """A database on a PostgreSQL server."""

    name: str
    destination: Destination[Any, Any]

    @property
    def file(self) -> Path | None:
        return None

    @property
    def is_missing(self) -> bool:
        return False

    @property
    def location(self) -> str:
        return str(dlt.secrets.get(f"destination.{self.name}.credentials"))

    @property
    def has_marts(self) -> bool:
        return True

    def read_only(self) -> Warehouse:
        return self

    def hold(self, *, create: bool = False) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def cancel_statements(self) -> None:
        pass

    @contextmanager
    def lock(self, pipeline: dlt.Pipeline, connection: str) -> Iterator[str | None]:
        """Hold an advisory lock. It is released with its session, whether the run ends, fails or is killed."""
        key = f"{pipeline.dataset_name} {connection}"
        number = int.from_bytes(blake2b(key.encode(), digest_size=4).digest()) >> 1
        with pipeline.sql_client() as sql:
            name = f"gong-elt on {socket.gethostname()[:30]}, pid {os.getpid()}"[:_MAX_NAME_CHARACTERS]
            sql.execute_sql("SELECT set_config('application_name', %s, false)", name)
            rows = sql.execute_sql("SELECT pg_try_advisory_lock(%s, %s)", _LOCK_NAMESPACE, number)
            if rows and rows[0][0]:
                yield None
                return
            holders = sql.execute_sql(
                "SELECT a.application_name, a.backend_start FROM pg_locks AS l"
                " JOIN pg_stat_activity AS a ON a.pid = l.pid"
                " WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objid = %s",
                _LOCK_NAMESPACE,
                number,
            )
            yield (
                ", ".join(f"{holder}, since {since:%Y-%m-%dT%H:%M:%S%z}" for holder, since in holders or ())
                or "an unnamed session"
            )

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

    def dbt_connection(self, pipeline: dlt.Pipeline) -> DbtConnection:
        with pipeline.sql_client() as sql:
            server: Any = sql.credentials
        output = {
            "type": "postgres",
            "threads": _DBT_THREADS,
            "host": server.host,
            "port": server.port,
            "user": server.username,
            "password": f"{{{{ env_var('{_PASSWORD_VARIABLE}') }}}}",
            "dbname": server.database,
            **{key: value for key, value in (server.query or {}).items() if key in ("sslmode", "sslrootcert")},
        }
        return DbtConnection(output, {_PASSWORD_VARIABLE: str(server.password or "")})

    def close_dbt(self) -> None:
        pass

    def sqlalchemy_uri(self, credentials: Any) -> str | None:
        user, database = quote(credentials.username), quote(credentials.database)
        return f"postgresql://{user}@{credentials.host}:{credentials.port}/{database}"
