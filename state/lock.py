"""Lock of one connection on one machine, released when its process ends. It names its holder in a file beside it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout


class LockHeldError(Exception):
    """Another run holds the lock. The message names it."""


class LockFileError(Exception):
    """The lock file cannot be created. The message names it."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The run that holds a lock.

    Attributes:
        run_id: The run.
        command: Its command.
        pid: Its process.
        host: Its machine.
        since: When it took the lock, in ISO 8601.
        progress: Its counters, by name.
    """

    run_id: str
    command: str
    pid: int
    host: str
    since: str
    progress: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the holder as a message names it."""
        return f"{self.command}, run_id {self.run_id}, pid {self.pid}, host {self.host}, since {self.since}"


class HeldLock:
    """A lock that this process holds, and the file that describes its holder.

    Args:
        file: File that describes the holder.
        holder: This process.
    """

    def __init__(self, file: Path, holder: Holder) -> None:
        self._file, self._holder = file, holder

    def write_progress(self, progress: Mapping[str, int]) -> None:
        """Replace the file: other processes read the previous counters or these.

        Raises:
            OSError: If it cannot be written.
        """
        content = json.dumps({**asdict(self._holder), "progress": dict(progress)})
        temporary = self._file.with_name(f"{self._file.name}.part")
        temporary.touch(mode=0o600)
        temporary.write_text(content, encoding="utf-8")
        temporary.replace(self._file)


@contextmanager
def run_lock(path: Path, run_id: str, command: str = "sync") -> Iterator[HeldLock]:
    """Hold the lock of a connection and dataset while a run works.

    The operating system releases it with the process, so a killed run never blocks the next one.

    Args:
        path: Lock file. Not deleted on release.
        run_id: The run that takes the lock.
        command: Its command.

    Raises:
        LockHeldError: If another run holds it.
        LockFileError: If the lock file cannot be created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # filelock takes some of these errors for a held lock.
        path.touch(mode=0o600)
    except OSError as error:
        raise LockFileError(f"cannot write {path}: {error.strerror}; check the folder and its permissions") from None
    holder_file = _holder_file(path)
    try:
        lock = FileLock(path, mode=0o600).acquire(timeout=0)
    except Timeout:
        holder = _read_file(holder_file) or "its name is not written yet"
        raise LockHeldError(f"another run holds the lock: {holder}") from None
    with lock:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        held = HeldLock(holder_file, Holder(run_id, command, os.getpid(), socket.gethostname(), since))
        held.write_progress({})
        try:
            yield held
        finally:
            holder_file.unlink(missing_ok=True)


def read_holder(path: Path) -> Holder | None:
    """Return the run that holds the lock at this moment; None if it is free. Creates nothing."""
    holder = _read_file(_holder_file(path))
    if holder is None:
        return None
    try:
        # A killed process leaves its file, but not its lock.
        with FileLock(path, mode=0o600).acquire(timeout=0):
            return None
    except Timeout:
        return holder
    except OSError:
        # A lock of another user.
        return None


def _holder_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _read_file(file: Path) -> Holder | None:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        return Holder(**values)
    except (OSError, ValueError, TypeError):
        return None
