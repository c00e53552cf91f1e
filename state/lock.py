"""One run at a time on a connection: a file lock that names its holder and frees itself when the holder dies."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path


class LockHeldError(Exception):
    """Another run holds the lock; says which."""


@contextmanager
def run_lock(path: Path, run_id: str) -> Iterator[None]:
    """Holds the lock of a connection and warehouse while a run goes on.

    The kernel drops the lock with the process, so a killed run never blocks the next one.

    Args:
        path: The lock file; it stays, empty of meaning once nobody holds it.
        run_id: Who takes it.

    Raises:
        LockHeldError: Another run has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    with path.open("r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockHeldError(f"another run holds the lock: {_holder(file.read())}") from None
        holder = {
            "run_id": run_id,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        file.truncate(0)
        file.write(json.dumps(holder))
        file.flush()
        yield


def _holder(written: str) -> str:
    try:
        return ", ".join(f"{name} {value}" for name, value in json.loads(written).items())
    except (ValueError, AttributeError):
        return "it has not said its name yet"
