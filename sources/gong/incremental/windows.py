"""Windows of effective time: half-open intervals that split without gap or overlap. Pure.

Windows and date slices use plain datetimes, which Arrow and dlt's state take as they are. pendulum parses settings and
durations (`datetimes.py`); its datetimes would have to be converted back, and adding a duration to one takes about 250
times as long (`python -m timeit`, Python 3.11, pendulum 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from ..datetimes import truncate_to_millisecond


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open interval `[since, until)` of effective time, UTC."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since > self.until:
            raise ValueError(f"a window cannot end ({self.until}) before it begins ({self.since})")

    def split(self, parts: int) -> list[Window]:
        """Return the window as up to `parts` windows of equal length, without gap or overlap."""
        length = (self.until - self.since) / parts
        edges = [
            self.since,
            *(truncate_to_millisecond(self.since + length * number) for number in range(1, parts)),
            self.until,
        ]
        return [Window(since, until) for since, until in pairwise(edges) if since < until]


def watermark(windows: Sequence[Window], unread: Sequence[Window]) -> datetime:
    """Return the time up to which everything requested has been read.

    Args:
        windows: The requested windows, at least one.
        unread: The parts of them that are not complete.
    """
    return min((window.since for window in unread), default=max(window.until for window in windows))


class Frontier:
    """Parts of the requested windows that have not been read yet.

    Args:
        windows: The requested windows, at least one.
    """

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = windows
        self._unread = sorted(windows)

    def replace(self, window: Window, rest: Sequence[Window]) -> None:
        """Replace an unread window by what is left of it; by nothing if it is complete."""
        self._unread.remove(window)
        self._unread.extend(rest)

    @property
    def complete_until(self) -> datetime:
        """Time up to which every requested window has been read."""
        return watermark(self._windows, self._unread)
