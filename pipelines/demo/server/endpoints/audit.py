"""Audit area: audit logs and the access to calls that was given through the API."""

from datetime import datetime
from typing import Any

from pipelines.demo.server.messages.cursors import hash_request
from pipelines.demo.server.messages.pagination import paginate_rows
from pipelines.demo.server.messages.request import GongRequest, validate_ids
from pipelines.demo.server.messages.request_body import StrictBody
from pipelines.demo.server.messages.response import GongError, GongResponse

Json = dict[str, Any]

_LOG_TYPES = ("AccessLog", "UserActivityLog", "UserCallPlay", "ExternallySharedCallAccess", "ExternallySharedCallPlay")
_NO_LOGS = "No log records found corresponding to the provided filters"


class CallAccessFilter(StrictBody, frozen=True):
    """`filter` of POST /v2/calls/users-access."""

    call_ids: list[str] | None = None


class CallAccessBody(StrictBody, frozen=True):
    """Body of POST /v2/calls/users-access."""

    filter: CallAccessFilter | None = None


def list_logs(request: GongRequest) -> GongResponse:
    """Handle GET /v2/logs."""
    log_type = request.query.get("logType")
    since = request.parse_datetime_parameter("fromDateTime")
    until = request.parse_datetime_parameter("toDateTime")
    if log_type not in _LOG_TYPES:
        raise GongError(400, "logType: must be one of the supported types")
    if since is None:
        raise GongError(400, "fromDateTime: must not be null")
    rows = [
        entry
        for entry in request.company.settings.logs.get(log_type, [])
        if since <= (time := datetime.fromisoformat(entry["eventTime"])) and (until is None or time < until)
    ]
    digest = hash_request(request.path, log_type, since, until)
    cursor = request.query.get("cursor")
    return paginate_rows(request, rows, cursor, digest, array="logEntries", empty_error=_NO_LOGS)


def list_call_access(request: GongRequest) -> GongResponse:
    """Handle POST /v2/calls/users-access; every fifth call has access given through the API."""
    body: CallAccessBody = request.body
    call_ids = body.filter.call_ids if body.filter else None
    if call_ids is None:
        raise GongError(400, "filter.callIds: must not be null")
    validate_ids("filter.callIds", call_ids)
    if any(request.calls.find(call_id) is None for call_id in call_ids):
        raise GongError(400, "Some calls not found")
    rows = [
        {"callId": call_id, "users": _list_users_with_access(request, call_id)}
        for call_id in call_ids
        if int(call_id) % 5 == 0
    ]
    return GongResponse({"callAccessList": rows})


def _list_users_with_access(request: GongRequest, call_id: str) -> list[Json]:
    if call_id in request.settings.revoked_access_call_ids:
        return []
    return [{"userId": user["id"]} for user in request.company.users[:2]]
