"""Validated parameters of an on-demand query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from dlt.common.utils import chunks

from sources.gong import GongSettings, parse_datetime_setting, truncate_to_millisecond
from sources.gong.api.endpoint import PAGE_SIZE
from sources.gong.datetimes import format_datetime
from sources.gong.tables.records import is_valid_id

from ..runtime.errors import UsageError

DateSetting = str | date | datetime
"""A date or date-time as a caller writes it."""


@dataclass(frozen=True, slots=True)
class CallQuery:
    """Selects calls.

    Attributes:
        since: Start of the period, inclusive; None for no limit.
        until: End of the period, exclusive; None for no limit.
        workspace_id: Only calls of this workspace; None for all.
        primary_user_ids: Only calls of these hosts; None for all.
        call_ids: Only these calls; None for all.
    """

    since: datetime | None
    until: datetime | None
    workspace_id: str | None = None
    primary_user_ids: Sequence[str] | None = None
    call_ids: Sequence[str] | None = None

    def filters(self) -> Iterator[dict[str, Any]]:
        """Yield the `filter` of each request: one, or one per 100 call ids; none if no call can match."""
        if self.primary_user_ids == [] or (self.since is not None and self.since == self.until):
            # Gong rejects an empty list and an empty period.
            return
        request_filter: dict[str, Any] = self.period_and_workspace()
        if self.primary_user_ids is not None:
            request_filter["primaryUserIds"] = list(self.primary_user_ids)
        if self.call_ids is None:
            yield request_filter
            return
        for call_ids in chunks(self.call_ids, PAGE_SIZE):
            yield {**request_filter, "callIds": list(call_ids)}

    def period_and_workspace(self) -> dict[str, str]:
        """Return period and workspace as query parameters of GET /v2/calls."""
        bounds = {"fromDateTime": self.since, "toDateTime": self.until}
        parameters = {name: format_datetime(bound) for name, bound in bounds.items() if bound is not None}
        return parameters | ({"workspaceId": self.workspace_id} if self.workspace_id else {})


def parse_call_query(
    since: DateSetting | None,
    until: DateSetting | None,
    settings: GongSettings,
    primary_user_ids: Iterable[str] | None = None,
    call_ids: Iterable[str] | None = None,
) -> CallQuery:
    """Return the query for a caller's arguments.

    Args:
        since: Start of the period; by default the setting `start_date`, else 365 days ago, or no limit with `call_ids`.
        until: End of the period, exclusive; by default now, or no limit with `call_ids`.
        settings: Settings of the connection.
        primary_user_ids: Only calls of these hosts; an empty list selects no calls.
        call_ids: Only these calls; an empty list selects no calls.

    Raises:
        UsageError: If an id is invalid, or the period ends before it starts.
        ConfigurationError: If a date is invalid.
    """
    start = None if since is None else parse_datetime_setting(since, "since")
    end = None if until is None else parse_datetime_setting(until, "until")
    host_ids = None if primary_user_ids is None else validate_ids(primary_user_ids, "primary_user_ids")
    ids = None if call_ids is None else validate_ids(call_ids, "call_ids")
    if ids is None:
        now = truncate_to_millisecond(datetime.now(UTC))
        start = start or settings.first_read(now)
        end = end or now
    if start is not None and end is not None and start > end:
        raise UsageError(f"the period is invalid: it starts at {start} and ends at {end}; check since and until")
    workspace_id = validate_id(settings.workspace_id, "workspace_id") if settings.workspace_id else None
    return CallQuery(start, end, workspace_id, host_ids, ids)


def validate_ids(ids: Iterable[str], name: str) -> list[str]:
    """Return the distinct ids in their order.

    Raises:
        UsageError: If an id is invalid. Gong would reject the whole request.
    """
    return list(dict.fromkeys(validate_id(value, name) for value in ids))


def validate_id(value: str, name: str) -> str:
    """Return the id.

    Raises:
        UsageError: If it is invalid.
    """
    if not isinstance(value, str) or not value.isascii() or not is_valid_id(value):
        raise UsageError(f"{name}: {value!r} is not a Gong id (expected digits, at most 19)")
    return value
