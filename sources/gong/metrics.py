"""Counters of one run, for its summary, its row in the run log and the progress bars."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MAX_CLOCK_SKEW = timedelta(minutes=5)
"""Difference between this machine's clock and Gong's from which on a run warns and goes by Gong's clock."""


@dataclass(slots=True)
class RunMetrics:
    """Counters of one run. The source updates them while it runs; the caller that passed the object in reads them.

    Attributes:
        requests: Requests sent, including retries.
        retries: Requests that repeated an earlier one after a failure or a 429.
        calls_expected: Number of calls that Gong announced for the windows opened until now.
        calls_read: Distinct calls received, including private ones.
        transcripts_read: Transcripts received.
        private_calls: Ids of the private calls that were excluded.
        rows: Rows passed to dlt, per table.
        rejected: Records that failed validation, per resource. They are in the table `_rejected`.
        repeated: Records of a list, and rows of a record, whose key Gong sent again later in the same list or record,
            per list or table. The last one of each key is written.
        skipped: Resources that the credential may not read, with the reason.
        failed: Resources that failed, with the error.
        clock_skew: How far this machine's clock is ahead of Gong's, by the first response with a `Date` header.
        stopped: Reason why the run ended early on purpose; None if it did not.
    """

    requests: int = 0
    retries: int = 0
    calls_expected: int = 0
    calls_read: int = 0
    transcripts_read: int = 0
    private_calls: set[str] = field(default_factory=set)
    rows: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)
    clock_skew: timedelta | None = None
    stopped: str | None = None

    def correct_time(self, time: datetime) -> datetime:
        """Return a time of this machine's clock; by Gong's clock if this machine's is ahead by `MAX_CLOCK_SKEW`."""
        skew = self.clock_skew or timedelta(0)
        return time - skew if skew > MAX_CLOCK_SKEW else time
