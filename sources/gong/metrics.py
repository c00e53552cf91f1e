"""What one run did, counted while it happens: for the summary, the ledger and the progress bars."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class RunMetrics:
    """Counts of one run. The source adds to them; whoever passed the object in reads them.

    Attributes:
        requests: Requests sent, repeated ones included.
        retries: Of these, repetitions after a failure or a 429.
        calls_expected: Calls that Gong announced for the windows opened so far.
        calls_read: Distinct calls that came, private ones included.
        transcripts_read: Transcripts that came.
        private_calls: Ids of private calls that were left out.
        rows: Rows handed to dlt, by table.
        rejected: Records that could not be laid out, by resource; they are in `_rejected`.
        skipped: Resources that the credential may not read, with the reason.
        failed: Resources that failed, with the error.
        stopped: Why the run ended early on purpose, if it did.
    """

    requests: int = 0
    retries: int = 0
    calls_expected: int = 0
    calls_read: int = 0
    transcripts_read: int = 0
    private_calls: set[str] = field(default_factory=set)
    rows: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)
    stopped: str | None = None
