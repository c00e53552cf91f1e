"""Coaching: what managers and their reports do with feedback, per calendar month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from ..api.endpoint import Endpoint
from ..datetimes import format_datetime
from ..extract.concurrency import gather_or_cancel
from ..extract.context import ExtractContext
from ..extract.pages import read_records
from ..extract.probe import Probe, SampleIds, query_probe
from ..incremental.date_slices import DateSlice, RecordsByDate
from ..tables.column_types import BIGINT, DATE, JSON, TEXT
from ..tables.records import (
    ConnectorValues,
    InvalidRecordError,
    Record,
    id_text,
    is_valid_id,
    object_list_field,
    record_id,
)
from ..tables.table import TOMBSTONE, Column, Table, WriteStrategy
from .account import read_users, read_workspace_ids
from .date_sliced import DateSlicedResource


def metric_rows(coaching: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    """Yield one row per report of a manager and metric."""
    manager_id = record_id(coaching.get("manager"))
    for report in object_list_field(coaching, "directReportsMetrics"):
        metrics = report.get("metrics")
        if not isinstance(metrics, Mapping | None):
            raise InvalidRecordError("metrics is not an object")
        for name, values in (metrics or {}).items():
            row = {
                "from_date": coaching["fromDate"],
                "to_date": coaching["toDate"],
                "workspace_id": coaching["workspaceId"],
                "manager_id": manager_id,
                "report_id": record_id(report.get("report")),
                "metric": name,
                "values": values,
                "value_count": len(values) if isinstance(values, list) else None,
            }
            yield row, {}


COACHING_TABLE = Table(
    name="coaching_metrics",
    description="coaching of each manager's reports, per calendar month",
    key=("from_date", "workspace_id", "manager_id", "report_id", "metric"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    rows=metric_rows,
    columns=(
        Column("from_date", DATE),
        Column("to_date", DATE),
        Column("workspace_id", TEXT),
        Column("manager_id", TEXT),
        Column("report_id", TEXT),
        Column("metric", TEXT),
        Column("values", JSON),
        Column("value_count", BIGINT),
        TOMBSTONE,
    ),
)


async def manager_ids(context: ExtractContext) -> list[str]:
    """Return the ids of all users who manage someone, sorted."""
    users = await read_users(context)
    ids = {id_text(user.get("managerId")) for user in users if isinstance(user, Mapping)}
    return sorted(filter(is_valid_id, ids))


async def read_coaching(context: ExtractContext, date_slice: DateSlice) -> RecordsByDate:
    """Return the coaching metrics of each manager and workspace, up to the beginning of today."""
    today = datetime.combine(date_slice.now.date(), time(), UTC)
    since, until = datetime.combine(date_slice.since, time(), UTC), datetime.combine(date_slice.until, time(), UTC)
    if since >= today:
        return {}
    bounds = {"from": format_datetime(since), "to": format_datetime(min(until, today))}

    async def read_manager(workspace_id: str, manager_id: str) -> list[Any]:
        query = {"workspace-id": workspace_id, "manager-id": manager_id, **bounds}
        added = {"workspaceId": workspace_id, "fromDate": date_slice.since, "toDate": date_slice.until}
        records = await read_records(context.client, COACHING_METRICS.endpoint, query)
        return [{**record, **added} if isinstance(record, Mapping) else record for record in records]

    managers = await manager_ids(context)
    pairs = [
        (workspace_id, manager_id) for workspace_id in await read_workspace_ids(context) for manager_id in managers
    ]
    lists = await gather_or_cancel(read_manager(*pair) for pair in pairs)
    return {date_slice.since: [record for records in lists for record in records]}


async def estimate_coaching_requests(context: ExtractContext) -> int:
    """Return one request per manager and workspace."""
    return len(await manager_ids(context)) * len(await read_workspace_ids(context))


def coaching_probe(endpoint: Endpoint, samples: SampleIds) -> Probe:
    """Return the probe for one manager and the last day."""
    now = samples.window.until
    query = {
        "workspace-id": samples.workspace_id,
        "manager-id": samples.manager_id,
        "from": format_datetime(now - timedelta(days=1)),
        "to": format_datetime(now),
    }
    return query_probe(endpoint, query, missing="a workspace and a manager")


COACHING_METRICS = DateSlicedResource(
    name="coaching_metrics",
    endpoint=Endpoint(
        "GET",
        "/v2/coaching",
        records="coachingData",
        scope="api:coaching:read",
        id_field="",
        bound="date-time",
        description="coaching of each manager's reports",
        note="one request per manager, workspace and month",
    ),
    tables=(COACHING_TABLE,),
    read=read_coaching,
    days_per_request=31,
    calendar_months=True,
    estimate_requests=estimate_coaching_requests,
    probe_builder=coaching_probe,
)
