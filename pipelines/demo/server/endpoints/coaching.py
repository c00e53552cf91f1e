"""Coaching area: feedback that managers and their reports gave and received."""

from datetime import datetime
from typing import Any

from pipelines.demo.server.messages.request import GongRequest
from pipelines.demo.server.messages.response import GongError, GongResponse

Json = dict[str, Any]


def list_coaching_metrics(request: GongRequest) -> GongResponse:
    """Handle GET /v2/coaching: feedback per report of a manager; a user without reports has an empty list."""
    for name in ("workspace-id", "manager-id", "from", "to"):
        if name not in request.query:
            raise GongError(400, f"{name} parameter is missing")
    since, until = request.parse_datetime_parameter("from"), request.parse_datetime_parameter("to")
    if since is None or until is None or since >= until:
        raise GongError(400, "from: must be before to")
    manager_id = request.query["manager-id"]
    manager = next((user for user in request.company.users if user["id"] == manager_id), None)
    reports = [user for user in request.company.users if user["managerId"] == manager_id]
    if manager is None or not reports:
        return GongResponse({"coachingData": []})
    metrics = [
        {"report": _build_coaching_user(user), "metrics": _build_coaching_metrics(request, user["id"], since, until)}
        for user in reports
    ]
    return GongResponse({"coachingData": [{"manager": _build_coaching_user(manager), "directReportsMetrics": metrics}]})


def _build_coaching_user(user: Json) -> Json:
    return {field: user[field] for field in ("id", "emailAddress", "firstName", "lastName", "title")}


def _build_coaching_metrics(
    request: GongRequest, user_id: str, since: datetime, until: datetime
) -> dict[str, list[str]]:
    hosted = [
        call.id
        for call in request.list_visible_calls()
        if call.record["metaData"]["primaryUserId"] == user_id
        and since <= datetime.fromisoformat(call.record["metaData"]["started"]) < until
    ]
    reviewed = {review["callId"] for review in request.company.settings.answered_scorecards}
    return {"callsAsHost": sorted(hosted), "callsScored": sorted(set(hosted) & reviewed)}
