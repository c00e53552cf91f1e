"""Wait for what another process holds: the file of a warehouse, or the lock of another run."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from destinations.warehouse import WarehouseInUseError
from sources.gong.errors import DeadlineExceeded
from state.lock import HeldLock, LockHeldError, run_lock

T = TypeVar("T")

DEFAULT_WAIT_SECONDS = 60.0

_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.25


@dataclass(slots=True)
class WaitPolicy:
    """How long a command waits each time another process holds what it needs.

    Attributes:
        seconds: `--wait`; 0 to fail at once.
        deadline: `--deadline`, which bounds every wait; None without a limit.
    """

    seconds: float = DEFAULT_WAIT_SECONDS
    deadline: datetime | None = None

    def retry(self, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it succeeds, and return its result. On a terminal, name the holder once.

        Args:
            attempt: Raises WarehouseInUseError or LockHeldError, whose message names the holder.

        Raises:
            LockHeldError: If the wait has ended. The message names the holder.
            DeadlineExceeded: If the deadline has ended it.
        """
        started, pause, is_announced = time.monotonic(), _FIRST_PAUSE_SECONDS, False
        while True:
            try:
                return attempt()
            except (WarehouseInUseError, LockHeldError) as error:
                holder = str(error)
            waited = time.monotonic() - started
            if waited >= self.seconds:
                raise LockHeldError(self._describe_end(holder, waited))
            if self.deadline is not None and datetime.now(UTC) >= self.deadline:
                raise DeadlineExceeded(f"the deadline has passed while waiting: {holder}")
            if not is_announced and waited > _LONGEST_PAUSE_SECONDS and sys.stderr.isatty():
                print(f"waiting up to {self.seconds:.0f} s: {holder}", file=sys.stderr)
                is_announced = True
            time.sleep(min(pause, self.seconds - waited))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    @contextmanager
    def hold_lock(self, path: Path, run_id: str, command: str) -> Iterator[HeldLock]:
        """Hold a lock file as `state.lock.run_lock` does, once another process has released it.

        Raises:
            LockHeldError: If the wait has ended.
            DeadlineExceeded: If the deadline has ended it.
        """
        with ExitStack() as stack:
            yield self.retry(lambda: stack.enter_context(run_lock(path, run_id, command)))

    def _describe_end(self, holder: str, waited: float) -> str:
        if not self.seconds:
            return f"{holder}; run again later, or wait for it with --wait 60s"
        return f"{holder}, also after {waited:.0f} s: run again later, or with a longer --wait"
