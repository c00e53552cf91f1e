"""Audit: Gong's logs, and the users who were given access to a call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from http import HTTPStatus
from typing import Any

from ..api.endpoint import PAGE_SIZE, Endpoint
from ..api.retry import restart_on_expired_cursor
from ..calls.endpoints import CALLS
from ..datetimes import format_datetime, parse_gong_datetime
from ..errors import RequestError
from ..extract.concurrency import gather_or_cancel
from ..extract.context import ExtractContext
from ..extract.estimates import constant
from ..extract.pages import read_records
from ..extract.probe import Probe, SampleIds
from ..incremental.date_slices import DateSlice, RecordsByDate
from ..tables.column_types import JSON, TEXT, TIMESTAMP
from ..tables.pseudonyms import PersonalFields
from ..tables.records import (
    ConnectorValues,
    Record,
    canonical_json,
    hash_bytes,
    id_text,
    is_valid_id,
    object_list_field,
    record_id,
)
from ..tables.table import TOMBSTONE, Column, Table, WriteStrategy
from .date_sliced import DateSlicedResource

LOG_TYPES = ("AccessLog", "UserActivityLog", "UserCallPlay", "ExternallySharedCallAccess", "ExternallySharedCallPlay")
"""Each type is a list of its own (Gong's OpenAPI document, GET /v2/logs)."""


def log_rows(entry: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    """Yield a log entry as one row."""
    fields = {name: value for name, value in entry.items() if name not in ("id", "logType")}
    yield {"id": entry["id"], "log_type": entry["logType"]}, fields


AUDIT_LOGS_TABLE = Table(
    name="audit_logs",
    description="entries of all five logs, with their `log_type`; id is a hash of the entry",
    key=("id",),
    write_strategy=WriteStrategy.UPSERT,
    rows=log_rows,
    columns=(
        Column("id", TEXT),
        Column("log_type", TEXT),
        Column("event_time", TIMESTAMP, field="eventTime"),
        Column("user_id", TEXT, field="userId"),
        Column("user_email_address", TEXT, field="userEmailAddress", pii="email"),
        Column("user_full_name", TEXT, field="userFullName", pii="name"),
        Column("impersonator_user_id", TEXT, field="impersonatorUserId"),
        Column("impersonator_email_address", TEXT, field="impersonatorEmailAddress", pii="email"),
        Column("impersonator_full_name", TEXT, field="impersonatorFullName", pii="name"),
        Column("impersonator_company_id", TEXT, field="impersonatorCompanyId"),
        Column("log_record", JSON, field="logRecord"),
    ),
)


async def read_audit_logs(context: ExtractContext, date_slice: DateSlice) -> RecordsByDate:
    """Return the entries of all logs by day, each with its `logType` and an `id`."""
    since = datetime.combine(date_slice.since, time(), UTC)
    until = min(datetime.combine(date_slice.until, time(), UTC), date_slice.now)
    by_date: RecordsByDate = {day: [] for day in date_slice.dates()}
    if since >= until:
        return by_date

    async def read_log(log_type: str) -> None:
        query = {"logType": log_type, "fromDateTime": format_datetime(since), "toDateTime": format_datetime(until)}
        counts: Counter[bytes] = Counter()
        # Entries have no ids, so a log whose cursor expires is read again from page one.
        entries = await restart_on_expired_cursor(lambda: read_records(context.client, AUDIT_LOGS.endpoint, query))
        for entry in entries:
            if not isinstance(entry, Mapping):
                by_date[date_slice.since].append(entry)
                continue
            content = canonical_json([log_type, entry])
            # Entries have no id, and two events at the same time can have the same content.
            counts[content] += 1
            entry_id = hash_bytes(content + str(counts[content]).encode())
            event_time = parse_gong_datetime(entry.get("eventTime"))
            day = event_time.date() if event_time else date_slice.since
            by_date.setdefault(day, []).append({**entry, "id": entry_id, "logType": log_type})

    await gather_or_cancel(read_log(log_type) for log_type in LOG_TYPES)
    return by_date


def audit_logs_probe(endpoint: Endpoint, samples: SampleIds) -> Probe:
    """Return the probe for one log and the last day."""
    now = samples.window.until
    bounds = {"fromDateTime": format_datetime(now - timedelta(days=1)), "toDateTime": format_datetime(now)}
    return Probe(endpoint, query={"logType": LOG_TYPES[0], **bounds})


AUDIT_LOGS = DateSlicedResource(
    name="audit_logs",
    endpoint=Endpoint(
        "GET",
        "/v2/logs",
        records="logEntries",
        scope="api:logs:read",
        paged=True,
        id_field="",
        bound="date-time",
        empty_text_known=False,
        description="who signed in, acted, played and shared",
        note="all five logs",
    ),
    tables=(AUDIT_LOGS_TABLE,),
    read=read_audit_logs,
    days_per_request=30,
    id_field="id",
    estimate_requests=constant(len(LOG_TYPES)),
    probe_builder=audit_logs_probe,
    personal_fields=PersonalFields(AUDIT_LOGS_TABLE, is_person=True),
)


def access_rows(call: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    """Yield one row per user with access to a call."""
    for user in object_list_field(call, "users"):
        yield {"call_id": id_text(call["callId"])}, user


CALL_ACCESS_TABLE = Table(
    name="call_access",
    description="users who were given access to a call through the API",
    key=("call_id", "user_id"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    rows=access_rows,
    columns=(
        Column("call_id", TEXT),
        Column("user_id", TEXT, field="userId"),
        TOMBSTONE,
    ),
)


async def read_call_access(context: ExtractContext, date_slice: DateSlice) -> RecordsByDate:
    """Return one record per call of a slice: `callId`, and the users with access under `users`."""
    since, until = datetime.combine(date_slice.since, time(), UTC), datetime.combine(date_slice.until, time(), UTC)
    query = {"fromDateTime": format_datetime(since), "toDateTime": format_datetime(until)}
    if context.settings.workspace_id:
        query["workspaceId"] = context.settings.workspace_id
    includes_private = context.settings.private_calls == "include"
    call_ids = [
        record_id(call)
        for call in await read_records(context.client, CALLS, query)
        if is_valid_id(record_id(call)) and (includes_private or call.get("isPrivate") in (False, None))
    ]
    lists = await gather_or_cancel(
        _read_access(context, call_ids[first : first + PAGE_SIZE]) for first in range(0, len(call_ids), PAGE_SIZE)
    )
    by_call = {record_id(record, CALL_ACCESS.endpoint.id_field): record for records in lists for record in records}
    # Gong omits calls to which no user was given access; rows of an earlier run must be deleted.
    return {date_slice.since: [by_call.get(call_id, {"callId": call_id, "users": []}) for call_id in call_ids]}


async def _read_access(context: ExtractContext, call_ids: list[str]) -> list[Any]:
    """Return the access lists of calls. One unknown id fails the whole request, so it is bisected."""
    try:
        return await read_records(context.client, CALL_ACCESS.endpoint, body={"filter": {"callIds": call_ids}})
    except RequestError as failure:
        if failure.status != HTTPStatus.BAD_REQUEST:
            raise
        if len(call_ids) == 1:
            return []
        half = len(call_ids) // 2
        return [*await _read_access(context, call_ids[:half]), *await _read_access(context, call_ids[half:])]


def call_access_probe(endpoint: Endpoint, samples: SampleIds) -> Probe:
    """Return the probe for one call."""
    body = {"filter": {"callIds": [samples.call_id]}}
    return Probe(endpoint, body=body, missing="" if samples.call_id else "a call")


CALL_ACCESS = DateSlicedResource(
    name="call_access",
    endpoint=Endpoint(
        "POST",
        "/v2/calls/users-access",
        records="callAccessList",
        scope="api:call-user-access:read",
        id_field="callId",
        description="users who were given access to a call through the API",
    ),
    tables=(CALL_ACCESS_TABLE,),
    read=read_call_access,
    days_per_request=1,
    estimate_requests=constant(2),
    probe_builder=call_access_probe,
    personal_fields=PersonalFields(lists={"users": PersonalFields(CALL_ACCESS_TABLE)}),
)
