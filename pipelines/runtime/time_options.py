"""What a user says about time, made definite: the window of a run and its deadline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sources.gong import (
    DEFAULT_LOOKBACK,
    DEFAULT_START,
    ConfigurationError,
    Lookback,
    Window,
    parse_datetime_setting,
    parse_duration,
    plan_window,
)

from .connection import Connection, UsageError


def resolve_window(
    connection: Connection,
    states: Sequence[Mapping[str, Any]],
    now: datetime,
    *,
    since: str | None,
    until: str | None,
) -> Window:
    """The window of a sync: from a lookback behind the bookmark to now, unless the user says otherwise.

    Args:
        connection: Its settings `start_date` and `lookback`.
        states: dlt's states of the resources that are read together.
        now: When the run began.
        since: The user's words for the begin; None for the bookmark and its lookback.
        until: The user's words for the end; None for now.

    Raises:
        UsageError: The window would be empty.
        ConfigurationError: A word is not a date.
    """
    start_date = connection.setting("start_date", None)
    start = parse_datetime_setting(start_date, "start_date") if start_date else now - DEFAULT_START
    lookback = Lookback.parse(connection.setting("lookback", DEFAULT_LOOKBACK))
    by_bookmark = plan_window(states, start=start, now=now, lookback=lookback)
    begin = parse_datetime_setting(since, "--since") if since else by_bookmark.since
    end = min(parse_datetime_setting(until, "--until"), now) if until else now
    if begin >= end:
        raise UsageError(f"the window is empty: it would begin {begin} and end {end}; check --since and --until")
    return Window(begin, end)


def pending_since(patience: timedelta, asked_until: datetime | None, now: datetime) -> datetime:
    """From here on a call without transcript is asked for again.

    Args:
        patience: The setting `transcript_retry_period`.
        asked_until: The bookmark of `transcripts`: whoever took place before was asked for once; None for nobody.
        now: When the run began.
    """
    if asked_until is None:
        return datetime.min.replace(tzinfo=UTC)
    return min(now - patience, asked_until)


def parse_deadline(words: str | None, now: datetime) -> datetime | None:
    """The instant after which a run sends no request.

    Args:
        words: A length of time such as `30m` or `2h`, or a date-time.
        now: When the run began.

    Raises:
        UsageError: It is neither, or it is over already.
    """
    if words is None:
        return None
    try:
        deadline = (
            now + parse_duration(words)
            if words[:1].isdecimal() and "-" not in words
            else parse_datetime_setting(words, "--deadline")
        )
    except (ConfigurationError, OverflowError):
        raise UsageError(
            f"--deadline {words!r} is neither a length of time nor a date-time: write it like 30m, 2h or"
            " 2026-01-31T06:00:00Z"
        ) from None
    if deadline <= now:
        raise UsageError(f"--deadline {words!r} is over already ({deadline}): choose a later one")
    return deadline
