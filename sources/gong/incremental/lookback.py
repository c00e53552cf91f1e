"""Lookback: how far behind its bookmark a run reads again. Pure.

Gong has no change feed, so edits are found by reading calls again: often just behind the bookmark, where most
changes happen, and seldom further back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pendulum

from ..datetimes import parse_duration
from ..errors import ConfigurationError

_INTERVALS = (
    timedelta(0),
    pendulum.duration(days=1).as_timedelta(),
    pendulum.duration(weeks=1).as_timedelta(),
)
"""How often each tier is due: every run, once a day, once a week."""


@dataclass(frozen=True, slots=True)
class Lookback:
    """Depth of each lookback tier: every run, once a day, once a week.

    Attributes:
        depths: From the shallowest to the deepest.
    """

    depths: tuple[timedelta, timedelta, timedelta]

    @classmethod
    def parse(cls, text: str) -> Lookback:
        """Return the lookback written as `"1d / 7d / 30d"`; a missing tier is as deep as the one before it.

        Raises:
            ConfigurationError: If a part is not a duration, or there are more than three.
        """
        depths = [parse_duration(part) for part in text.split("/")]
        if len(depths) > len(_INTERVALS):
            raise ConfigurationError(f"lookback {text!r} has more than three parts: write it like '1d / 7d / 30d'")
        every_run, daily, weekly = (*depths, *[depths[-1]] * (len(_INTERVALS) - len(depths)))
        return cls((every_run, max(every_run, daily), max(every_run, daily, weekly)))

    def due_tiers(self, lookback_dates: Mapping[str, str], today: date) -> list[int]:
        """Return the tiers that are due: 0 for every run, 1 for daily, 2 for weekly.

        A date later than today, written by a run whose clock was ahead, does not count.

        Args:
            lookback_dates: Date of the last lookback by tier, as `record_lookback` returns it.
            today: Date of this run in UTC.
        """
        return [
            tier
            for tier, interval in enumerate(_INTERVALS)
            if str(tier) not in lookback_dates
            or not timedelta(0) <= today - date.fromisoformat(lookback_dates[str(tier)]) < interval
        ]

    def depth(self, lookback_dates: Mapping[str, str], today: date) -> timedelta:
        """Return how far this run reads back; arguments as in `due_tiers`."""
        return max(self.depths[tier] for tier in self.due_tiers(lookback_dates, today))

    def record_lookback(self, lookback_dates: Mapping[str, str], today: date, depth: timedelta) -> dict[str, str]:
        """Return the dates of the last lookbacks after a run that read `depth` back."""
        return {
            **lookback_dates,
            **{str(tier): today.isoformat() for tier in range(len(_INTERVALS)) if self.depths[tier] <= depth},
        }
