"""Datetimes and durations: parse and format them as Gong, settings and options write them. All datetimes are UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pendulum

from .errors import ConfigurationError

EARLIEST_YEAR = 1970
"""Earlier dates are typing errors; a lookback behind them would leave the range of Python's dates."""
MAX_DURATION = timedelta(days=36_500)
"""A hundred years: what is subtracted from now stays a date."""

_DURATION = re.compile(r"(\d+)\s*([smhdw])", re.IGNORECASE)
_UNITS = {
    "s": pendulum.duration(seconds=1),
    "m": pendulum.duration(minutes=1),
    "h": pendulum.duration(hours=1),
    "d": pendulum.duration(days=1),
    "w": pendulum.duration(weeks=1),
}


def parse_gong_datetime(value: object) -> datetime | None:
    """Return a date-time of a Gong record in UTC, or None if the value is not an ISO 8601 date-time.

    A value without a zone is read as UTC. The standard library parses it, because this runs for every call:
    `pendulum.parse` takes about sixty times as long (`python -m timeit`, Python 3.11).
    """
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if parsed is None else _as_utc(parsed)
    except (ValueError, OverflowError):
        return None


def parse_datetime_setting(value: str | date | datetime, name: str) -> datetime:
    """Return a date or date-time from a setting or option as UTC, cut to the millisecond.

    Args:
        value: What the user or dlt's configuration provides; without a zone it is UTC.
        name: Name of the setting or option, for the error message.

    Raises:
        ConfigurationError: If the value is not a date or date-time, or before 1970.
    """
    written = value
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
    try:
        # A plain datetime: pendulum's own type would end up in dlt's state and compare by other rules.
        utc = _as_utc(datetime.fromisoformat(value.isoformat()))
    except OverflowError:
        utc = datetime.min.replace(tzinfo=UTC)
    if utc.year < EARLIEST_YEAR:
        raise ConfigurationError(f"{name} {str(written)!r} is out of range: use a date from {EARLIEST_YEAR} to 9999")
    return truncate_to_millisecond(utc)


def parse_duration(text: str) -> timedelta:
    """Return a duration such as `12h`, `7d` or `2w`.

    Raises:
        ConfigurationError: If the text has another form, or the duration is longer than a hundred years.
    """
    if match := _DURATION.fullmatch(text.strip()):
        try:
            duration = (int(match[1]) * _UNITS[match[2].lower()]).as_timedelta()
        except (OverflowError, ValueError):
            # More than Python's durations, or its integers, can hold.
            duration = timedelta.max
        if duration > MAX_DURATION:
            raise ConfigurationError(f"duration {text.strip()[:40]!r} is out of range: use at most 100 years (36500d)")
        return duration
    raise ConfigurationError(f"invalid duration {text.strip()!r}: use e.g. 12h, 7d or 2w")


def format_datetime(value: datetime) -> str:
    """Return a UTC datetime in the form that Gong's requests take: `2026-01-31T09:00:00.000Z`."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def truncate_to_millisecond(value: datetime) -> datetime:
    """Return the datetime without microseconds: Gong reads and writes three digits after the second."""
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def _as_utc(value: datetime) -> datetime:
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
