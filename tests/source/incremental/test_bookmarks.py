"""Bookmarks: planned windows, progress within a run, and the state that dlt keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sources.gong.incremental.bookmarks import (
    advance_bookmark,
    correct_future_times,
    plan_window,
    read_bookmark,
    save_progress,
)
from sources.gong.incremental.coverage import Coverage
from sources.gong.incremental.lookback import Lookback
from sources.gong.incremental.windows import Window

START = datetime(2026, 1, 1, tzinfo=UTC)
BOOKMARK = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 2, tzinfo=UTC)
ONE_DAY = Lookback.parse("1d")


def save(state: dict[str, Any], window: Window, complete_until: datetime, *, lookback: Lookback = ONE_DAY) -> None:
    """Save the progress of a run that read one window."""
    save_progress(
        state,
        [window],
        complete_until,
        previous_bookmark=read_bookmark(state),
        target=Coverage(START),
        now=NOW,
        lookback=lookback,
    )


def test_a_first_run_reads_from_the_start() -> None:
    """Without a bookmark, the window begins at `start_date`."""
    assert plan_window([{}], target=Coverage(START), now=NOW, lookback=ONE_DAY) == Window(START, NOW)


def test_a_later_run_reads_from_a_lookback_behind_the_bookmark() -> None:
    """Edits shortly before the bookmark are found."""
    state = {"bookmark": BOOKMARK.isoformat()}

    assert plan_window([state], target=Coverage(START), now=NOW, lookback=ONE_DAY) == Window(
        BOOKMARK - timedelta(days=1), NOW
    )


def test_resources_read_together_begin_at_the_earlier_bookmark() -> None:
    """A new resource is read from the start, together with the others."""
    states: list[dict[str, Any]] = [{"bookmark": BOOKMARK.isoformat()}, {}]

    assert plan_window(states, target=Coverage(START), now=NOW, lookback=ONE_DAY).since == START


def test_a_window_never_begins_before_the_start() -> None:
    """A lookback deeper than the history is cut at `start_date`."""
    state = {"bookmark": (START + timedelta(days=3)).isoformat()}

    assert plan_window([state], target=Coverage(START), now=NOW, lookback=Lookback.parse("30d")).since == START


@pytest.mark.parametrize(
    ("bookmark", "since", "complete_until", "expected"),
    [
        pytest.param(None, START, BOOKMARK, BOOKMARK, id="first read"),
        pytest.param(None, START, START, None, id="nothing read"),
        pytest.param(BOOKMARK, BOOKMARK - timedelta(days=1), NOW, NOW, id="adjoining window"),
        pytest.param(BOOKMARK, START, START + timedelta(days=5), BOOKMARK, id="older window"),
        pytest.param(BOOKMARK, BOOKMARK + timedelta(hours=1), NOW, BOOKMARK, id="gap before the window"),
    ],
)
def test_a_bookmark_moves_over_adjoining_windows_only(
    bookmark: datetime | None, since: datetime, complete_until: datetime, expected: datetime | None
) -> None:
    """The bookmark never passes a range that was not read, and never moves back."""
    assert advance_bookmark(bookmark, [Window(since, NOW)], complete_until) == expected


def test_progress_of_a_stopped_run_is_kept() -> None:
    """A run that stops early moves the bookmark to the end of its complete pages."""
    state: dict[str, Any] = {}
    save(state, Window(START, NOW), BOOKMARK)

    assert read_bookmark(state) == BOOKMARK


def test_a_lookback_counts_only_once_it_is_read_to_the_bookmark() -> None:
    """A run that stopped within its lookback reads it again."""
    state: dict[str, Any] = {"bookmark": BOOKMARK.isoformat()}
    window = Window(BOOKMARK - timedelta(days=1), NOW)

    save(state, window, BOOKMARK - timedelta(hours=1))
    assert "lookback_dates" not in state

    save(state, window, NOW)
    assert set(state["lookback_dates"].values()) == {"2026-03-02"}


def test_lookback_dates_under_the_old_key_are_read_and_replaced() -> None:
    """A warehouse loaded before 0.1.0 continues without an additional lookback."""
    lookback = Lookback.parse("1d / 7d / 30d")
    dates = {"0": "2026-03-01", "1": "2026-03-02", "2": "2026-03-01"}
    state: dict[str, Any] = {"bookmark": BOOKMARK.isoformat(), "looked": dates}

    window = plan_window([state], target=Coverage(START), now=NOW, lookback=lookback)
    assert window.since == BOOKMARK - timedelta(days=1)

    save(state, window, NOW, lookback=lookback)
    assert "looked" not in state
    assert state["lookback_dates"] == {**dates, "0": "2026-03-02"}


def test_lookback_dates_of_an_earlier_version_are_read_and_moved() -> None:
    """Before 0.1.0 was released, the state had them as `looked`."""
    dates = {"0": "2026-03-02", "1": "2026-03-02", "2": "2026-03-01"}
    state: dict[str, Any] = {"bookmark": BOOKMARK.isoformat(), "looked": dates}
    lookback = Lookback.parse("1d / 7d / 30d")

    window = plan_window([state], target=Coverage(START), now=NOW, lookback=lookback)
    assert window.since == BOOKMARK - timedelta(days=1)

    save(state, window, NOW, lookback=lookback)
    assert (state["lookback_dates"], "looked" in state) == (dates, False)


def test_a_bookmark_older_than_the_default_start_leaves_no_gap() -> None:
    """A connection that was not synced for more than a year continues where it ended."""
    state: dict[str, Any] = {"bookmark": BOOKMARK.isoformat()}
    now = BOOKMARK + timedelta(days=400)
    target = Coverage(now - timedelta(days=365), is_default_start=True)

    window = plan_window([state], target=target, now=now, lookback=ONE_DAY)
    assert window == Window(BOOKMARK - timedelta(days=1), now)


def test_a_start_date_later_than_the_bookmark_moves_it() -> None:
    """What lies before `start_date` is not wanted, so it is not missing."""
    state: dict[str, Any] = {"bookmark": BOOKMARK.isoformat()}
    now = BOOKMARK + timedelta(days=100)
    target = Coverage(BOOKMARK + timedelta(days=50))

    window = plan_window([state], target=target, now=now, lookback=ONE_DAY)
    assert window == Window(target.since, now)
    save_progress(state, [window], now, previous_bookmark=BOOKMARK, target=target, now=now, lookback=ONE_DAY)
    assert read_bookmark(state) == now


@pytest.mark.parametrize("days_ahead", [1, 8, 400])
def test_times_of_a_clock_that_was_ahead_do_not_count(days_ahead: int) -> None:
    """A bookmark and dates of lookbacks later than now neither fail a run nor keep it from reading."""
    ahead = NOW + timedelta(days=days_ahead)
    dates = dict.fromkeys("012", ahead.date().isoformat())
    state: dict[str, Any] = {"bookmark": ahead.isoformat(), "lookback_dates": dates}

    window = plan_window([state], target=Coverage(START), now=NOW, lookback=Lookback.parse("1d / 7d / 30d"))
    assert window == Window(NOW - timedelta(days=30), NOW)

    assert correct_future_times(state, NOW, known_bookmark=BOOKMARK)
    assert state == {"bookmark": BOOKMARK.isoformat(), "lookback_dates": {}}
    assert not correct_future_times(state, NOW, known_bookmark=BOOKMARK)


def test_a_bookmark_never_passes_gongs_time() -> None:
    """`now` is Gong's time if this machine's clock is ahead: later calls may still come."""
    state: dict[str, Any] = {}
    save(state, Window(START, NOW + timedelta(days=1)), NOW + timedelta(days=1))

    assert read_bookmark(state) == NOW
