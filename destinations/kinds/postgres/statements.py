"""Statements on PostgreSQL that never wait without limit, can be interrupted, and name the session that blocks them.

The driver waits for the server in C, where no Python signal handler runs, and PostgreSQL's error about a lock names no
other session. Each statement therefore runs in a thread of its own, while the caller watches it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from math import inf
from typing import Any

import psycopg2
from dlt.common.exceptions import TerminalException
from psycopg2 import errors, extensions

from ...warehouse import DeadlineReachedError

LOCK_TIMEOUT_SETTING = "lock_timeout"

CLIENT_CHECK = ("client_connection_check_interval", "1s")
"""The server then ends the statement of a killed client, which would otherwise keep its place in queues for locks."""

_POLL_SECONDS = 0.1
# Who blocks is asked this often during a wait, so that the last answer is known when PostgreSQL ends the statement.
_QUESTIONS_PER_WAIT = 3
_MAX_SECONDS_BETWEEN_QUESTIONS = 10.0
# What was read before the deadline is still loaded: a statement that works, and waits for no lock, may take this long.
_WORK_AFTER_DEADLINE_SECONDS = 30.0
_SECONDS_BETWEEN_LATE_QUESTIONS = 0.5
_CANCEL_SECONDS = 5.0
_TERMINATE_SECONDS = 0.5
# More threads than dlt loads with; each connection runs one statement at a time.
_MAX_STATEMENTS = 64
_MAX_QUERY_CHARACTERS = 100

# pg_blocking_pids also lists sessions that wait before this one; who holds the lock is listed first.
_BLOCKERS = """
SELECT blocking.pid, activity.usename, activity.state, activity.query
FROM unnest(pg_blocking_pids(%(pid)s)) AS blocking (pid)
LEFT JOIN pg_stat_activity AS activity ON activity.pid = blocking.pid
ORDER BY COALESCE(activity.wait_event_type = 'Lock', FALSE), activity.xact_start
LIMIT 1
"""
_LOCKED_RELATION = """
SELECT format('%%I.%%I', nspname, relname)
FROM pg_locks
JOIN pg_class ON pg_class.oid = relation
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE pid = %(pid)s AND (NOT granted OR locktype = 'tuple')
ORDER BY granted
LIMIT 1
"""
_WAITING_SESSIONS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name = %(name)s AND wait_event_type = 'Lock'
"""
_TERMINATE_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = %(name)s
"""


@dataclass(frozen=True, slots=True)
class Blocker:
    """The session that another one waits for.

    Attributes:
        relation: The locked table or view; empty if unknown.
        pid: Its process on the server; 0 for a prepared transaction.
        user: Its user; empty if unknown.
        state: Its state, such as `idle in transaction`; empty if this user may not see it.
        query: Its last statement, on one line; empty if this user may not see it.
    """

    relation: str
    pid: int
    user: str
    state: str
    query: str

    def __str__(self) -> str:
        details = ", ".join(part for part in (f"user {self.user}" if self.user else "", self.state, self.query) if part)
        return f"{self.relation or 'a row'}, held by pid {self.pid}{f' ({details})' if details else ''}"


class StatementBlockedError(errors.LockNotAvailable, TerminalException):  # type: ignore[misc]
    """Another session held a lock for longer than the lock timeout. dlt does not repeat the statement.

    Args:
        blocker: The other session; None if it could not be found.
        waited_seconds: How long the statement waited.
    """

    def __init__(self, blocker: Blocker | None, waited_seconds: float) -> None:
        super().__init__(
            f"waited {waited_seconds:g} s for a lock on {blocker or 'a table'}: end that transaction, or raise"
            f" destination.postgres.{LOCK_TIMEOUT_SETTING}, and run again"
        )
        self.blocker = blocker


class StatementOverdueError(errors.QueryCanceled, DeadlineReachedError, TerminalException):  # type: ignore[misc]
    """The run's deadline passed while a statement waited or worked.

    Args:
        deadline: The deadline.
        blocker: The session for which the statement waited; None if it worked.
    """

    def __init__(self, deadline: datetime | None, blocker: Blocker | None) -> None:
        activity = f"waiting for a lock on {blocker}" if blocker else "a statement was running"
        super().__init__(f"the deadline, {deadline:%Y-%m-%d %H:%M:%S} UTC, passed while {activity}: run again")


@dataclass(slots=True)
class StatementLimits:
    """Limits of all statements on one warehouse, shared by the connections of this process.

    Attributes:
        lock_timeout_seconds: How long a statement waits for a lock; 0 for no limit.
        deadline: Time (UTC) after which no statement waits for a lock; None for no limit.
        server_checks_client: Whether the server is known to end statements of clients that are gone.
        running: Connections that are executing a statement.
    """

    lock_timeout_seconds: float
    deadline: datetime | None = None
    server_checks_client: bool = False
    running: set[BoundedConnection] = field(default_factory=set)

    def cancel_running(self) -> None:
        """Cancel all running statements; their callers get an error. Called from another thread."""
        for connection in tuple(self.running):
            with suppress(psycopg2.Error):
                connection.cancel()

    @property
    def session_options(self) -> Sequence[str]:
        """Return the options of libpq that set the limits in a new session."""
        lock_timeout = f"-c lock_timeout={1000 * self.lock_timeout_seconds:.0f}"
        return [lock_timeout, f"-c {'='.join(CLIENT_CHECK)}"] if self.server_checks_client else [lock_timeout]

    @property
    def seconds_late(self) -> float:
        """Return how long ago the deadline passed, negative before it; minus infinity without one."""
        return -inf if self.deadline is None else (datetime.now(UTC) - self.deadline).total_seconds()

    @staticmethod
    def seconds_between_questions(lock_timeout_seconds: float) -> float:
        """Return how often to ask who blocks a statement with this lock timeout."""
        wait_seconds = lock_timeout_seconds / _QUESTIONS_PER_WAIT or _MAX_SECONDS_BETWEEN_QUESTIONS
        return min(_MAX_SECONDS_BETWEEN_QUESTIONS, wait_seconds)

    def __deepcopy__(self, _memo: Any) -> StatementLimits:
        return self


class BoundedConnection(extensions.connection):  # type: ignore[misc]
    """A connection whose statements are watched. `bind` it before use.

    Attributes:
        limits: Limits of its statements.
        lock_timeout_seconds: The lock timeout that is set in its session.
        login: Arguments of `psycopg2.connect` for another connection to the same database.
    """

    limits: StatementLimits
    lock_timeout_seconds: float
    login: Mapping[str, Any]

    def bind(self, limits: StatementLimits, login: Mapping[str, Any]) -> None:
        """Set the limits, and how to open another connection."""
        self.limits, self.login = limits, login
        self.lock_timeout_seconds = limits.lock_timeout_seconds


class BoundedCursor(extensions.cursor):  # type: ignore[misc]
    """A cursor of a `BoundedConnection`."""

    def execute(self, query: Any, vars: Any = None) -> Any:  # noqa: A002 - the driver's name
        """Run a statement within the limits.

        Raises:
            StatementBlockedError: If another session holds a lock for too long.
            StatementOverdueError: If the deadline passes.
        """
        return _run_watched(self.connection, partial(super().execute, query, vars))

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> Any:
        """Run a COPY within the limits; raises as `execute` does."""
        return _run_watched(self.connection, partial(super().copy_expert, sql, file, size))


def find_blocker(login: Mapping[str, Any], pid: int) -> Blocker | None:
    """Return the session that the session `pid` waits for, asked over a connection of its own; None without one."""
    try:
        with closing(psycopg2.connect(**login)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(_BLOCKERS, {"pid": pid})
                row = cursor.fetchone()
                if row is None:
                    return None
                cursor.execute(_LOCKED_RELATION, {"pid": pid})
                (relation,) = cursor.fetchone() or ("",)
    except psycopg2.Error:
        return None
    blocking_pid, user, state, query = row
    # PostgreSQL shows state and statement only to the same user and to roles that may read all statistics.
    statement = "" if state is None else _one_line(query)
    return Blocker(relation, blocking_pid, user or "", state or "", statement)


def waiting_sessions(login: Mapping[str, Any], application_name: str) -> list[int]:
    """Return the pids of the sessions with this name that wait for a lock, asked over a connection of its own."""
    try:
        with closing(psycopg2.connect(**login)) as connection, connection.cursor() as cursor:
            cursor.execute(_WAITING_SESSIONS, {"name": application_name})
            return [pid for (pid,) in cursor.fetchall()]
    except psycopg2.Error:
        return []


@contextmanager
def watch_sessions(login: Mapping[str, Any], application_name: str, limits: StatementLimits) -> Iterator[LockWatch]:
    """Note within a `with` block who blocks the sessions of another program, such as dbt.

    Args:
        login: Arguments of `psycopg2.connect`.
        application_name: Name by which the server lists these sessions.
        limits: Their limits.
    """
    watch = LockWatch(limits)
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(limits.seconds_between_questions(limits.lock_timeout_seconds)):
            for pid in waiting_sessions(login, application_name):
                watch.blocker = find_blocker(login, pid) or watch.blocker

    thread = threading.Thread(target=look, name="gong-elt-locks", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        is_over.set()
        thread.join()


@dataclass(slots=True)
class LockWatch:
    """Who blocked the sessions of another program last.

    Attributes:
        limits: Limits of these sessions.
        blocker: The blocking session; None if there was none.
    """

    limits: StatementLimits
    blocker: Blocker | None = None

    def describe(self, message: str) -> str:
        """Return the message of an error; that of a lock timeout names who blocked."""
        if "lock timeout" not in message:
            return message
        return str(StatementBlockedError(self.blocker, self.limits.lock_timeout_seconds))


@dataclass(slots=True)
class _Watch:
    """One running statement, looked at by the thread that waits for it."""

    connection: BoundedConnection
    blocker: Blocker | None = None
    is_overdue: bool = False
    _start: float = field(default_factory=time.monotonic)
    _last_question: float = 0.0

    def look(self) -> None:
        """Ask who blocks the statement if it is time to, and cancel it after the deadline."""
        limits, seconds = self.connection.limits, time.monotonic() - self._start
        seconds_late = limits.seconds_late
        pause = limits.seconds_between_questions(self.connection.lock_timeout_seconds)
        if seconds - self._last_question < (min(pause, _SECONDS_BETWEEN_LATE_QUESTIONS) if seconds_late > 0 else pause):
            return
        self._last_question = seconds
        self.blocker = find_blocker(self.connection.login, self.connection.get_backend_pid())
        if (self.blocker is not None and seconds_late > 0) or seconds_late > _WORK_AFTER_DEADLINE_SECONDS:
            self.is_overdue = True
            self.connection.cancel()

    def describe(self, error: psycopg2.Error) -> psycopg2.Error:
        """Return the error with the reason for which the statement was ended."""
        if self.is_overdue:
            return StatementOverdueError(self.connection.limits.deadline, self.blocker)
        if isinstance(error, errors.LockNotAvailable):
            return StatementBlockedError(self.blocker, self.connection.lock_timeout_seconds)
        return error


def terminate_sessions(login: Mapping[str, Any], application_name: str) -> None:
    """End the sessions of another program, such as dbt, with what they are executing. Returns after half a second."""

    def terminate() -> None:
        with suppress(psycopg2.Error), closing(psycopg2.connect(**login)) as connection, connection.cursor() as cursor:
            cursor.execute(_TERMINATE_SESSIONS, {"name": application_name})

    # The process is ending: a slow server must not delay that, and it ends the sessions of clients that are gone.
    thread = threading.Thread(target=terminate, name="gong-elt-terminate", daemon=True)
    thread.start()
    thread.join(_TERMINATE_SECONDS)


def _run_watched(connection: BoundedConnection, statement: Callable[[], Any]) -> Any:
    watch = _Watch(connection)
    running = _threads().submit(statement)
    connection.limits.running.add(connection)
    try:
        while not wait((running,), _POLL_SECONDS).done:
            watch.look()
    except BaseException:
        # Ctrl-C or SIGTERM: otherwise the server would go on, and keep its place in the queue for the lock.
        with suppress(psycopg2.Error):
            connection.cancel()
        wait((running,), _CANCEL_SECONDS)
        raise
    finally:
        connection.limits.running.discard(connection)
    try:
        return running.result()
    except (errors.LockNotAvailable, errors.QueryCanceled) as error:
        raise watch.describe(error) from None


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_MAX_STATEMENTS, thread_name_prefix="gong-elt-postgres")


def _one_line(query: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in query)
    line = " ".join(printable.split())
    return line if len(line) <= _MAX_QUERY_CHARACTERS else f"{line[:_MAX_QUERY_CHARACTERS]}…"
