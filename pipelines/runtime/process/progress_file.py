"""Write a run's counters beside its lock, for `gong-elt status` in another process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sources.gong import RunMetrics
from state.lock import HeldLock

_SECONDS_BETWEEN_WRITES = 1.0


@contextmanager
def publish_progress(lock: HeldLock, metrics: RunMetrics) -> Iterator[None]:
    """Write the counters once per second while they change.

    Args:
        lock: The run's lock.
        metrics: The run's counters; the source adds to them.
    """
    ended = threading.Event()

    def publish() -> None:
        published: dict[str, int] = {}
        while not ended.wait(_SECONDS_BETWEEN_WRITES):
            counters = _read_counters(metrics)
            if counters != published:
                # A full disk ends the run elsewhere, with a message.
                with suppress(OSError):
                    lock.write_progress(counters)
                published = counters

    thread = threading.Thread(target=publish, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _read_counters(metrics: RunMetrics) -> dict[str, int]:
    return {
        "requests": metrics.requests,
        "calls_read": metrics.calls_read,
        "calls_expected": metrics.calls_expected,
        "transcripts_read": metrics.transcripts_read,
        "rows_read": metrics.rows.total(),
    }
