"""The other endpoints of the simulated Gong: users, workspaces, library, settings, scorecards and logs."""

from datetime import date, datetime
from typing import Any

from pipelines.demo.identifiers import ZONE
from pipelines.demo.server.messages.cursors import request_digest
from pipelines.demo.server.messages.request_bodies import ScorecardFilter, ScorecardsBody, UserFilter, UsersBody
from pipelines.demo.server.messages.responses import Answer, Asked, GongError, check_ids, instant, page_of

Json = dict[str, Any]

LOG_TYPES = ("AccessLog", "UserActivityLog", "UserCallPlay", "ExternallySharedCallAccess", "ExternallySharedCallPlay")


def list_users(asked: Asked) -> Answer:
    """GET /v2/users."""
    avatars = asked.query.get("includeAvatars", "false")
    if avatars not in ("true", "false"):
        raise GongError(400, "Bad request")
    request = request_digest(asked.path, avatars)
    rows = _users(asked, avatars == "true")
    return page_of(asked, rows, asked.query.get("cursor"), request, array="users", empty=None)


def extensive_users(asked: Asked) -> Answer:
    """POST /v2/users/extensive."""
    body: UsersBody = asked.body
    wanted: UserFilter | None = body.filter
    if wanted is None:
        raise GongError(400, "filter: must not be null")
    check_ids("filter.userIds", wanted.user_ids)
    rows = _users(asked, bool(wanted.include_avatars))
    if wanted.user_ids is not None:
        rows = [user for user in rows if user["id"] in wanted.user_ids]
    if wanted.created_from_date_time:
        rows = [user for user in rows if datetime.fromisoformat(user["created"]) >= wanted.created_from_date_time]
    if wanted.created_to_date_time:
        rows = [user for user in rows if datetime.fromisoformat(user["created"]) < wanted.created_to_date_time]
    nobody = "No users found corresponding to the provided filters"
    return page_of(asked, rows, body.cursor, request_digest(asked.path, wanted), array="users", empty=nobody)


def one_user(asked: Asked) -> Answer:
    """GET /v2/users/{id}."""
    check_ids("id", [asked.path_id])
    for user in asked.company.users:
        if user["id"] == asked.path_id:
            return Answer({"user": user})
    raise GongError(404, f"User ID {asked.path_id} was not found")


def workspaces(asked: Asked) -> Answer:
    """GET /v2/workspaces."""
    return Answer({"workspaces": asked.company.workspaces})


def library_folders(asked: Asked) -> Answer:
    """GET /v2/library/folders; a tenant with several workspaces has to name one."""
    workspace_id = asked.query.get("workspaceId")
    if workspace_id is None and len(asked.company.workspaces) > 1:
        raise GongError(400, "workspaceId: must not be null")
    shelves = asked.company.folders
    return Answer({"folders": [s.folder for s in shelves if workspace_id in (None, s.workspace_id)]})


def folder_content(asked: Asked) -> Answer:
    """GET /v2/library/folder-content; calls that were deleted are no longer in it."""
    folder_id = asked.query.get("folderId")
    if folder_id is None:
        raise GongError(400, "folderId: must not be null")
    check_ids("folderId", [folder_id])
    for shelf in asked.company.folders:
        if shelf.folder["id"] == folder_id:
            described = {key: shelf.folder[key] for key in ("id", "name", "createdBy", "updated")}
            return Answer({**described, "calls": [c for c in shelf.calls if asked.calls.find(str(c["id"]))]})
    raise GongError(404, "Folder not found")


def trackers(asked: Asked) -> Answer:
    """GET /v2/settings/trackers: keyword trackers only."""
    return Answer({"keywordTrackers": _of_workspace(asked, asked.company.settings.trackers)})


def scorecards(asked: Asked) -> Answer:
    """GET /v2/settings/scorecards."""
    return Answer({"scorecards": asked.company.settings.scorecards})


def briefs(asked: Asked) -> Answer:
    """GET /v2/settings/briefs."""
    return Answer({"briefs": _of_workspace(asked, asked.company.settings.briefs)})


def call_outcomes(asked: Asked) -> Answer:
    """GET /v2/call-outcomes."""
    return Answer({"outcomes": asked.company.settings.outcomes})


def answered_scorecards(asked: Asked) -> Answer:
    """POST /v2/stats/activity/scorecards; without a review method only manual ones."""
    body: ScorecardsBody = asked.body
    wanted: ScorecardFilter | None = body.filter
    if wanted is None:
        raise GongError(400, "filter: must not be null")
    check_ids("filter.reviewedUserIds", wanted.reviewed_user_ids)
    check_ids("filter.scorecardIds", wanted.scorecard_ids)
    today = asked.now.astimezone(ZONE).date()
    for name, last in (("callToDate", wanted.call_to_date), ("reviewToDate", wanted.review_to_date)):
        if last and last > today:
            raise GongError(400, f"filter.{name}: must not be after today")
    method = wanted.review_method or "MANUAL"
    rows = [
        row
        for row in asked.company.settings.answered_scorecards
        if method in ("BOTH", row["reviewMethod"])
        and _within(row["callStartTime"], wanted.call_from_date, wanted.call_to_date)
        and _within(row["reviewTime"], wanted.review_from_date, wanted.review_to_date)
        and (wanted.reviewed_user_ids is None or row["reviewedUserId"] in wanted.reviewed_user_ids)
        and (wanted.scorecard_ids is None or row["scorecardId"] in wanted.scorecard_ids)
    ]
    nothing = "No answered scorecards found corresponding to the provided filters"
    request = request_digest(asked.path, wanted)
    return page_of(asked, rows, body.cursor, request, array="answeredScorecards", empty=nothing)


def logs(asked: Asked) -> Answer:
    """GET /v2/logs."""
    kind, since, before = asked.query.get("logType"), instant(asked, "fromDateTime"), instant(asked, "toDateTime")
    if kind not in LOG_TYPES:
        raise GongError(400, "logType: must be one of the supported types")
    if since is None:
        raise GongError(400, "fromDateTime: must not be null")
    rows = [
        entry
        for entry in asked.company.settings.logs.get(kind, [])
        if since <= (moment := datetime.fromisoformat(entry["eventTime"])) and (before is None or moment < before)
    ]
    nothing = "No log records found corresponding to the provided filters"
    request = request_digest(asked.path, kind, since, before)
    return page_of(asked, rows, asked.query.get("cursor"), request, array="logEntries", empty=nothing)


def _users(asked: Asked, with_avatars: bool) -> list[Json]:
    return [user for user in asked.company.users if with_avatars or user["id"] not in asked.company.avatar_ids]


def _of_workspace(asked: Asked, rows: list[Json]) -> list[Json]:
    workspace_id = asked.query.get("workspaceId")
    return [row for row in rows if workspace_id in (None, row["workspaceId"])]


def _within(moment: str, since: date | None, before: date | None) -> bool:
    day = datetime.fromisoformat(moment).astimezone(ZONE).date()
    return (since is None or since <= day) and (before is None or day < before)
