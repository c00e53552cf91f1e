"""Reading day by day: which days are asked for together, and which of them are another than they were.

Gong says of statistics, logs and reviews not when they changed, and restates the last days. So each run reads a
lookback behind its bookmark again, and a day is written only where it is another than the one last written: its hash
is kept in dlt's state of the resource, as long as a lookback may come by.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from ..extract.pages import ONE_REQUEST, ExtractContext
from ..tables.record_mapper import RecordMapper
from ..tables.records import hash_bytes
from .windows import Window

_EAST, _WEST = timedelta(hours=14), timedelta(hours=12)
"""How far zones lie from UTC. Gong reckons days in the company's zone, which it tells nowhere for sure: a window is
read from the day it begins in the west of all zones, and to the last day that is over in all of them."""

ByDay = dict[date, list[Any]]
"""Records under the day they belong to; a day without records is there too, with none."""


@dataclass(frozen=True, slots=True)
class DateSlice:
    """Days that are asked for together: `since` belongs to them, `until` does not.

    Attributes:
        now: When the run began: a stretch that reaches this far has no end that Gong would take.
    """

    since: date
    until: date
    now: datetime

    def days(self) -> Iterator[date]:
        """Each day."""
        for number in range((self.until - self.since).days):
            yield self.since + timedelta(days=number)

    @property
    def open_ended(self) -> bool:
        """Whether it holds days that may not be over."""
        return self.until > (self.now - _WEST).date()


@dataclass(frozen=True, slots=True)
class DateSlicedResource:
    """A resource that is read day by day.

    Attributes:
        layout: How its records become rows.
        read: Gives the records of a stretch.
        days_per_request: How many days are asked for at once.
        estimate_requests: The least number of requests that a stretch takes.
        complete_days_only: Whether only days that are over everywhere can be asked for.
        monthly: Whether what is asked for are calendar months, kept under their first day.
        opt_in: Whether it is read only when it is selected by name.
    """

    layout: RecordMapper
    read: Callable[[ExtractContext, DateSlice], Awaitable[ByDay]]
    days_per_request: int
    estimate_requests: Callable[[ExtractContext], Awaitable[int]] = ONE_REQUEST
    complete_days_only: bool = False
    monthly: bool = False
    opt_in: bool = True

    @property
    def name(self) -> str:
        """The dlt resource."""
        return self.layout.resource

    def slices(self, window: Window, now: datetime) -> Iterator[DateSlice]:
        """The days of a window, in the portions that are asked for."""
        since = (window.since - _WEST).date()
        until = (
            (window.until - _WEST).date()
            if self.complete_days_only
            else (window.until + _EAST).date() + timedelta(days=1)
        )
        if self.monthly:
            since = since.replace(day=1)
        while since < until:
            if self.monthly:
                end = (since.replace(day=28) + timedelta(days=4)).replace(day=1)
            else:
                end = min(since + timedelta(days=self.days_per_request), until)
            yield DateSlice(since, end, now)
            since = end


def complete_at(day: date) -> datetime:
    """The instant at which all days before this one are over everywhere."""
    return datetime.combine(day, time(), UTC) + _WEST


class DateHashes:
    """What the days were when they were last written, in dlt's state of the resource.

    Args:
        state: The resource's state.
        state_is_current: Whether what was last written is in the warehouse; not after a load that was broken off.
    """

    def __init__(self, state: MutableMapping[str, Any], *, state_is_current: bool) -> None:
        self._held: Mapping[str, str] = dict(state.get("days", {}))
        self._forgotten_before = str(state.get("forgotten_before", ""))
        self._state = state
        self._trusted = state_is_current

    def changed(self, by_day: Mapping[date, list[Any]]) -> tuple[list[Any], list[date]]:
        """The records of days that are not as they were, and the days that have none any more."""
        days: dict[str, str] = dict(self._state.get("days", {}))
        records: list[Any] = []
        emptied: list[date] = []
        for day, of_day in by_day.items():
            key, content = day.isoformat(), _content_hash(of_day)
            # A day that was never written has no rows; of one that is forgotten nobody knows.
            held = self._held.get(key, _content_hash([]) if key >= self._forgotten_before else "")
            if self._trusted and held == content:
                continue
            days[key] = content
            records += of_day
            if not of_day:
                emptied.append(day)
        self._state["days"] = days
        return records, emptied

    def prune_before(self, day: date) -> None:
        """Forgets days that no lookback comes by any more."""
        days: Mapping[str, str] = self._state.get("days", {})
        self._state["forgotten_before"] = max(self._forgotten_before, day.isoformat())
        self._state["days"] = {key: content for key, content in days.items() if key >= day.isoformat()}


def _content_hash(records: list[Any]) -> str:
    return hash_bytes(b"\n".join(sorted(msgspec.json.encode(record, order="sorted") for record in records)))
