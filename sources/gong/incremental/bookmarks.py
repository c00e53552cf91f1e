"""Bookmarks: the time up to which a resource is complete, in dlt's state of that resource."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from .coverage import Coverage, missing_window, save_coverage
from .lookback import Lookback
from .windows import Window

_LOOKBACK_DATES = "lookback_dates"
_LOOKBACK_DATES_BEFORE = "looked"
"""Key of `lookback_dates` in states written before 0.1.0 was released."""


def read_bookmark(state: Mapping[str, Any]) -> datetime | None:
    """Return the time up to which the resource is complete; None before its first load."""
    return datetime.fromisoformat(state["bookmark"]) if "bookmark" in state else None


def correct_future_times(state: MutableMapping[str, Any], now: datetime, *, known_bookmark: datetime | None) -> bool:
    """Remove what a run wrote whose clock was ahead: a bookmark and dates of lookbacks that are later than now.

    Args:
        state: dlt's state of the resource.
        now: The present time.
        known_bookmark: A bookmark that is known to be right; None to read everything again.

    Returns:
        Whether the bookmark was later than now.
    """
    dates = _read_lookback_dates(state)
    if any(date > now.date().isoformat() for date in dates.values()):
        state[_LOOKBACK_DATES] = {tier: date for tier, date in dates.items() if date <= now.date().isoformat()}
        state.pop(_LOOKBACK_DATES_BEFORE, None)
    bookmark = read_bookmark(state)
    if bookmark is None or bookmark <= now:
        return False
    if known_bookmark is None:
        del state["bookmark"]
    else:
        state["bookmark"] = known_bookmark.isoformat()
    return True


def plan_window(states: Sequence[Mapping[str, Any]], *, target: Coverage, now: datetime, lookback: Lookback) -> Window:
    """Return the window from a lookback behind the bookmark to now, or from the start if there is no bookmark.

    Args:
        states: dlt's states of the resources that are read together.
        target: What the settings ask for. The window begins at its start at the earliest, but it leaves no gap behind a
            bookmark that is older than the default start.
        now: Where this one ends.
        lookback: How far behind the bookmark to read again.
    """
    begins = [target.since] * (not states)
    for state in states:
        bookmark, begin = read_bookmark(state), target.since
        if bookmark is not None:
            begin = min(bookmark, now) - lookback.depth(_read_lookback_dates(state), now.date())
        has_gap = target.is_default_start and bookmark is not None and bookmark < target.since
        begins.append(begin if has_gap else max(begin, target.since))
    return Window(min(*begins, now), now)


def plan_backfill(states: Sequence[Mapping[str, Any]], target: Coverage) -> Window | None:
    """Return the window that an earlier start or a wider filter requires of resources that are read together.

    Args:
        states: dlt's states of the resources.
        target: What the settings ask for.
    """
    missing = [
        window for state in states if (window := missing_window(state, target, read_bookmark(state))) is not None
    ]
    if not missing:
        return None
    return Window(min(window.since for window in missing), max(window.until for window in missing))


def save_progress(
    state: MutableMapping[str, Any],
    windows: Sequence[Window],
    complete_until: datetime,
    *,
    previous_bookmark: datetime | None,
    target: Coverage,
    now: datetime,
    lookback: Lookback,
) -> None:
    """Write the bookmark, its coverage and the dates of the lookbacks into a state, which dlt commits with the rows.

    Args:
        state: dlt's state of the resource.
        windows: What was requested.
        complete_until: The time up to which it has been read.
        previous_bookmark: The bookmark when the run began.
        target: What the settings ask for.
        now: When this run began, by Gong's clock if the two differ: nothing later is known to be complete.
        lookback: How far behind the bookmark a run reads again.
    """
    since, complete_until = min(window.since for window in windows), min(complete_until, now)
    if previous_bookmark is None or complete_until >= previous_bookmark:
        depth = timedelta.max if previous_bookmark is None or since <= target.since else previous_bookmark - since
        state[_LOOKBACK_DATES] = lookback.record_lookback(_read_lookback_dates(state), now.date(), depth)
        state.pop(_LOOKBACK_DATES_BEFORE, None)
    start = None if target.is_default_start else target.since
    if (bookmark := advance_bookmark(read_bookmark(state), windows, complete_until, start=start)) is not None:
        state["bookmark"] = bookmark.isoformat()
        if since < complete_until:
            save_coverage(state, target, Window(since, complete_until), previous_bookmark=previous_bookmark)


def advance_bookmark(
    bookmark: datetime | None, windows: Sequence[Window], complete_until: datetime, *, start: datetime | None = None
) -> datetime | None:
    """Return the bookmark after a read: it moves over adjoining windows, never over a gap and never back.

    Args:
        bookmark: The bookmark before the read.
        windows: What was requested.
        complete_until: The time up to which it has been read.
        start: The setting `start_date`: what lies before it is not missing.
    """
    since = min(window.since for window in windows)
    if complete_until <= since:
        return bookmark
    if bookmark is None:
        return complete_until
    adjoins = since <= bookmark or (start is not None and since <= start)
    return max(bookmark, complete_until) if adjoins else bookmark


def _read_lookback_dates(state: Mapping[str, Any]) -> Mapping[str, str]:
    dates: Mapping[str, str] = state.get(_LOOKBACK_DATES, state.get(_LOOKBACK_DATES_BEFORE, {}))
    return dates
