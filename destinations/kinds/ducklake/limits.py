"""Limits of waits for the catalog of a lake, which other programs may have locked.

DuckDB waits for a PostgreSQL server in C, where nothing can interrupt it. A thread therefore asks the server which
sessions of this process wait, and cancels them after the deadline. A catalog in SQLite fails at once instead.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg2
from dlt.common.exceptions import TerminalException
from dlt.common.runtime import signals
from dlt.destinations.exceptions import DatabaseTerminalException, DatabaseTransientException

from ...warehouse import DeadlineReachedError
from ..postgres.statements import StatementOverdueError, find_blocker, waiting_sessions

T = TypeVar("T")

# Another program that has a catalog in SQLite open for writing is waited for.
_LOCK_TIMEOUT_SECONDS = 30.0
_SECONDS_BETWEEN_ATTEMPTS = 0.5
_SECONDS_BETWEEN_QUESTIONS = 0.5
_SQLITE_LOCKED = "database is locked"
_CANCEL = "SELECT pg_cancel_backend(%s)"


class CatalogLockedError(TerminalException, Exception):
    """Another program had the catalog locked for too long. dlt does not repeat the statement."""

    def __init__(self) -> None:
        super().__init__(
            f"waited {_LOCK_TIMEOUT_SECONDS:g} s for the lake's catalog, which another program has locked: end that"
            " program, and run again"
        )


class CatalogOverdueError(DeadlineReachedError, TerminalException):
    """The run's deadline passed while another program had the catalog locked."""

    def __init__(self, deadline: datetime) -> None:
        super().__init__(
            f"the deadline, {deadline:%Y-%m-%d %H:%M:%S} UTC, passed while waiting for the lake's catalog, which"
            " another program has locked: run again"
        )


@dataclass(slots=True)
class CatalogLimits:
    """The limits of one process.

    Attributes:
        deadline: Time (UTC) after which no statement waits; None for no limit.
        overdue: Why the statement that runs now was canceled; None if it was not.
        login: Arguments of `psycopg2.connect` for the catalog's server; empty for a catalog in SQLite.
    """

    deadline: datetime | None = None
    overdue: StatementOverdueError | None = None
    login: Mapping[str, Any] = field(default_factory=dict)

    def set(self, deadline: datetime | None, login: Mapping[str, Any]) -> None:
        """Set the deadline, and how to reach the server."""
        self.deadline, self.login = deadline, login
        if deadline is not None and login:
            threading.Thread(target=self._watch, args=(deadline,), name="gong-elt-catalog", daemon=True).start()

    def name_cause(self, error: Exception) -> bool:
        """Return whether DuckDB's error is that of a statement which was canceled at the deadline, now its cause."""
        overdue, self.overdue = self.overdue, None
        if overdue is None:
            return False
        error.__cause__ = overdue
        return True

    def repeat_while_locked(self, attempt: Callable[[], T]) -> T:
        """Return the result of `attempt`; repeat it while another program has the catalog in SQLite locked.

        Raises:
            DatabaseTerminalException: If that takes too long, or the deadline passes.
        """
        start = time.monotonic()
        while True:
            try:
                return attempt()
            except DatabaseTransientException as error:
                if _SQLITE_LOCKED not in str(error):
                    raise
                reason: Exception | None = None
                if self.deadline is not None and datetime.now(UTC) > self.deadline:
                    reason = CatalogOverdueError(self.deadline)
                elif time.monotonic() - start > _LOCK_TIMEOUT_SECONDS:
                    reason = CatalogLockedError()
                if reason is not None:
                    raise DatabaseTerminalException(reason) from reason
            # dlt defers signals while it loads.
            signals.sleep(_SECONDS_BETWEEN_ATTEMPTS)
            signals.raise_if_signalled()

    def _watch(self, deadline: datetime) -> None:
        time.sleep(max(0.0, (deadline - datetime.now(UTC)).total_seconds()))
        while self.deadline == deadline:
            for pid in waiting_sessions(self.login, application_name()):
                self.overdue = StatementOverdueError(deadline, find_blocker(self.login, pid))
                with (
                    suppress(psycopg2.Error),
                    closing(psycopg2.connect(**self.login)) as session,
                    session.cursor() as cursor,
                ):
                    cursor.execute(_CANCEL, [pid])
            time.sleep(_SECONDS_BETWEEN_QUESTIONS)


def application_name() -> str:
    """Return the name by which a PostgreSQL server lists the sessions of this process on a catalog."""
    return f"gong-elt lake on {socket.gethostname()[:25]}, pid {os.getpid()}"


limits = CatalogLimits()
"""Those of this process."""
