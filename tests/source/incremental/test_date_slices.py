"""Date slices: no day is skipped, none is requested too early, and unchanged days are not written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.gong.incremental.date_slices import DateHashes, complete_at
from sources.gong.incremental.windows import Window
from sources.gong.resources import DATE_SLICED
from sources.gong.resources.date_sliced import DateSlicedResource

MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
OFFSETS = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
READ_BY_DATE = pytest.mark.parametrize("resource", DATE_SLICED, ids=lambda resource: resource.name)


@READ_BY_DATE
@given(now=MOMENTS, length=st.timedeltas(timedelta(0), timedelta(days=500)))
def test_slices_have_no_gap_and_no_overlap(resource: DateSlicedResource, now: datetime, length: timedelta) -> None:
    """Consecutive slices cover a window, each within the days allowed per request."""
    slices = list(resource.slices(Window(now - length, now), now))
    assert all(current.until == following.since for current, following in pairwise(slices))
    assert all(current.since < current.until for current in slices)
    assert all(
        resource.calendar_months or (current.until - current.since).days <= resource.days_per_request
        for current in slices
    )


@READ_BY_DATE
@given(moments=st.lists(MOMENTS, min_size=2, max_size=6, unique=True), zone=OFFSETS)
def test_consecutive_runs_read_every_day(resource: DateSlicedResource, moments: list[datetime], zone: timezone) -> None:
    """Each day that is over in every time zone is requested, in any zone of the company."""
    requested: set[date] = set()
    moments.sort()
    for since, now in pairwise(moments):
        for date_slice in resource.slices(Window(since, now), now):
            requested |= set(date_slice.dates())
    day, last = moments[0].astimezone(zone).date(), (moments[-1] - timedelta(hours=12)).date()
    while day < last:
        assert day in requested
        day += timedelta(days=1)


@given(now=MOMENTS, length=st.timedeltas(timedelta(0), timedelta(days=60)), zone=OFFSETS)
def test_statistics_are_not_requested_beyond_today(now: datetime, length: timedelta, zone: timezone) -> None:
    """Gong rejects a range that ends after the current day of the company."""
    for resource in DATE_SLICED:
        if resource.complete_days_only:
            for date_slice in resource.slices(Window(now - length, now), now):
                assert date_slice.until <= now.astimezone(zone).date()


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=60)))
def test_the_next_window_continues_where_a_slice_ends(now: datetime, length: timedelta) -> None:
    """A run that stops between two slices neither skips nor repeats a day."""
    for resource in DATE_SLICED:
        for date_slice in resource.slices(Window(now - length, now), now):
            if not resource.calendar_months and complete_at(date_slice.until) < now:
                first = next(iter(resource.slices(Window(complete_at(date_slice.until), now), now)), None)
                assert first is None or first.since == date_slice.until


# The order of records within a day is not significant.
RECORDS = st.lists(st.integers(0, 3), max_size=3).map(sorted)
DAYS = st.dictionaries(st.dates(date(2026, 1, 1), date(2026, 1, 9)), RECORDS, max_size=6)


@given(st.lists(DAYS, min_size=1, max_size=5))
def test_writing_changed_days_reproduces_the_data(reads: list[Mapping[date, list[Any]]]) -> None:
    """Exactly the days that differ are written, and all days where rows may be missing."""
    state: dict[str, Any] = {}
    warehouse: dict[date, list[Any]] = {}
    for by_day in reads:
        current = {day: [{"day": day.isoformat(), "n": n} for n in of_day] for day, of_day in by_day.items()}
        records, emptied = DateHashes(state, state_is_current=True).select_changed(current)
        written = {record["day"] for record in records}
        for day in by_day:
            if day.isoformat() in written or day in emptied:
                assert warehouse.get(day, []) != current[day]
                warehouse[day] = current[day]
        assert all(warehouse.get(day, []) == of_day for day, of_day in current.items())
        again, emptied_again = DateHashes(state, state_is_current=True).select_changed(current)
        assert not again
        assert not emptied_again
        after_loss, _ = DateHashes(dict(state), state_is_current=False).select_changed(current)
        assert len(after_loss) == sum(map(len, current.values()))


def test_date_hashes_of_an_earlier_version_are_read_and_moved() -> None:
    """Date hashes under their old keys are read once and stored under the new ones."""
    day, records = date(2026, 3, 2), [{"id": "1"}]
    state: dict[str, Any] = {}
    DateHashes(state, state_is_current=True).select_changed({day: records})
    earlier = {"days": state["date_hashes"], "forgotten_before": "2026-03-01"}

    hashes = DateHashes(earlier, state_is_current=True)
    assert hashes.select_changed({day: records}) == ([], [])

    hashes.prune_before(date(2026, 2, 1))
    assert earlier == {"date_hashes": state["date_hashes"], "pruned_before": "2026-03-01"}
