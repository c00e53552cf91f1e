"""The open warehouse behind evidence: marts for one answer at a time, with the rows that a policy allows."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import dlt
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.sql_client import SqlClientBase

from ...analytics.marts import Marts
from ...analytics.marts_origin import refuse_other_origin
from ...runtime.connection import Connection
from ...runtime.errors import UsageError, one_line
from ...runtime.process.interruption import temporary_folder
from ...runtime.target import Target
from ...runtime.warehouse_session import nothing_loaded, restore_pipeline
from .limited_marts import LimitedMarts
from .policy import Policy, resolve_policy
from .select_guard import guard_select

MAX_QUERY_SECONDS = 20.0
"""Duration after which a query of a reader is cancelled."""

_MESSAGE_CHARACTERS = 300
# What follows quotes the statement, with the conditions of the policy, or names other tables.
_QUOTED = re.compile(r"\n+LINE |\n*Did you mean ")


@dataclass(frozen=True, slots=True)
class OpenMarts:
    """The marts during one answer.

    Attributes:
        all: All marts, for what the program itself needs.
        allowed: The marts that the reader sees.
        sql: The warehouse.
        is_file: Whether the warehouse is one DuckDB file.
    """

    all: Marts
    allowed: LimitedMarts
    sql: SqlClientBase[Any]
    is_file: bool

    def interrupt(self) -> None:
        """Interrupt the statement that runs in a DuckDB file. Called from another thread."""
        self.sql.native_connection.interrupt()


class MartsSession:
    """Opens the marts for each answer, so that a sync can write between two answers. Threads may share it."""

    def __init__(self, connection: Connection, target: Target, analytics: str) -> None:
        """Read dlt's state from the warehouse.

        Args:
            connection: The Gong account that loaded the tables below the marts.
            target: The warehouse.
            analytics: Dataset of the marts.

        Raises:
            UsageError: If the warehouse does not exist yet, or the marts were built from another dataset.
            LockHeldError: If another process has the DuckDB file open for longer than the target waits.
        """
        self.target = target.read_only()
        self.analytics = analytics
        if self.target.missing_file is not None:
            raise nothing_loaded(self.target)
        self._resources = ExitStack()
        # dlt's destination of a file counts the users of its connection, not for several threads at once.
        self._lock = threading.Lock()
        folder = self._resources.enter_context(temporary_folder("evidence"))
        try:
            with self.target.warehouse.hold():
                self._pipeline: dlt.Pipeline = restore_pipeline(connection, self.target, folder)
        except BaseException:
            self._resources.close()
            raise

    def close(self) -> None:
        """Delete the session's files."""
        self._resources.close()

    @contextmanager
    def open(self, policy: Policy) -> Iterator[OpenMarts]:
        """Open the marts for one answer.

        Args:
            policy: What the reader may see.

        Raises:
            UsageError: If the marts are missing or outdated, or lack what the policy names.
            LockHeldError: If another process has the DuckDB file open for longer than the target waits.
        """
        if self.target.missing_file is not None:
            raise nothing_loaded(self.target)
        with self._lock, self.target.warehouse.hold(), self._pipeline.sql_client() as sql:
            refuse_other_origin(sql, self.analytics, self.target.dataset)
            marts = Marts(self.analytics, sql)
            columns = {
                table: [name for name, _ in table_columns] for table, table_columns in marts.list_columns().items()
            }
            allowed = LimitedMarts(self.analytics, sql, resolve_policy(marts, policy), columns)
            yield OpenMarts(marts, allowed, sql, self.target.warehouse.file is not None)


@dataclass(frozen=True, slots=True)
class SelectedRows:
    """The rows of a reader's statement.

    Attributes:
        columns: Names of the columns.
        rows: Their values, at most one row more than asked for.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def run_select(marts: OpenMarts, sql: str, limit: int) -> SelectedRows:
    """Return the rows of a statement that a reader wrote.

    Args:
        marts: The open marts.
        sql: The statement.
        limit: Number of rows.

    Raises:
        UsageError: If the statement is not allowed, fails, or takes too long.
    """
    statement = guard_select(marts.allowed, sql, limit)
    seconds = MAX_QUERY_SECONDS
    timer = threading.Timer(seconds, marts.interrupt)
    try:
        with _read_only(marts, seconds):
            # PostgreSQL has a limit of its own.
            if marts.is_file:
                timer.start()
            with marts.sql.execute_query(statement) as cursor:
                columns = [str(column[0]) for column in cursor.description or ()]
                return SelectedRows(columns, cursor.fetchmany(limit + 1))
    except Exception as error:
        if timer.finished.is_set() or "statement timeout" in str(error):
            raise UsageError(f"the query took more than {seconds:g} s: read fewer rows") from None
        if not isinstance(error, DatabaseException):
            raise
        message = one_line(_QUOTED.split(str(error))[0], _MESSAGE_CHARACTERS)
        raise UsageError(f"the query failed: {message}") from None
    finally:
        timer.cancel()


@contextmanager
def _read_only(marts: OpenMarts, seconds: float) -> Iterator[None]:
    """Let the database itself refuse what the guard of statements may have overlooked."""
    sql = marts.sql
    if marts.is_file:
        # No other files and no extensions. It cannot be allowed again while this process has the file open. A lake
        # needs its files.
        sql.execute_sql("SET enable_external_access = false")
        yield
    elif marts.allowed.dialect == "postgres":
        with sql.begin_transaction():
            sql.execute_sql("SET TRANSACTION READ ONLY")
            sql.execute_sql(f"SET LOCAL statement_timeout = {int(1_000 * seconds)}")
            yield
    else:
        yield
