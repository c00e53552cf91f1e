"""Lookback tiers: parsed from a setting, due per run, per day and per week."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sources.gong.errors import ConfigurationError
from sources.gong.incremental.lookback import Lookback

TODAY = date(2026, 3, 10)
DEFAULT = Lookback.parse("1d / 7d / 30d")


def days(count: int) -> timedelta:
    """Return a number of days as a duration."""
    return timedelta(days=count)


@pytest.mark.parametrize(
    ("text", "depths"),
    [
        ("1d / 7d / 30d", (days(1), days(7), days(30))),
        ("2w", (days(14), days(14), days(14))),
        ("12h/3d", (timedelta(hours=12), days(3), days(3))),
        ("7d / 1d / 30d", (days(7), days(7), days(30))),
        ("0d", (days(0), days(0), days(0))),
    ],
)
def test_depths_are_parsed(text: str, depths: tuple[timedelta, ...]) -> None:
    """A missing tier is as deep as the previous one, and no tier is shallower."""
    assert Lookback.parse(text).depths == depths


@pytest.mark.parametrize("text", ["", "a week", "1d / 7d / 30d / 90d", "1d,7d"])
def test_an_invalid_lookback_is_a_configuration_error(text: str) -> None:
    """A typo ends the run before any request."""
    with pytest.raises(ConfigurationError):
        Lookback.parse(text)


def test_the_first_run_reads_the_deepest_tier() -> None:
    """Without recorded lookbacks, every tier is due."""
    assert DEFAULT.due_tiers({}, TODAY) == [0, 1, 2]
    assert DEFAULT.depth({}, TODAY) == days(30)


@pytest.mark.parametrize(
    ("days_since_daily", "days_since_weekly", "depth"),
    [(0, 0, 1), (0, 6, 1), (1, 1, 7), (1, 6, 7), (1, 7, 30), (0, 7, 30)],
)
def test_depth_is_that_of_the_deepest_due_tier(days_since_daily: int, days_since_weekly: int, depth: int) -> None:
    """The daily tier is due on the next day, the weekly tier after seven days."""
    dates = {
        "0": TODAY.isoformat(),
        "1": (TODAY - days(days_since_daily)).isoformat(),
        "2": (TODAY - days(days_since_weekly)).isoformat(),
    }

    assert DEFAULT.depth(dates, TODAY) == days(depth)


def test_a_run_records_only_the_tiers_that_it_covered() -> None:
    """A run that read seven days back leaves the weekly tier due."""
    dates = DEFAULT.record_lookback({"2": "2026-03-01"}, TODAY, days(7))

    assert dates == {"0": "2026-03-10", "1": "2026-03-10", "2": "2026-03-01"}
