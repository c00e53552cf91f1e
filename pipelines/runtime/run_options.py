"""Parse the options that describe a run, and --port: --since, --until, --deadline, --select."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sources.gong import (
    OPT_IN_RESOURCES,
    RESOURCES,
    ConfigurationError,
    Coverage,
    Lookback,
    Window,
    parse_datetime_setting,
    parse_duration,
    plan_window,
)

from .connection import Connection
from .errors import UsageError

_ALL_RESOURCES = (*RESOURCES, *OPT_IN_RESOURCES)
_MAX_PORT = 65_535
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


def parse_selection(select: str | None) -> Sequence[str]:
    """Return the resources named by `--select`, in the order in which results list them; without it the default ones.

    Raises:
        UsageError: If a name is unknown, or the option is empty.
    """
    if select is None:
        return RESOURCES
    names = {name.strip() for name in select.split(",") if name.strip()}
    if unknown := names - set(_ALL_RESOURCES):
        raise UsageError(
            f"--select {', '.join(sorted(unknown))}: unknown resource; use any of {', '.join(_ALL_RESOURCES)}"
        )
    if not names:
        raise UsageError(f"--select names no resource: use any of {', '.join(_ALL_RESOURCES)}")
    return [name for name in _ALL_RESOURCES if name in names]


def parse_window(
    since_option: str | None,
    until_option: str | None,
    *,
    since: datetime,
    until: datetime,
    latest: datetime | None = None,
) -> Window:
    """Return the window from `--since` to `--until`.

    Args:
        since_option: Start of the window as the user wrote it.
        until_option: End of the window as the user wrote it, exclusive.
        since: Start if the option is missing.
        until: End if the option is missing.
        latest: Latest end; None for no limit.

    Raises:
        UsageError: If the window is empty.
        ConfigurationError: If an option is not a date or date-time.
    """
    start = parse_datetime_setting(since_option, "--since") if since_option else since
    end = parse_datetime_setting(until_option, "--until") if until_option else until
    if latest is not None:
        end = min(end, latest)
    if start >= end:
        raise UsageError(f"the window is empty: it starts at {start} and ends at {end}; check --since and --until")
    return Window(start, end)


def resolve_window(
    connection: Connection,
    states: Sequence[Mapping[str, Any]],
    now: datetime,
    *,
    since: str | None,
    until: str | None,
) -> Window:
    """Return the window of a sync: --since to --until, by default from the bookmark less the lookback to now.

    Args:
        connection: Source of the settings `start_date` and `lookback`.
        states: dlt's states of the resources that are read together.
        now: When the run started.
        since: `--since` as the user wrote it.
        until: `--until` as the user wrote it.

    Raises:
        UsageError: If the window is empty.
        ConfigurationError: If an option or setting is not a date or duration.
    """
    if since is not None:
        return parse_window(since, until, since=now, until=now, latest=now)
    settings = connection.settings
    lookback = Lookback.parse(settings.lookback)
    incremental = plan_window(states, target=Coverage.from_settings(settings, now), now=now, lookback=lookback)
    return parse_window(None, until, since=incremental.since, until=now, latest=now)


def pending_since(retry_period: timedelta, transcripts_bookmark: datetime | None, now: datetime) -> datetime:
    """Return the effective time from which on calls without a transcript are pending.

    Args:
        retry_period: The setting `transcript_retry_period`.
        transcripts_bookmark: Bookmark of `transcripts`. Transcripts of later calls were never requested. None if
            no transcript was requested yet: all calls without one are pending.
        now: When the run started.
    """
    if transcripts_bookmark is None:
        return datetime.min.replace(tzinfo=UTC)
    return min(now - retry_period, transcripts_bookmark)


def parse_wait(wait: str) -> timedelta:
    """Return how long a command waits for another process. A number without a unit counts seconds.

    Raises:
        UsageError: If it is not a duration.
    """
    if _SECONDS.fullmatch(wait.strip()):
        return timedelta(seconds=int(wait))
    try:
        return parse_duration(wait)
    except ConfigurationError:
        raise UsageError(f"invalid --wait {wait!r}: use seconds or a duration (30s, 5m), or 0 not to wait") from None


def parse_deadline(deadline: str | None, now: datetime) -> datetime | None:
    """Return the time after which a run sends no request; None without a deadline.

    Args:
        deadline: A duration such as `30m` or `2h`, or a date-time.
        now: When the run started.

    Raises:
        UsageError: If it is neither a duration nor a date-time, or has passed.
    """
    if deadline is None:
        return None
    try:
        resolved = (
            now + parse_duration(deadline)
            if deadline[:1].isdecimal() and "-" not in deadline
            else parse_datetime_setting(deadline, "--deadline")
        )
    except (ConfigurationError, OverflowError):
        raise UsageError(
            f"invalid --deadline {deadline!r}: use a duration (30m, 2h) or a date-time (2026-01-31T06:00:00Z)"
        ) from None
    if resolved <= now:
        raise UsageError(f"--deadline {deadline!r} has passed ({resolved}): choose a later time")
    return resolved


def check_port(port: int) -> None:
    """Refuse a port that does not exist.

    Raises:
        UsageError: If it does not exist.
    """
    if not 0 < port <= _MAX_PORT:
        raise UsageError(f"--port {port} is invalid: use a port between 1 and {_MAX_PORT}")
