"""Company settings area: trackers, scorecards, briefs and call outcomes."""

from typing import Any

from pipelines.demo.server.messages.request import GongRequest
from pipelines.demo.server.messages.response import GongResponse

Json = dict[str, Any]


def list_trackers(request: GongRequest) -> GongResponse:
    """Handle GET /v2/settings/trackers; smart trackers are not part of it."""
    return GongResponse({"keywordTrackers": _select_workspace(request, request.company.settings.trackers)})


def list_scorecards(request: GongRequest) -> GongResponse:
    """Handle GET /v2/settings/scorecards."""
    return GongResponse({"scorecards": request.company.settings.scorecards})


def list_briefs(request: GongRequest) -> GongResponse:
    """Handle GET /v2/settings/briefs."""
    return GongResponse({"briefs": _select_workspace(request, request.company.settings.briefs)})


def list_call_outcomes(request: GongRequest) -> GongResponse:
    """Handle GET /v2/call-outcomes."""
    return GongResponse({"outcomes": request.company.settings.outcomes})


def _select_workspace(request: GongRequest, rows: list[Json]) -> list[Json]:
    workspace_id = request.query.get("workspaceId")
    return [row for row in rows if workspace_id in (None, row["workspaceId"])]
