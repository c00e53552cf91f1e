"""Properties of windows, bookmarks and lookbacks: runs skip no time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.gong.datetimes import parse_duration
from sources.gong.errors import ConfigurationError
from sources.gong.incremental.bookmarks import advance_bookmark, plan_window, read_bookmark, save_progress
from sources.gong.incremental.coverage import Coverage
from sources.gong.incremental.lookback import Lookback
from sources.gong.incremental.windows import Window, watermark

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
START = datetime(2019, 1, 1, tzinfo=UTC)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    since, until = sorted([draw(MOMENTS), draw(MOMENTS)])
    return Window(since, until + timedelta(seconds=1))


@given(windows(), st.integers(1, 50))
def test_a_split_window_has_no_gap_and_no_overlap(window: Window, parts: int) -> None:
    """Each part begins where the previous one ends, for any window and number of parts."""
    pieces = window.split(parts)
    assert pieces[0].since == window.since
    assert pieces[-1].until == window.until
    assert all(left.until == right.since for left, right in pairwise(pieces))


@given(MOMENTS | st.none(), windows(), st.floats(0, 1))
def test_a_bookmark_never_moves_back_nor_over_a_gap(bookmark: datetime | None, window: Window, share: float) -> None:
    """A bookmark stays or moves to the end of what was read, and never past unread time."""
    reached = window.since + (window.until - window.since) * share
    moved = advance_bookmark(bookmark, [window], reached)
    if bookmark is None:
        assert moved in (None, reached)
    else:
        assert moved is not None
        assert moved >= bookmark
        assert moved in (bookmark, reached)
        if window.since > bookmark:
            assert moved == bookmark


@given(windows(), st.lists(windows(), max_size=4))
def test_the_watermark_is_before_everything_unread(window: Window, unread: list[Window]) -> None:
    """A bookmark at the watermark skips no unread window."""
    reached = watermark([window], unread)
    assert all(reached <= rest.since for rest in unread)
    if not unread:
        assert reached == window.until


@given(st.lists(MOMENTS, min_size=1, max_size=12, unique=True))
def test_consecutive_runs_leave_no_time_unread(moments: list[datetime]) -> None:
    """Each run begins a lookback behind the previous one, and parts have the same effect as one read."""
    lookback = Lookback.parse("1d / 7d / 30d")
    target = Coverage(START)
    state: dict[str, Any] = {}
    read_to = START
    for now in sorted(moments):
        window = plan_window([state], target=Coverage(START), now=now, lookback=lookback)
        assert window.since <= max(START, read_to - timedelta(days=1))
        at_once = dict(state)
        before = read_bookmark(state)
        halfway = window.since + (window.until - window.since) / 2
        for parts, kept in (([halfway, window.until], state), ([window.until], at_once)):
            for reached in parts:
                save_progress(
                    kept, [window], reached, previous_bookmark=before, target=target, now=now, lookback=lookback
                )
        assert state == at_once
        read_to = now
        assert datetime.fromisoformat(state["bookmark"]) == now


@given(st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=60))
def test_deeper_lookbacks_run_daily_and_weekly(minutes: list[int]) -> None:
    """However runs are spaced, the second tier runs at most once per day and the third once per week."""
    lookback = Lookback.parse("1d / 7d / 30d")
    looked: dict[str, str] = {}
    now = datetime(2026, 1, 1, tzinfo=UTC)
    deep: dict[timedelta, list[date]] = {timedelta(days=7): [], timedelta(days=30): []}
    for gap in minutes:
        now += timedelta(minutes=gap)
        depth = lookback.depth(looked, now.date())
        for tier, days in deep.items():
            if depth >= tier:
                days.append(now.date())
        looked = lookback.record_lookback(looked, now.date(), depth)
    assert len(set(deep[timedelta(days=7)])) == len(deep[timedelta(days=7)])
    weekly = deep[timedelta(days=30)]
    assert all((later - earlier).days >= 7 for earlier, later in pairwise(weekly))


@pytest.mark.parametrize("text", ["", "7", "d", "7 days", "-1d", "1d/2d/3d/4d"])
def test_other_texts_are_not_lookbacks(text: str) -> None:
    """A number without a unit, or a fourth tier, is an error."""
    with pytest.raises(ConfigurationError):
        Lookback.parse(text)


def test_durations_have_units() -> None:
    """A duration is a number and a unit."""
    assert [parse_duration(text) for text in ("30m", "12h", "7d", "2w")] == [
        timedelta(minutes=30), timedelta(hours=12), timedelta(days=7), timedelta(days=14),
    ]  # fmt: skip
