"""Lock of one connection on one machine, released when its process ends. It names its holder in a file beside it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout


class LockHeldError(Exception):
    """Another run holds the lock. The message names it."""


@contextmanager
def run_lock(path: Path, run_id: str) -> Iterator[None]:
    """Hold the lock of a connection and dataset while a run works.

    The operating system releases it with the process, so a killed run never blocks the next one.

    Args:
        path: Lock file. Not deleted on release.
        run_id: The run that takes the lock.

    Raises:
        LockHeldError: If another run holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    holder_file = path.with_name(f"{path.name}.json")
    try:
        lock = FileLock(path, mode=0o600).acquire(timeout=0)
    except Timeout:
        raise LockHeldError(f"another run holds the lock: {_describe_holder(holder_file)}") from None
    with lock:
        holder = {
            "run_id": run_id,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        holder_file.touch(mode=0o600)
        holder_file.write_text(json.dumps(holder), encoding="utf-8")
        yield


def _describe_holder(file: Path) -> str:
    try:
        holder = json.loads(file.read_text(encoding="utf-8"))
        return ", ".join(f"{name} {value}" for name, value in holder.items())
    except (OSError, ValueError, AttributeError):
        return "its name is not written yet"
