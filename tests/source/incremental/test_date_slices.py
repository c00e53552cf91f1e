"""Reading day by day, the pure part: no day is skipped, none is asked for before it is over, unchanged ones rest."""

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
from sources.gong.resources.date_sliced import DATE_SLICED, DateSlicedResource

MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
OFFSETS = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
READ_BY_DATE = pytest.mark.parametrize("dated", DATE_SLICED, ids=lambda dated: dated.name)


@READ_BY_DATE
@given(now=MOMENTS, length=st.timedeltas(timedelta(0), timedelta(days=500)))
def test_stretches_follow_one_another_without_gap_or_overlap(
    dated: DateSlicedResource, now: datetime, length: timedelta
) -> None:
    slices = list(dated.slices(Window(now - length, now), now))
    assert all(one.until == two.since for one, two in pairwise(slices))
    assert all(one.since < one.until for one in slices)
    assert all(dated.monthly or (one.until - one.since).days <= dated.days_per_request for one in slices)


@READ_BY_DATE
@given(moments=st.lists(MOMENTS, min_size=2, max_size=6, unique=True), zone=OFFSETS)
def test_runs_one_after_the_other_leave_no_day_unread(
    dated: DateSlicedResource, moments: list[datetime], zone: timezone
) -> None:
    """Whatever the company's zone: every day from the first window's begin that is over everywhere was asked for."""
    asked: set[date] = set()
    moments.sort()
    for since, now in pairwise(moments):
        for stretch in dated.slices(Window(since, now), now):
            asked |= set(stretch.dates())
    day, last = moments[0].astimezone(zone).date(), (moments[-1] - timedelta(hours=12)).date()
    while day < last:
        assert day in asked
        day += timedelta(days=1)


@given(now=MOMENTS, length=st.timedeltas(timedelta(0), timedelta(days=60)), zone=OFFSETS)
def test_statistics_are_never_asked_for_beyond_the_companys_today(
    now: datetime, length: timedelta, zone: timezone
) -> None:
    for dated in DATE_SLICED:
        if dated.complete_days_only:
            for stretch in dated.slices(Window(now - length, now), now):
                assert stretch.until <= now.astimezone(zone).date()


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=60)))
def test_where_a_stretch_ends_the_next_window_goes_on(now: datetime, length: timedelta) -> None:
    for dated in DATE_SLICED:
        for stretch in dated.slices(Window(now - length, now), now):
            if not dated.monthly and complete_at(stretch.until) < now:
                first = next(iter(dated.slices(Window(complete_at(stretch.until), now), now)), None)
                assert first is None or first.since == stretch.until


# In what order Gong tells them is no difference.
RECORDS = st.lists(st.integers(0, 3), max_size=3).map(sorted)
DAYS = st.dictionaries(st.dates(date(2026, 1, 1), date(2026, 1, 9)), RECORDS, max_size=6)


@given(st.lists(DAYS, min_size=1, max_size=5))
def test_a_warehouse_that_follows_changed_days_holds_what_gong_holds(reads: list[Mapping[date, list[Any]]]) -> None:
    """Each read tells some days as they are; what is written is exactly what differs."""
    state: dict[str, Any] = {}
    warehouse: dict[date, list[Any]] = {}
    for by_day in reads:
        told = {day: [{"day": day.isoformat(), "n": n} for n in of_day] for day, of_day in by_day.items()}
        records, emptied = DateHashes(state, state_is_current=True).select_changed(told)
        written = {record["day"] for record in records}
        for day in by_day:
            if day.isoformat() in written or day in emptied:
                assert warehouse.get(day, []) != told[day]
                warehouse[day] = told[day]
        assert all(warehouse.get(day, []) == of_day for day, of_day in told.items())
        again, emptied_again = DateHashes(state, state_is_current=True).select_changed(told)
        assert not again
        assert not emptied_again
        untrusted, _ = DateHashes(dict(state), state_is_current=False).select_changed(told)
        assert len(untrusted) == sum(map(len, told.values()))


def test_date_hashes_of_an_earlier_version_are_read_and_moved() -> None:
    """Before 0.1.0 was released, the state had them as `days` and `forgotten_before`."""
    day, records = date(2026, 3, 2), [{"id": "1"}]
    state: dict[str, Any] = {}
    DateHashes(state, state_is_current=True).select_changed({day: records})
    earlier = {"days": state["date_hashes"], "forgotten_before": "2026-03-01"}

    hashes = DateHashes(earlier, state_is_current=True)
    assert hashes.select_changed({day: records}) == ([], [])
    hashes.prune_before(date(2026, 2, 1))
    assert earlier == {"date_hashes": state["date_hashes"], "pruned_before": "2026-03-01"}
