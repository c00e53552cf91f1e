"""What is asked of Gong on demand, checked before anything is sent: a period, ids, how much of each call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, get_args

from sources.gong import DEFAULT_START, ConfigurationError, parse_datetime_setting, truncate_to_millisecond
from sources.gong.api.endpoint import PAGE_SIZE
from sources.gong.calls.request import CallDetail, CallRequest, Context, ContextTiming
from sources.gong.datetimes import format_datetime
from sources.gong.tables.records import is_valid_id

from ..runtime.connection import UsageError

When = str | date | datetime


@dataclass(frozen=True, slots=True)
class CallQuery:
    """Which calls are asked for.

    Attributes:
        since: Begin of the period, part of it; None where Gong is not told.
        until: Its end, not part of it; None likewise.
        workspace_id: Only calls of this workspace.
        primary_user_ids: Only calls of these hosts; None for all.
        call_ids: Only these calls; None for all.
    """

    since: datetime | None
    until: datetime | None
    workspace_id: str | None = None
    primary_user_ids: Sequence[str] | None = None
    call_ids: Sequence[str] | None = None

    def filters(self) -> Iterator[dict[str, Any]]:
        """Gong's `filter` of each request that has to be sent: one, or one for every hundred ids."""
        if self.primary_user_ids == [] or (self.since is not None and self.since == self.until):
            # Gong calls an empty period and an empty list errors.
            return
        whole: dict[str, Any] = self.range()
        if self.primary_user_ids is not None:
            whole["primaryUserIds"] = list(self.primary_user_ids)
        if self.call_ids is None:
            yield whole
            return
        for first in range(0, len(self.call_ids), PAGE_SIZE):
            yield {**whole, "callIds": list(self.call_ids[first : first + PAGE_SIZE])}

    def range(self) -> dict[str, str]:
        """Period and workspace, as GET /v2/calls takes them in its query."""
        bounds = {"fromDateTime": self.since, "toDateTime": self.until}
        told = {name: format_datetime(at) for name, at in bounds.items() if at is not None}
        return told | ({"workspaceId": self.workspace_id} if self.workspace_id else {})


def asking(
    since: When | None,
    until: When | None,
    primary_user_ids: Iterable[str] | None = None,
    call_ids: Iterable[str] | None = None,
) -> Callable[..., CallQuery]:
    """What a user says about which calls, made definite by the settings that the function returned takes.

    Args:
        since: Begin of the period; without it the setting `start_date`, else 365 days ago.
        until: Its end; without it now. Calls that are asked for by id have no bound but those given.
        primary_user_ids: Only calls of these hosts; an empty list asks for nothing.
        call_ids: Only these calls, likewise; one that comes twice counts once.

    Raises:
        UsageError: An id is none; the function returned raises it where the period ends before it begins.
        ConfigurationError: A word is not a date.
    """
    begin = None if since is None else parse_datetime_setting(since, "since")
    end = None if until is None else parse_datetime_setting(until, "until")
    hosts = None if primary_user_ids is None else checked_ids(primary_user_ids, "primary_user_ids")
    ids = None if call_ids is None else checked_ids(call_ids, "call_ids")

    def asked(start_date: str | None = None, workspace_id: str | None = None) -> CallQuery:
        now = truncate_to_millisecond(datetime.now(UTC))
        first, last = begin, end
        if ids is None:
            first = first or (parse_datetime_setting(start_date, "start_date") if start_date else now - DEFAULT_START)
            last = last or now
        if first is not None and last is not None and first > last:
            raise UsageError(f"the period would begin {first} and end {last}: check since and until")
        return CallQuery(first, last, checked_id(workspace_id, "workspace_id") if workspace_id else None, hosts, ids)

    return asked


def checked_ids(ids: Iterable[str], name: str) -> list[str]:
    """The ids, each once.

    Raises:
        UsageError: One of them is no id of Gong's, which would refuse all of them.
    """
    return list(dict.fromkeys(checked_id(one, name) for one in ids))


def checked_id(one: str, name: str) -> str:
    """The id.

    Raises:
        UsageError: It is no id of Gong's.
    """
    if not isinstance(one, str) or not one.isascii() or not is_valid_id(one):
        raise UsageError(f"{name}: {one!r} is no id of Gong's, which are numbers of up to 19 digits")
    return one


def call_request(
    *,
    context: str = "Extended",
    context_timing: list[str] | None = None,
    include_parties: bool = True,
    include_content: bool = True,
    include_interaction: bool = True,
    include_public_comments: bool = True,
    include_media: bool = False,
) -> CallRequest:
    """How much of each call, from the settings of the same names.

    Raises:
        ConfigurationError: A word is unknown.
    """
    return CallRequest(
        context=one_of(context, Context, "context"),
        context_timing=[
            one_of(timing, ContextTiming, "context_timing") for timing in context_timing or get_args(ContextTiming)
        ],
        include_parties=include_parties,
        include_content=include_content,
        include_interaction=include_interaction,
        include_public_comments=include_public_comments,
        include_media=include_media,
    )


def detail_of_calls(call_detail: str = "extensive") -> CallDetail:
    """Which of Gong's two lists of calls the credential may use, from the setting `call_detail`.

    Raises:
        ConfigurationError: The word is unknown.
    """
    detail: CallDetail = one_of(call_detail, CallDetail, "call_detail")
    return detail


def one_of(value: str, allowed: Any, name: str) -> Any:
    """The value of a setting that takes certain words only.

    Args:
        value: As the user wrote it.
        allowed: The type that lists the words, a `Literal`.
        name: The setting.

    Raises:
        ConfigurationError: It is none of them.
    """
    if value not in (words := get_args(allowed)):
        raise ConfigurationError(f"{name} {value!r} is unknown: it is one of {', '.join(words)}")
    return value
