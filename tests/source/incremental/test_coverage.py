"""Coverage of a bookmark: an earlier start or a wider filter is found and read, also over interrupted runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.gong.incremental.bookmarks import plan_backfill, plan_window, read_bookmark, save_progress
from sources.gong.incremental.coverage import Coverage, Filters, describe_narrowing
from sources.gong.incremental.lookback import Lookback
from sources.gong.incremental.windows import Window

DAY = timedelta(days=1)
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
LOOKBACK = Lookback.parse("1d")
WORKSPACES = ("A", "B")


def at(day: int) -> datetime:
    """Return the beginning of a day."""
    return FIRST_DAY + day * DAY


def read(state: dict[str, Any], target: Coverage, window: Window, share: float = 1.0) -> Window:
    """Save a read that came as far as a share of its window, in whole days, and return what it read."""
    reached = window.since + int((window.until - window.since) / DAY * share) * DAY
    before = read_bookmark(state)
    save_progress(
        state, [window], reached, previous_bookmark=before, target=target, now=window.until, lookback=LOOKBACK
    )
    return Window(window.since, reached)


def plan(state: dict[str, Any], target: Coverage, day: int) -> Window:
    """Return the window from the bookmark to a day."""
    return plan_window([state], target=target, now=at(day), lookback=LOOKBACK)


@pytest.mark.parametrize(
    ("before", "after", "is_missing"),
    [
        pytest.param(Filters(), Filters(), False, id="the same"),
        pytest.param(Filters("A"), Filters(), True, id="workspace lifted"),
        pytest.param(Filters(), Filters("A"), False, id="workspace set"),
        pytest.param(Filters("A"), Filters("B"), True, id="another workspace"),
        pytest.param(Filters(primary_user_ids=("1",)), Filters(primary_user_ids=("1", "2")), True, id="another host"),
        pytest.param(Filters(primary_user_ids=("1", "2")), Filters(primary_user_ids=("2",)), False, id="a host less"),
        pytest.param(Filters(call_ids=("1",)), Filters(call_ids=("2",)), True, id="another call"),
        pytest.param(Filters(), Filters(private_calls="include"), True, id="private calls included"),
        pytest.param(Filters(private_calls="include"), Filters(private_calls="metadata"), False, id="less of private"),
    ],
)
def test_only_a_wider_filter_is_backfilled(before: Filters, after: Filters, is_missing: bool) -> None:
    """Calls that the earlier filters held back are read from the start; narrower filters read nothing."""
    state: dict[str, Any] = {}
    read(state, Coverage(at(0), before), Window(at(0), at(50)))

    backfill = plan_backfill([state], Coverage(at(0), after))
    assert backfill == (Window(at(0), at(50)) if is_missing else None)


def test_an_earlier_start_reads_what_lies_before() -> None:
    """Only the time before the previous start is read, and only once."""
    state: dict[str, Any] = {}
    read(state, Coverage(at(30)), Window(at(30), at(50)))

    target = Coverage(at(10))
    backfill = plan_backfill([state], target)
    assert backfill == Window(at(10), at(30))
    read(state, target, backfill)
    assert plan_backfill([state], target) is None
    assert read_bookmark(state) == at(50)


def test_an_interrupted_backfill_continues_where_it_ended() -> None:
    """Each run of a long backfill moves forward, also if the default start moves with the days."""
    state: dict[str, Any] = {}
    read(state, Coverage(at(300)), Window(at(300), at(400)))

    target = Coverage(at(35), is_default_start=True)
    backfill = plan_backfill([state], target)
    assert backfill == Window(at(35), at(300))
    read(state, target, backfill, share=0.2)
    target = Coverage(at(36), is_default_start=True)
    read(state, target, plan(state, target, 401))

    assert plan_backfill([state], target) == Window(at(88), at(300))


def test_the_default_start_never_extends_an_explicit_first_window() -> None:
    """A first run with `--since` is what the user wants, until `start_date` says otherwise."""
    state: dict[str, Any] = {}
    default = Coverage(at(0), is_default_start=True)
    read(state, default, Window(at(300), at(365)))

    assert plan_backfill([state], Coverage(at(1), is_default_start=True)) is None
    assert plan_backfill([state], Coverage(at(200))) == Window(at(200), at(300))


def test_what_is_no_longer_read_is_described_once() -> None:
    """A later start and a narrower filter are reported by the run that meets them first."""
    state: dict[str, Any] = {}
    read(state, Coverage(at(0)), Window(at(0), at(50)))

    target = Coverage(at(20), Filters("A"))
    described = describe_narrowing(state, target)
    assert described is not None
    assert "workspace_id" in described
    assert "start_date is now 2026-01-21, before it was 2026-01-01" in described

    read(state, target, plan(state, target, 51))
    assert describe_narrowing(state, target) is None


def test_a_state_of_an_earlier_version_covers_the_present_settings() -> None:
    """A warehouse that continues under this version is not read again in full."""
    state: dict[str, Any] = {"bookmark": at(50).isoformat()}
    target = Coverage(at(0), Filters("A"))
    assert plan_backfill([state], target) is None
    read(state, target, plan(state, target, 51))

    assert plan_backfill([state], target) is None
    assert plan_backfill([state], Coverage(at(-10), Filters("A"))) == Window(at(-10), at(0))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40),
            st.sampled_from([None, *WORKSPACES]),
            st.integers(1, 5),
            st.tuples(st.sampled_from([0.0, 0.3, 0.7, 1.0]), st.sampled_from([0.0, 0.5, 1.0])),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_settings_and_interruptions_nothing_stays_unread(
    runs: list[tuple[int, str | None, int, tuple[float, float]]],
) -> None:
    """When no backfill is left, every day since the start was read for each workspace that the filter lets through."""
    state: dict[str, Any] = {}
    days_read: dict[str, set[int]] = {name: set() for name in WORKSPACES}
    day = 45

    def run(target: Coverage, window: Window, share: float) -> None:
        done = read(state, target, window, share)
        for name in WORKSPACES:
            if target.filters.workspace_id in (None, name):
                days_read[name] |= {
                    number for number in range(day) if done.since <= at(number) < at(number + 1) <= done.until
                }

    for start, workspace, days, (share, backfill_share) in runs:
        day += days
        target = Coverage(at(start), Filters(workspace))
        run(target, plan(state, target, day), share)
        if share == 1.0 and (backfill := plan_backfill([state], target)) is not None:
            run(target, backfill, backfill_share)
        bookmark = read_bookmark(state)
        if bookmark is None or plan_backfill([state], target) is not None:
            continue
        for name in WORKSPACES:
            if workspace in (None, name):
                assert {number for number in range(start, day) if at(number + 1) <= bookmark} <= days_read[name]
