"""The simulated Gong's administration: permission profiles, coaching, Engage flows, settings history, call access."""

from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from pipelines.demo.identifiers import format_datetime
from pipelines.demo.server.messages.cursors import request_digest
from pipelines.demo.server.messages.request_bodies import CallAccessBody
from pipelines.demo.server.messages.responses import Answer, Asked, GongError, check_ids, instant, page_of

Json = dict[str, Any]

_ACCESSES = ("callsAccess", "dealsAccess", "coachingAccess", "insightsAccess", "usageAccess", "emailsAccess")
_RIGHTS = ("scoreCalls", "downloadCallMedia", "privateCalls", "deleteCalls", "library", "manageScorecards")


def permission_profiles(asked: Asked) -> Answer:
    """GET /v2/all-permission-profiles, in alphabetical order."""
    workspace_id = _required(asked, "workspaceId")
    return Answer({"profiles": [profile for profile, _ in _profiles(asked, workspace_id)]})


def profile_users(asked: Asked) -> Answer:
    """GET /v2/permission-profile/users."""
    profile_id = _required(asked, "profileId")
    check_ids("profileId", [profile_id])
    for profile, users in _profiles(asked):
        if profile["id"] == profile_id:
            return Answer({"users": [_simple(user) for user in users]})
    raise GongError(404, "Permission profile not found")


def coaching(asked: Asked) -> Answer:
    """GET /v2/coaching: what a manager's reports did with feedback; somebody without reports has an empty list."""
    for name in ("workspace-id", "manager-id", "from", "to"):
        if name not in asked.query:
            raise GongError(400, f"{name} parameter is missing")
    since, until = instant(asked, "from"), instant(asked, "to")
    if since is None or until is None or since >= until:
        raise GongError(400, "from: must be before to")
    manager_id = asked.query["manager-id"]
    manager = next((user for user in asked.company.users if user["id"] == manager_id), None)
    reports = [user for user in asked.company.users if user["managerId"] == manager_id]
    if manager is None or not reports:
        return Answer({"coachingData": []})
    of_reports = [{"report": _coached(user), "metrics": _metrics(asked, user["id"], since, until)} for user in reports]
    return Answer({"coachingData": [{"manager": _coached(manager), "directReportsMetrics": of_reports}]})


def flows(asked: Asked) -> Answer:
    """GET /v2/flows: those of the company and those of the named owner; nobody's is an empty 200."""
    email = _required(asked, "flowOwnerEmail")
    rows = [_flow(asked, name, number) for number, name in enumerate(("Inbound trial", "Renewal in 90 days"))]
    rows += [
        _flow(asked, f"{user['firstName']}'s follow-up", 10 + number, "Personal")
        for number, user in enumerate(asked.company.users)
        if user["emailAddress"] == email and user["settings"]["gongConnectEnabled"]
    ]
    request = request_digest(asked.path, email)
    return page_of(asked, rows, asked.query.get("cursor"), request, array="flows", empty=None)


def flow_folders(asked: Asked) -> Answer:
    """GET /v2/flows/folders: under another key than documented, with the text "null" for what is absent."""
    email = _required(asked, "flowFolderOwnerEmail")
    top = _id(asked, "folder", 0)
    rows = [
        {"id": top, "name": "Company", "parentFolderId": "null", "createdById": "null", "visibility": "Company"},
        {
            "id": _id(asked, "folder", 1),
            "name": "Outbound",
            "parentFolderId": top,
            "createdById": asked.company.users[0]["id"],
            "visibility": "Company",
        },
    ]
    request = request_digest(asked.path, email)
    return page_of(asked, rows, asked.query.get("cursor"), request, array="flowsFolders", empty=None)


def settings_history(asked: Asked) -> Answer:
    """GET /v2/users/{id}/settings-history."""
    check_ids("id", [asked.path_id])
    user = next((user for user in asked.company.users if user["id"] == asked.path_id), None)
    if user is None:
        raise GongError(404, f"User ID {asked.path_id} was not found")
    created = datetime.fromisoformat(user["created"])
    changes = [("active", True, created), ("webConferencesRecorded", True, created + timedelta(days=1))]
    if not user["active"]:
        changes.append(("active", False, created + timedelta(days=90)))
    history = [{"setting": name, "value": value, "time": format_datetime(moment, 3)} for name, value, moment in changes]
    return Answer({"userSettingsHistory": history})


def call_access(asked: Asked) -> Answer:
    """POST /v2/calls/users-access: every fifth call was opened to somebody through the API."""
    body: CallAccessBody = asked.body
    call_ids = body.filter.call_ids if body.filter else None
    if call_ids is None:
        raise GongError(400, "filter.callIds: must not be null")
    check_ids("filter.callIds", call_ids)
    if any(asked.calls.find(call_id) is None for call_id in call_ids):
        raise GongError(400, "Some calls not found")
    return Answer(
        {
            "callAccessList": [
                {"callId": own, "users": users_with_access(asked, own)} for own in call_ids if int(own) % 5 == 0
            ]
        }
    )


def users_with_access(asked: Asked, call_id: str) -> list[Json]:
    """Who was given access to a call; nobody where the company took it back."""
    taken_back = call_id in asked.settings.access_taken_back
    return [] if taken_back else [{"userId": user["id"]} for user in asked.company.users[:2]]


def _required(asked: Asked, name: str) -> str:
    if not (value := asked.query.get(name)):
        raise GongError(400, f"{name}: must not be null")
    return value


def _id(asked: Asked, kind: str, number: int) -> str:
    """An id of 18 digits that stays the same for the same company."""
    return str(uuid5(NAMESPACE_OID, f"{asked.company.name} {kind} {number}").int % (9 * 10**17) + 10**17)


def _profiles(asked: Asked, workspace_id: str | None = None) -> list[tuple[Json, list[Json]]]:
    """Profiles with their users, of one workspace or of all."""
    leads = {user["managerId"] for user in asked.company.users}
    found = []
    for at, workspace in enumerate(asked.company.workspaces):
        if workspace_id not in (None, workspace["id"]):
            continue
        for number, name in enumerate(("Managers", "Reps")):
            managers = name == "Managers"
            level = "all" if managers else "own"
            profile = {
                "id": _id(asked, "permission profile", 2 * at + number),
                "name": name,
                "description": f"{name} of {workspace['name']}",
                **{access: {"permissionLevel": level, "teamLeadIds": []} for access in _ACCESSES},
                "libraryFolderAccess": {
                    "permissionLevel": "all",
                    "libraryFolderIds": [],
                    "managePublicFolder": managers,
                },
                **dict.fromkeys(_RIGHTS, managers),
            }
            found.append((profile, [user for user in asked.company.users if (user["id"] in leads) is managers]))
    return found


def _simple(user: Json) -> Json:
    name = f"{user['firstName']} {user['lastName']}"
    return {"id": user["id"], "fullName": name, "emailAddress": user["emailAddress"]}


def _coached(user: Json) -> Json:
    return {field: user[field] for field in ("id", "emailAddress", "firstName", "lastName", "title")}


def _metrics(asked: Asked, user_id: str, since: datetime, until: datetime) -> dict[str, list[str]]:
    hosted = [
        call.id
        for call in asked.listed_calls()
        if call.record["metaData"]["primaryUserId"] == user_id
        and since <= datetime.fromisoformat(call.record["metaData"]["started"]) < until
    ]
    reviewed = {review["callId"] for review in asked.company.settings.answered_scorecards}
    return {"callsAsHost": sorted(hosted), "callsScored": sorted(set(hosted) & reviewed)}


def _flow(asked: Asked, name: str, number: int, visibility: str = "Company") -> Json:
    return {
        "id": _id(asked, "flow", number),
        "name": name,
        "folderId": _id(asked, "folder", 0),
        "folderName": "Company",
        "visibility": visibility,
        "creationDate": format_datetime(asked.company.until - timedelta(days=200), 3),
        "exclusive": False,
    }
