"""Time: windows, the lookback behind a bookmark, and cutting a window that holds too many calls. All pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pendulum

from ..errors import ConfigurationError

_SPAN = re.compile(r"(\d+)\s*([smhdw])", re.IGNORECASE)
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_EVERY = (timedelta(0), timedelta(days=1), timedelta(days=7))


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open stretch of effective time: `since` belongs to it, `until` does not."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since > self.until:
            raise ValueError(f"a window cannot end ({self.until}) before it begins ({self.since})")

    def split(self, parts: int) -> list[Window]:
        """The window as that many windows of the same length, without gap or overlap."""
        length = (self.until - self.since) / parts
        edges = [
            self.since,
            *(truncate_to_millisecond(self.since + length * part) for part in range(1, parts)),
            self.until,
        ]
        return [Window(since, until) for since, until in pairwise(edges) if since < until]


@dataclass(frozen=True, slots=True)
class Lookback:
    """How far behind its bookmark a run reads again: each run, once a day, once a week.

    Gong tells nobody what changed, so what a call turned into after it was first read is found by reading it
    again: often just behind the bookmark, where most changes are, seldom further back.
    """

    depths: tuple[timedelta, timedelta, timedelta]

    @classmethod
    def parse(cls, text: str) -> Lookback:
        """From `"1d / 7d / 30d"`; with fewer parts the deeper looks are left out.

        Raises:
            ConfigurationError: It does not read that way.
        """
        depths = [parse_duration(part) for part in text.split("/")]
        if len(depths) > 3:
            raise ConfigurationError(f"lookback {text!r} has more than three parts: write it like '1d / 7d / 30d'")
        every, daily, weekly = (*depths, *[depths[-1]] * (3 - len(depths)))
        return cls((every, max(every, daily), max(every, daily, weekly)))

    def due(self, looked: Mapping[str, str], today: date) -> list[int]:
        """Which of the three looks are due.

        Args:
            looked: Day of the last look by its number, as `looked_now` writes them.
            today: The day of this run, UTC.
        """
        return [
            tier
            for tier, every in enumerate(_EVERY)
            if str(tier) not in looked or today - date.fromisoformat(looked[str(tier)]) >= every
        ]

    def depth(self, looked: Mapping[str, str], today: date) -> timedelta:
        """How far this run reads back."""
        return max(self.depths[tier] for tier in self.due(looked, today))

    def looked_now(self, looked: Mapping[str, str], today: date, depth: timedelta) -> dict[str, str]:
        """The days of the last looks after a run that read `depth` back."""
        return {**looked, **{str(tier): today.isoformat() for tier in range(3) if self.depths[tier] <= depth}}


def truncate_to_millisecond(moment: datetime) -> datetime:
    """The millisecond that a moment lies in: Gong writes and reads times with three digits after the second."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def format_datetime(moment: datetime) -> str:
    """A UTC instant as Gong takes it in requests."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_duration(text: str) -> timedelta:
    """A length of time like `12h`, `7d` or `2w`.

    Raises:
        ConfigurationError: It does not read that way.
    """
    if not (match := _SPAN.fullmatch(text.strip())):
        raise ConfigurationError(f"{text.strip()!r} is not a length of time: write it like 12h, 7d or 2w")
    return int(match[1]) * _UNITS[match[2].lower()]


def parse_datetime_setting(value: str | date | datetime, name: str) -> datetime:
    """A date or date-time as UTC; without a zone it is UTC.

    Args:
        value: What a person or dlt's configuration gives.
        name: The setting's name, for the error.

    Raises:
        ConfigurationError: It is neither.
    """
    if isinstance(value, str):
        try:
            parsed = pendulum.parse(value)
        except ValueError:
            parsed = None
        if not isinstance(parsed, datetime):
            raise ConfigurationError(
                f"{name} {value!r} is not a date: write it like 2026-01-31 or 2026-01-31T09:00:00Z"
            )
        value = parsed
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    # A plain datetime of Python's: pendulum's own would travel into dlt's state and compare by other rules.
    instant = datetime.fromisoformat(value.isoformat())
    return truncate_to_millisecond((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC))


def watermark(windows: Sequence[Window], unread: Sequence[Window]) -> datetime:
    """Up to this instant all that was asked for has been read.

    Args:
        windows: What was asked for, at least one window.
        unread: What of it is not complete.
    """
    return min((window.since for window in unread), default=max(window.until for window in windows))
