"""The lock between machines that a PostgreSQL server has: released with its session, however the run ends."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import psycopg2
from dlt.common.destination.exceptions import DestinationException, DestinationTerminalException

# PostgreSQL truncates application names to this length.
_MAX_NAME_CHARACTERS = 63
# "gong" as the first of the lock's two numbers, to avoid the locks of other programs.
_LOCK_NAMESPACE = 0x676F6E67

Execute = Callable[..., Sequence[Sequence[Any]] | None]
"""Runs a statement with its parameters in one session, always the same, and returns its rows."""


class LockLostError(DestinationTerminalException):
    """The session that held the run's lock has ended, so another run may be working on the dataset."""

    def __init__(self) -> None:
        super().__init__(
            "the lock of this run was lost: PostgreSQL or an administrator ended its session, or a connection pooler"
            " replaced it. Nothing more is loaded; run again, and connect without a pooler in transaction mode"
        )


class AdvisoryLock:
    """The lock of one run at a time."""

    def __init__(self) -> None:
        self._held: tuple[Execute, int] | None = None

    @contextmanager
    def hold(self, execute: Execute, key: str) -> Iterator[str | None]:
        """Hold the lock.

        Args:
            execute: The session.
            key: What is locked, in this database.

        Yields:
            None if it was taken, otherwise a description of its holder.
        """
        number = int.from_bytes(blake2b(key.encode(), digest_size=4).digest()) >> 1
        name = f"gong-elt on {socket.gethostname()[:30]}, pid {os.getpid()}"[:_MAX_NAME_CHARACTERS]
        execute("SELECT set_config('application_name', %s, false)", name)
        # Servers from version 14 on can end idle sessions, and this one idles while the run reads from Gong.
        execute("SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'")
        rows = execute("SELECT pg_try_advisory_lock(%s, %s)", _LOCK_NAMESPACE, number)
        if rows and rows[0][0]:
            self._held = execute, number
            try:
                yield None
            finally:
                self._held = None
            return
        holders = execute(
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

    def confirm(self) -> None:
        """Check that the session still holds the lock, if it was taken.

        Raises:
            LockLostError: If it does not, or has ended.
        """
        if self._held is None:
            return
        execute, number = self._held
        try:
            rows = execute(
                "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()"
                " AND classid = %s AND objid = %s",
                _LOCK_NAMESPACE,
                number,
            )
        except (DestinationException, psycopg2.Error):
            raise LockLostError from None
        if not rows:
            raise LockLostError
