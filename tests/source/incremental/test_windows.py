"""Windows: half-open, split without gap or overlap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from sources.gong.incremental.windows import Window, watermark

JANUARY = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))


def test_a_window_cannot_end_before_it_begins() -> None:
    """Swapped bounds are an error, not an empty result."""
    with pytest.raises(ValueError, match="cannot end"):
        Window(JANUARY.until, JANUARY.since)


def test_split_covers_the_window_once() -> None:
    """Each part begins where the previous one ends."""
    parts = JANUARY.split(4)

    assert len(parts) == 4
    assert (parts[0].since, parts[-1].until) == (JANUARY.since, JANUARY.until)
    assert all(part.until == following.since for part, following in pairwise(parts))


def test_split_edges_are_whole_milliseconds() -> None:
    """Gong truncates bounds to milliseconds; an edge between two would be read twice or never."""
    assert all(part.until.microsecond % 1000 == 0 for part in JANUARY.split(7))


def test_split_omits_empty_parts() -> None:
    """A window of two milliseconds has at most two parts."""
    window = Window(JANUARY.since, JANUARY.since + timedelta(milliseconds=2))

    assert len(window.split(10)) == 2
    assert Window(JANUARY.since, JANUARY.since).split(3) == []


def test_windows_sort_by_start() -> None:
    """The oldest window is read first."""
    first, second, third = JANUARY.split(3)

    assert sorted([third, first, second]) == [first, second, third]


def test_watermark_is_the_start_of_the_oldest_unread_window() -> None:
    """A bookmark must not pass a window that is still being read."""
    first, second, third = JANUARY.split(3)

    assert watermark([JANUARY], [third, second]) == second.since
    assert watermark([JANUARY], [first]) == JANUARY.since


def test_watermark_is_the_end_if_everything_is_read() -> None:
    """Without unread windows, the bookmark moves to the end of the last one."""
    assert watermark(JANUARY.split(3), []) == JANUARY.until
