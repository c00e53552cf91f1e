"""Date slices: split a window into days that are requested together, and skip days that have not changed. Pure.

Gong does not report when statistics, logs and reviews changed, and restates the last days. Each run therefore reads a
lookback behind its bookmark again and writes only the days whose content changed. The content hash of each day is kept
in dlt's state of the resource for as long as a lookback may read the day again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from ..tables.records import hash_records
from .windows import Window

_EASTERNMOST, _WESTERNMOST = timedelta(hours=14), timedelta(hours=12)
"""Offsets of the outermost time zones from UTC. Gong counts days in the company's zone, which its API does not name:
a window is read from the day on which it begins in the westernmost zone to the last day that is over in all zones."""

_DATE_HASHES, _DATE_HASHES_BEFORE = "date_hashes", "days"
_PRUNED_BEFORE, _PRUNED_BEFORE_BEFORE = "pruned_before", "forgotten_before"
"""Keys of dlt's state; the second of each pair was used before 0.1.0 was released and is still read."""

RecordsByDate = dict[date, list[Any]]
"""Records by the day they belong to. A day without records has an empty list."""


@dataclass(frozen=True, slots=True)
class DateSlice:
    """Days `[since, until)` that are requested together.

    Attributes:
        since: The first day.
        until: The day after the last one.
        now: When the run began.
    """

    since: date
    until: date
    now: datetime

    def dates(self) -> Iterator[date]:
        """Yield each day."""
        for number in range((self.until - self.since).days):
            yield self.since + timedelta(days=number)

    @property
    def is_open_ended(self) -> bool:
        """Whether the slice contains days that may not be over, so that Gong rejects its end."""
        return self.until > first_incomplete_date(self.now)


def first_incomplete_date(now: datetime) -> date:
    """Return the first date that is not over in every time zone."""
    return (now - _WESTERNMOST).date()


def split_by_days(
    window: Window, now: datetime, *, days_per_request: int, complete_days_only: bool
) -> Iterator[DateSlice]:
    """Yield the days of a window in slices.

    Args:
        window: The window to read.
        now: When the run began.
        days_per_request: Days per slice; the last slice may be shorter.
        complete_days_only: Leave out days that are not over in every time zone.
    """
    since, until = _date_range(window, complete_days_only=complete_days_only)
    while since < until:
        end = min(since + timedelta(days=days_per_request), until)
        yield DateSlice(since, end, now)
        since = end


def split_by_months(window: Window, now: datetime) -> Iterator[DateSlice]:
    """Yield the calendar months of a window, the last one up to its end."""
    since, until = _date_range(window, complete_days_only=False)
    since = since.replace(day=1)
    while since < until:
        end = (since.replace(day=28) + timedelta(days=4)).replace(day=1)
        yield DateSlice(since, end, now)
        since = end


def complete_at(day: date) -> datetime:
    """Return the time at which all days before this one are over in every time zone."""
    return datetime.combine(day, time(), UTC) + _WESTERNMOST


class DateHashes:
    """Content hashes of the days as they were last written, in dlt's state of the resource.

    Args:
        state: The resource's state.
        state_is_current: False if rows may be missing in the warehouse: the days are then written again.
    """

    def __init__(self, state: MutableMapping[str, Any], *, state_is_current: bool) -> None:
        for key, previous_key in ((_DATE_HASHES, _DATE_HASHES_BEFORE), (_PRUNED_BEFORE, _PRUNED_BEFORE_BEFORE)):
            if previous_key in state:
                state.setdefault(key, state.pop(previous_key))
        self._known: Mapping[str, str] = dict(state.get(_DATE_HASHES, {}))
        self._pruned_before = str(state.get(_PRUNED_BEFORE, ""))
        self._state = state
        self._state_is_current = state_is_current

    def select_changed(self, records_by_date: Mapping[date, list[Any]]) -> tuple[list[Any], list[date]]:
        """Return the records of the days that changed, and the days that have no records any more."""
        hashes: dict[str, str] = dict(self._state.get(_DATE_HASHES, {}))
        changed: list[Any] = []
        emptied: list[date] = []
        for day, records in records_by_date.items():
            key, content_hash = day.isoformat(), hash_records(records)
            # A day that was never written has no rows. Of a day whose hash was pruned nothing is known.
            known = self._known.get(key, hash_records([]) if key >= self._pruned_before else "")
            if self._state_is_current and known == content_hash:
                continue
            hashes[key] = content_hash
            changed += records
            if not records:
                emptied.append(day)
        self._state[_DATE_HASHES] = hashes
        return changed, emptied

    def prune_before(self, day: date) -> None:
        """Drop the hashes of days that no lookback reads again."""
        hashes: Mapping[str, str] = self._state.get(_DATE_HASHES, {})
        self._state[_PRUNED_BEFORE] = max(self._pruned_before, day.isoformat())
        self._state[_DATE_HASHES] = {key: content for key, content in hashes.items() if key >= day.isoformat()}


def _date_range(window: Window, *, complete_days_only: bool) -> tuple[date, date]:
    since = (window.since - _WESTERNMOST).date()
    if complete_days_only:
        return since, first_incomplete_date(window.until)
    return since, (window.until + _EASTERNMOST).date() + timedelta(days=1)
