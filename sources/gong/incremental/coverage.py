"""Coverage: from which time on, and through which filters, the calls before a bookmark were read. Pure.

A bookmark alone states where a read ended. If the start moves back or a filter is widened, calls before the bookmark
are missing, and no lookback would find them.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from ..settings import GongSettings
from .windows import Window

_COVERAGE, _BACKFILL = "coverage", "backfill"
"""Keys of dlt's state: what is covered, and how far an unfinished backfill has come."""

_PRIVATE_CALLS = ("exclude", "metadata", "include")
"""Values of `private_calls`, from the least to the most that is loaded."""

_MOVING_START_TOLERANCE = timedelta(days=1)
"""The default start is relative to now, and clocks of several machines differ a little."""


@dataclass(frozen=True, slots=True)
class Filters:
    """The settings that decide which calls are read. A list is sorted; None lets all calls through."""

    workspace_id: str | None = None
    primary_user_ids: tuple[str, ...] | None = None
    call_ids: tuple[str, ...] | None = None
    private_calls: str = "exclude"

    @classmethod
    def from_settings(cls, settings: GongSettings) -> Self:
        """Return the filters of a connection."""
        return cls(
            workspace_id=settings.workspace_id or None,
            primary_user_ids=tuple(sorted(settings.primary_user_ids)) if settings.primary_user_ids else None,
            call_ids=tuple(sorted(settings.call_ids)) if settings.call_ids else None,
            private_calls=settings.private_calls,
        )

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Return the filters that `to_state` wrote."""
        users, calls = state.get("primary_user_ids"), state.get("call_ids")
        return cls(
            workspace_id=state.get("workspace_id"),
            primary_user_ids=None if users is None else tuple(users),
            call_ids=None if calls is None else tuple(calls),
            private_calls=state.get("private_calls", "exclude"),
        )

    def to_state(self) -> dict[str, Any]:
        """Return the filters as JSON for dlt's state; filters that are not set are left out."""
        state: dict[str, Any] = {"private_calls": self.private_calls}
        if self.workspace_id is not None:
            state["workspace_id"] = self.workspace_id
        if self.primary_user_ids is not None:
            state["primary_user_ids"] = list(self.primary_user_ids)
        if self.call_ids is not None:
            state["call_ids"] = list(self.call_ids)
        return state

    def narrower_than(self, other: Filters) -> list[str]:
        """Return the settings that hold back calls which the other filters let through."""
        ids = {
            "workspace_id": (_as_set(self.workspace_id), _as_set(other.workspace_id)),
            "primary_user_ids": (self.primary_user_ids, other.primary_user_ids),
            "call_ids": (self.call_ids, other.call_ids),
        }
        narrower = [
            name for name, (allowed, before) in ids.items() if allowed is not None and not _is_subset(before, allowed)
        ]
        if _PRIVATE_CALLS.index(self.private_calls) < _PRIVATE_CALLS.index(other.private_calls):
            narrower.append("private_calls")
        return narrower


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a bookmark stands for, or what the settings ask for (the target).

    Attributes:
        since: Calls from this effective time to the bookmark were read. Of a target: where a first read begins.
        filters: Through which filters.
        is_default_start: Of a target: whether `since` is relative to now, because `start_date` is not set.
        start: Of a bookmark: the target's `since` when it was last reached. It is earlier than `since` after a first
            run with `--since`, which a default start does not extend.
    """

    since: datetime
    filters: Filters = Filters()
    is_default_start: bool = False
    start: datetime | None = None

    @classmethod
    def from_settings(cls, settings: GongSettings, now: datetime) -> Self:
        """Return what the settings ask for.

        Raises:
            ConfigurationError: If `start_date` is not a date or date-time.
        """
        return cls(settings.first_read(now), Filters.from_settings(settings), is_default_start=not settings.start_date)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self | None:
        """Return the coverage of a resource's bookmark; None if the state has none, as before 0.1.0."""
        if (stored := state.get(_COVERAGE)) is None:
            return None
        since, start = (datetime.fromisoformat(stored[key]) for key in ("since", "start"))
        return cls(since, Filters.from_state(stored), start=start)


def missing_window(state: Mapping[str, Any], target: Coverage, bookmark: datetime | None) -> Window | None:
    """Return the window before the bookmark that an earlier start or a wider filter requires; None without either.

    Args:
        state: dlt's state of the resource.
        target: What the settings ask for.
        bookmark: The time up to which the resource is complete; None before its first load.
    """
    covered = Coverage.from_state(state)
    if bookmark is None or covered is None:
        return None
    if covered.filters.narrower_than(target.filters):
        since, until = target.since, bookmark
    else:
        if target.is_default_start and covered.start is not None:
            is_covered = covered.start - target.since <= _MOVING_START_TOLERANCE
        else:
            is_covered = covered.since <= target.since
        if is_covered:
            return None
        since, until = target.since, covered.since
        backfill = _read_backfill(state)
        if backfill is not None and backfill.since <= target.since:
            since = max(since, backfill.until)
    return Window(since, until) if since < until else None


def describe_narrowing(state: Mapping[str, Any], target: Coverage) -> str | None:
    """Return one line if the settings ask for less than was loaded; None otherwise."""
    covered = Coverage.from_state(state)
    if covered is None:
        return None
    # Private calls are removed, not left as they are.
    names = [name for name in target.filters.narrower_than(covered.filters) if name != "private_calls"]
    lines = []
    if names:
        lines.append(
            f"{', '.join(names)} let fewer calls through than before: the others stay in the warehouse and are not"
            " updated any more"
        )
    if not target.is_default_start and target.since > covered.since:
        lines.append(
            f"start_date is now {target.since:%Y-%m-%d}, before it was {covered.since:%Y-%m-%d}: earlier calls stay in"
            " the warehouse and are no longer updated"
        )
    return "; ".join(lines) or None


def save_coverage(
    state: MutableMapping[str, Any],
    target: Coverage,
    read: Window,
    *,
    previous_bookmark: datetime | None,
) -> None:
    """Write into a resource's state what its bookmark covers after a read.

    Args:
        state: dlt's state of the resource.
        target: What the settings ask for.
        read: The effective time that is complete: from the start of the first window to where the reading came.
        previous_bookmark: The bookmark when the run began.
    """
    covered = Coverage.from_state(state)
    if covered is None:
        # A warehouse of an earlier version does not say what it covers: its settings are taken to be unchanged.
        since = read.since if previous_bookmark is None else min(read.since, target.since)
        if not target.is_default_start:
            since = max(since, target.since)
        _write_coverage(state, since, target.filters, start=target.since)
    elif covered.filters.narrower_than(target.filters):
        # The bookmark moves on with the present filters: from here on, it stands for these alone.
        # What lies before `start_date` is not missing, see `advance_bookmark`.
        is_past_start = not target.is_default_start and read.since <= target.since
        if previous_bookmark is None or (
            previous_bookmark <= read.until and (read.since <= previous_bookmark or is_past_start)
        ):
            _write_coverage(state, read.since, target.filters, start=read.since)
    else:
        since, parts = covered.since, sorted(filter(None, (read, _read_backfill(state))))
        for part in reversed(parts):
            if part.until >= since:
                since = min(since, part.since)
        unfinished = [part for part in parts if part.since < since]
        if not target.is_default_start:
            since = max(since, target.since)
        start = target.since if since <= target.since or covered.start is None else covered.start
        _write_coverage(state, since, target.filters, start=start)
        if unfinished:
            _write_backfill(state, unfinished)


def _write_coverage(state: MutableMapping[str, Any], since: datetime, filters: Filters, *, start: datetime) -> None:
    state[_COVERAGE] = {"since": since.isoformat(), "start": start.isoformat(), **filters.to_state()}
    state.pop(_BACKFILL, None)


def _write_backfill(state: MutableMapping[str, Any], parts: Sequence[Window]) -> None:
    """Write the earliest part, with the part that adjoins it; a later part that does not is read again."""
    first, until = parts[0], parts[0].until
    for part in parts[1:]:
        if part.since <= until:
            until = max(until, part.until)
    state[_BACKFILL] = {"since": first.since.isoformat(), "until": until.isoformat()}


def _read_backfill(state: Mapping[str, Any]) -> Window | None:
    if (stored := state.get(_BACKFILL)) is None:
        return None
    return Window(datetime.fromisoformat(stored["since"]), datetime.fromisoformat(stored["until"]))


def _as_set(value: str | None) -> tuple[str, ...] | None:
    return None if value is None else (value,)


def _is_subset(items: tuple[str, ...] | None, others: tuple[str, ...]) -> bool:
    return items is not None and set(items) <= set(others)
