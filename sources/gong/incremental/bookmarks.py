"""How far a resource is complete, kept in dlt's state of that resource, and where the next read begins."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from .windows import Lookback, Window


def bookmark_of(state: Mapping[str, Any]) -> datetime | None:
    """Up to here the resource is complete; None before its first load."""
    return datetime.fromisoformat(state["bookmark"]) if "bookmark" in state else None


def window_to_read(
    states: Sequence[Mapping[str, Any]], *, start: datetime, now: datetime, lookback: Lookback
) -> Window:
    """From a lookback behind the bookmark to now; from the start where there is no bookmark yet.

    Args:
        states: dlt's states of the resources `calls` and `transcripts`, as far as they are read together.
        start: Where a first read begins.
        now: Where this one ends.
        lookback: How far behind the bookmark to read again.
    """
    begins = [
        start if (bookmark := bookmark_of(state)) is None else bookmark - lookback.depth(_looked(state), now.date())
        for state in states
    ]
    return Window(max(start, min(begins, default=start)), now)


def move_bookmark(
    state: MutableMapping[str, Any],
    windows: Sequence[Window],
    reached: datetime,
    *,
    before: datetime | None,
    start: datetime,
    now: datetime,
    lookback: Lookback,
) -> None:
    """Writes the bookmark, and which looks back were done, into a state; dlt commits it with the rows.

    Args:
        state: The resource's state.
        windows: What was asked for.
        reached: Up to here it has been read.
        before: The bookmark as the reading began.
        start: Where the first read began.
        now: When this run began.
        lookback: How far behind the bookmark is read again.
    """
    begin = min(window.since for window in windows)
    if before is None or reached >= before:
        depth = timedelta.max if before is None or begin <= start else before - begin
        state["looked"] = lookback.looked_now(_looked(state), now.date(), depth)
    if (moved := moved_bookmark(bookmark_of(state), windows, reached)) is not None:
        state["bookmark"] = moved.isoformat()


def moved_bookmark(bookmark: datetime | None, windows: Sequence[Window], reached: datetime) -> datetime | None:
    """The bookmark after reading: it moves over what joins on to it, and never over a gap, nor back."""
    since = min(window.since for window in windows)
    if reached <= since:
        return bookmark
    if bookmark is None:
        return reached
    return max(bookmark, reached) if since <= bookmark else bookmark


def _looked(state: Mapping[str, Any]) -> Mapping[str, str]:
    looked: Mapping[str, str] = state.get("looked", {})
    return looked
