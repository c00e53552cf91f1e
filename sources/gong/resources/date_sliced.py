"""Resources that are read day by day: answered scorecards, statistics, logs, coaching, who may see a call."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec

from ..api.endpoint import (
    ANSWERED_SCORECARDS,
    CALL_ACCESS,
    CALLS,
    COACHING,
    DAILY_ACTIVITY,
    INTERACTION_STATS,
    LOGS,
    PAGE_SIZE,
)
from ..datetimes import format_datetime, parse_gong_datetime
from ..errors import CursorExpiredError, RequestError
from ..extract.concurrency import gather_or_cancel
from ..extract.context import ExtractContext
from ..extract.estimates import ONE_REQUEST, constant
from ..extract.pages import read_records
from ..incremental.date_slices import DateSlice, RecordsByDate, split_by_days, split_by_months
from ..incremental.windows import Window
from ..tables.record_mapper import RecordMapper, identity_row
from ..tables.records import InvalidRecordError, hash_bytes, id_text, is_valid_id, object_list_field, record_id
from ..tables.table_builder import Record
from .account import read_users, read_workspace_ids
from .company_tables import (
    ACTIVITIES,
    ANSWERED_SCORECARD_ANSWERS_TABLE,
    ANSWERED_SCORECARDS_TABLE,
    AUDIT_LOGS_TABLE,
    CALL_ACCESS_TABLE,
    COACHING_TABLE,
    INTERACTION_STATS_TABLE,
    USER_ACTIVITY_TABLE,
)


@dataclass(frozen=True, slots=True)
class DateSlicedResource:
    """A resource that is read day by day.

    Attributes:
        record_mapper: How its records become rows.
        read: Gives the records of a stretch.
        days_per_request: How many days are asked for at once.
        estimate_requests: The least number of requests that a stretch takes.
        complete_days_only: Whether only days that are over everywhere can be asked for.
        monthly: Whether what is asked for are calendar months, kept under their first day.
        opt_in: Whether it is read only when it is selected by name.
    """

    record_mapper: RecordMapper
    read: Callable[[ExtractContext, DateSlice], Awaitable[RecordsByDate]]
    days_per_request: int
    estimate_requests: Callable[[ExtractContext], Awaitable[int]] = ONE_REQUEST
    complete_days_only: bool = False
    monthly: bool = False
    opt_in: bool = True

    @property
    def name(self) -> str:
        """The dlt resource."""
        return self.record_mapper.resource

    def slices(self, window: Window, now: datetime) -> Iterator[DateSlice]:
        """Yield the days of a window in the slices that are requested."""
        if self.monthly:
            return split_by_months(window, now)
        return split_by_days(
            window, now, days_per_request=self.days_per_request, complete_days_only=self.complete_days_only
        )


LOG_TYPES = ("AccessLog", "UserActivityLog", "UserCallPlay", "ExternallySharedCallAccess", "ExternallySharedCallPlay")
"""Each is a list of its own (Gong's OpenAPI document, GET /v2/logs)."""


async def _answered_scorecards(context: ExtractContext, date_slice: DateSlice) -> RecordsByDate:
    wanted = {
        "reviewFromDate": date_slice.since.isoformat(),
        # Without it Gong leaves out what was reviewed automatically.
        "reviewMethod": "BOTH",
    }
    if not date_slice.is_open_ended:
        wanted["reviewToDate"] = date_slice.until.isoformat()
    by_day: RecordsByDate = defaultdict(list)
    for record in await read_records(context.client, ANSWERED_SCORECARDS, body={"filter": wanted}):
        by_day[_day_of(record, "reviewTime", date_slice)].append(record)
    return by_day


async def _daily_activity(context: ExtractContext, date_slice: DateSlice) -> RecordsByDate:
    by_day: RecordsByDate = {day: [] for day in date_slice.dates()}
    wanted = {"fromDate": date_slice.since.isoformat(), "toDate": date_slice.until.isoformat()}
    for user in await read_records(context.client, DAILY_ACTIVITY, body={"filter": wanted}):
        try:
            days = object_list_field(user, "userDailyActivityStats")
        except (InvalidRecordError, AttributeError):
            # It fits no table, and is set aside when rows are made.
            by_day[date_slice.since].append(user)
            continue
        about = {name: value for name, value in user.items() if name != "userDailyActivityStats"}
        for of_day in days:
            if any(of_day.get(activity) for activity in ACTIVITIES):
                by_day.setdefault(_day_of(of_day, "fromDate", date_slice), []).append({**about, **of_day})
    return by_day


async def _requests_per_manager(context: ExtractContext) -> int:
    return len(await _managers(context)) * len(await read_workspace_ids(context))


async def _interaction_stats(context: ExtractContext, date_slice: DateSlice) -> RecordsByDate:
    wanted = {"fromDate": date_slice.since.isoformat(), "toDate": date_slice.until.isoformat()}
    users = await read_records(context.client, INTERACTION_STATS, body={"filter": wanted})
    return {date_slice.since: [{**user, **wanted} if isinstance(user, Mapping) else user for user in users]}


async def _audit_logs(context: ExtractContext, date_slice: DateSlice) -> RecordsByDate:
    begin = datetime.combine(date_slice.since, time(), UTC)
    end = min(datetime.combine(date_slice.until, time(), UTC), date_slice.now)
    by_day: RecordsByDate = {day: [] for day in date_slice.dates()}
    if begin >= end:
        return by_day

    async def of_type(kind: str) -> None:
        query = {"logType": kind, "fromDateTime": format_datetime(begin), "toDateTime": format_datetime(end)}
        seen: Counter[bytes] = Counter()
        for entry in await _log_entries(context, query):
            if not isinstance(entry, Mapping):
                by_day[date_slice.since].append(entry)
                continue
            content = msgspec.json.encode([kind, entry], order="sorted")
            # Entries have no id, and two things done in one instant can look the same.
            seen[content] += 1
            own = hash_bytes(content + str(seen[content]).encode())
            day = moment.date() if (moment := parse_gong_datetime(entry.get("eventTime"))) else date_slice.since
            by_day.setdefault(day, []).append({**entry, "id": own, "logType": kind})

    await gather_or_cancel(of_type(kind) for kind in LOG_TYPES)
    return by_day


async def _log_entries(context: ExtractContext, query: dict[str, str], *, tries: int = 3) -> list[Any]:
    """All entries; there are no ids among them, so a list whose cursor expires is read anew from its start."""
    try:
        return await read_records(context.client, LOGS, query)
    except CursorExpiredError:
        if tries == 1:
            raise
        return await _log_entries(context, query, tries=tries - 1)


async def _coaching(context: ExtractContext, date_slice: DateSlice) -> RecordsByDate:
    today = datetime.combine(date_slice.now.date(), time(), UTC)
    begin, end = datetime.combine(date_slice.since, time(), UTC), datetime.combine(date_slice.until, time(), UTC)
    if begin >= today:
        return {}
    span = {"from": format_datetime(begin), "to": format_datetime(min(end, today))}

    async def of_manager(workspace_id: str, manager_id: str) -> list[Any]:
        query = {"workspace-id": workspace_id, "manager-id": manager_id, **span}
        about = {"workspaceId": workspace_id, "fromDate": date_slice.since, "toDate": date_slice.until}
        listed = await read_records(context.client, COACHING, query)
        return [{**data, **about} if isinstance(data, Mapping) else data for data in listed]

    managers = await _managers(context)
    pairs = [(one, manager) for one in await read_workspace_ids(context) for manager in managers]
    found = await gather_or_cancel(of_manager(*pair) for pair in pairs)
    return {date_slice.since: [data for of_one in found for data in of_one]}


async def _managers(context: ExtractContext) -> list[str]:
    users = await read_users(context)
    ids = {id_text(user.get("managerId")) for user in users if isinstance(user, Mapping)}
    return sorted(filter(is_valid_id, ids))


async def _call_access(context: ExtractContext, date_slice: DateSlice) -> RecordsByDate:
    begin, end = datetime.combine(date_slice.since, time(), UTC), datetime.combine(date_slice.until, time(), UTC)
    query = {"fromDateTime": format_datetime(begin), "toDateTime": format_datetime(end)}
    if context.settings.workspace_id:
        query["workspaceId"] = context.settings.workspace_id
    includes_private = context.settings.private_calls == "include"
    ids = [
        record_id(call)
        for call in await read_records(context.client, CALLS, query)
        if is_valid_id(record_id(call)) and (includes_private or call.get("isPrivate") in (False, None))
    ]
    found = await gather_or_cancel(_access(context, ids[at : at + PAGE_SIZE]) for at in range(0, len(ids), PAGE_SIZE))
    of_call = {record_id(one, CALL_ACCESS.key): one for part in found for one in part}
    # Gong leaves out calls that nobody was given access to; their rows have to go all the same.
    return {date_slice.since: [of_call.get(own, {"callId": own, "users": []}) for own in ids]}


async def _access(context: ExtractContext, call_ids: list[str]) -> list[Any]:
    """The access lists of calls; one id that Gong does not find makes it refuse all, so they are halved."""
    try:
        return await read_records(context.client, CALL_ACCESS, body={"filter": {"callIds": call_ids}})
    except RequestError as refused:
        if refused.status != 400:
            raise
        if len(call_ids) == 1:
            return []
        half = len(call_ids) // 2
        return [*await _access(context, call_ids[:half]), *await _access(context, call_ids[half:])]


def _day_of(record: Any, field: str, date_slice: DateSlice) -> date:
    """The day that stands in a date or date-time, as Gong writes it: in the company's own zone."""
    try:
        return _day(record, field)
    except (InvalidRecordError, AttributeError):
        return date_slice.since


def _answers(answered: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    for position, answer in enumerate(object_list_field(answered, "answers")):
        yield (id_text(answered["answeredScorecardId"]), position), answer


def _activity(of_day: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    counts = []
    for activity in ACTIVITIES:
        calls = of_day.get(activity)
        if not isinstance(calls, list | None):
            raise InvalidRecordError(f"{activity} is not a list of call ids")
        counts.append(len(calls or ()))
    yield (_day(of_day, "fromDate"), _day(of_day, "toDate"), id_text(of_day["userId"]), *counts), of_day


def _statistics(user: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    for statistic in object_list_field(user, "personInteractionStats"):
        days = (_day(user, "fromDate"), _day(user, "toDate"))
        yield (*days, id_text(user["userId"]), user.get("userEmailAddress")), statistic


def _day(record: Record, field: str) -> date:
    try:
        return date.fromisoformat(str(record.get(field))[:10])
    except ValueError as failure:
        raise InvalidRecordError(f"{field} is no date") from failure


def _log_entry(entry: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    yield (entry["id"], entry["logType"]), {k: v for k, v in entry.items() if k not in ("id", "logType")}


def _metrics(data: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    manager = record_id(data.get("manager"))
    for of_report in object_list_field(data, "directReportsMetrics"):
        metrics = of_report.get("metrics")
        if not isinstance(metrics, Mapping | None):
            raise InvalidRecordError("metrics is not an object")
        for name, values in (metrics or {}).items():
            count = len(values) if isinstance(values, list) else None
            about = (data["fromDate"], data["toDate"], data["workspaceId"], manager, record_id(of_report.get("report")))
            yield (*about, name, values, count), {}


def _users_with_access(call: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    for user in object_list_field(call, "users"):
        yield (id_text(call["callId"]),), user


DATE_SLICED = (
    DateSlicedResource(
        RecordMapper(
            "answered_scorecards",
            ((ANSWERED_SCORECARDS_TABLE, identity_row), (ANSWERED_SCORECARD_ANSWERS_TABLE, _answers)),
            ANSWERED_SCORECARDS.key,
        ),
        _answered_scorecards,
        days_per_request=90,
        opt_in=False,
    ),
    DateSlicedResource(
        RecordMapper("user_activity_daily", ((USER_ACTIVITY_TABLE, _activity),), DAILY_ACTIVITY.key),
        _daily_activity,
        days_per_request=30,
        complete_days_only=True,
    ),
    DateSlicedResource(
        RecordMapper("user_interaction_stats", ((INTERACTION_STATS_TABLE, _statistics),), INTERACTION_STATS.key),
        _interaction_stats,
        days_per_request=1,
        complete_days_only=True,
    ),
    DateSlicedResource(
        RecordMapper("audit_logs", ((AUDIT_LOGS_TABLE, _log_entry),)),
        _audit_logs,
        days_per_request=30,
        estimate_requests=constant(len(LOG_TYPES)),
    ),
    DateSlicedResource(
        RecordMapper("coaching_metrics", ((COACHING_TABLE, _metrics),), COACHING.key),
        _coaching,
        days_per_request=31,
        estimate_requests=_requests_per_manager,
        monthly=True,
    ),
    DateSlicedResource(
        RecordMapper("call_access", ((CALL_ACCESS_TABLE, _users_with_access),), CALL_ACCESS.key),
        _call_access,
        days_per_request=1,
        estimate_requests=constant(2),
    ),
)
"""Read by date; those that are `opt_in` only where they are selected by name."""
