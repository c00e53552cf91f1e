"""Checks of the arguments of a question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sources.gong import parse_datetime_setting

from ..runtime.errors import UsageError


def parse_period(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Return the start and the end of a period; None for no limit.

    Raises:
        ConfigurationError: If one is not a date.
        UsageError: If it ends before it starts.
    """
    start = parse_datetime_setting(since, "since") if since else None
    end = parse_datetime_setting(until, "until") if until else None
    if start is not None and end is not None and end <= start:
        raise UsageError(f"until {until!r} is not after since {since!r}")
    return start, end


def check_limit(limit: int, most: int) -> None:
    """Refuse a number of rows that is not between one and the most.

    Raises:
        UsageError: If it is out of range.
    """
    if not 1 <= limit <= most:
        raise UsageError(f"limit {limit} is out of range: use 1 to {most:,}")


def check_choice(argument: str, value: str | None, choices: Sequence[str]) -> None:
    """Refuse an unknown value of an argument.

    Raises:
        UsageError: If it is not one of the choices.
    """
    if value is not None and value not in choices:
        raise UsageError(f"{argument} {value!r} is unknown: use one of {', '.join(choices)}")
