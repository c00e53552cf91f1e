"""Bookmarks: the time up to which a resource is complete, in dlt's state of that resource."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from .lookback import Lookback
from .windows import Window

_LOOKBACK_DATES = "lookback_dates"
_LOOKBACK_DATES_BEFORE = "looked"
"""Key of `lookback_dates` in states written before 0.1.0 was released."""


def read_bookmark(state: Mapping[str, Any]) -> datetime | None:
    """Return the time up to which the resource is complete; None before its first load."""
    return datetime.fromisoformat(state["bookmark"]) if "bookmark" in state else None


def plan_window(states: Sequence[Mapping[str, Any]], *, start: datetime, now: datetime, lookback: Lookback) -> Window:
    """Return the window from a lookback behind the bookmark to now, or from the start if there is no bookmark.

    Args:
        states: dlt's states of the resources that are read together.
        start: Where a first read begins.
        now: Where this one ends.
        lookback: How far behind the bookmark to read again.
    """
    begins = [
        start
        if (bookmark := read_bookmark(state)) is None
        else bookmark - lookback.depth(_read_lookback_dates(state), now.date())
        for state in states
    ]
    return Window(max(start, min(begins, default=start)), now)


def save_progress(
    state: MutableMapping[str, Any],
    windows: Sequence[Window],
    complete_until: datetime,
    *,
    previous_bookmark: datetime | None,
    start: datetime,
    now: datetime,
    lookback: Lookback,
) -> None:
    """Write the bookmark and the dates of the lookbacks into a state, which dlt commits with the rows.

    Args:
        state: dlt's state of the resource.
        windows: What was requested.
        complete_until: The time up to which it has been read.
        previous_bookmark: The bookmark when the run began.
        start: Where the first read began.
        now: When this run began.
        lookback: How far behind the bookmark a run reads again.
    """
    since = min(window.since for window in windows)
    if previous_bookmark is None or complete_until >= previous_bookmark:
        depth = timedelta.max if previous_bookmark is None or since <= start else previous_bookmark - since
        state[_LOOKBACK_DATES] = lookback.record_lookback(_read_lookback_dates(state), now.date(), depth)
        state.pop(_LOOKBACK_DATES_BEFORE, None)
    if (bookmark := advance_bookmark(read_bookmark(state), windows, complete_until)) is not None:
        state["bookmark"] = bookmark.isoformat()


def advance_bookmark(bookmark: datetime | None, windows: Sequence[Window], complete_until: datetime) -> datetime | None:
    """Return the bookmark after a read: it moves over adjoining windows, never over a gap and never back."""
    since = min(window.since for window in windows)
    if complete_until <= since:
        return bookmark
    if bookmark is None:
        return complete_until
    return max(bookmark, complete_until) if since <= bookmark else bookmark


def _read_lookback_dates(state: Mapping[str, Any]) -> Mapping[str, str]:
    dates: Mapping[str, str] = state.get(_LOOKBACK_DATES, state.get(_LOOKBACK_DATES_BEFORE, {}))
    return dates
