"""Account area: users, workspaces, permission profiles and the history of user settings."""

from datetime import datetime, timedelta
from typing import Any

from pipelines.demo.identifiers import derive_id, format_datetime
from pipelines.demo.server.messages.cursors import hash_request
from pipelines.demo.server.messages.pagination import paginate_rows
from pipelines.demo.server.messages.request import GongRequest, validate_ids
from pipelines.demo.server.messages.request_body import StrictBody, ZonedDatetime
from pipelines.demo.server.messages.response import GongError, GongResponse

Json = dict[str, Any]

_DATA_ACCESS = ("callsAccess", "dealsAccess", "coachingAccess", "insightsAccess", "usageAccess", "emailsAccess")
_PERMISSIONS = ("scoreCalls", "downloadCallMedia", "privateCalls", "deleteCalls", "library", "manageScorecards")


class UserFilter(StrictBody, frozen=True):
    """`filter` of POST /v2/users/extensive."""

    user_ids: list[str] | None = None
    created_from_date_time: ZonedDatetime | None = None
    created_to_date_time: ZonedDatetime | None = None
    include_avatars: bool | None = None


class UsersBody(StrictBody, frozen=True):
    """Body of POST /v2/users/extensive."""

    filter: UserFilter | None = None
    cursor: str | None = None


def list_users(request: GongRequest) -> GongResponse:
    """Handle GET /v2/users."""
    include_avatars = request.query.get("includeAvatars", "false")
    if include_avatars not in ("true", "false"):
        raise GongError(400, "Bad request")
    rows = _select_users(request, include_avatars == "true")
    digest = hash_request(request.path, include_avatars)
    return paginate_rows(request, rows, request.query.get("cursor"), digest, array="users", empty_error=None)


def list_extensive_users(request: GongRequest) -> GongResponse:
    """Handle POST /v2/users/extensive."""
    body: UsersBody = request.body
    user_filter = body.filter
    if user_filter is None:
        raise GongError(400, "filter: must not be null")
    validate_ids("filter.userIds", user_filter.user_ids)
    since, until = user_filter.created_from_date_time, user_filter.created_to_date_time
    rows = _select_users(request, bool(user_filter.include_avatars))
    if user_filter.user_ids is not None:
        rows = [user for user in rows if user["id"] in user_filter.user_ids]
    if since:
        rows = [user for user in rows if datetime.fromisoformat(user["created"]) >= since]
    if until:
        rows = [user for user in rows if datetime.fromisoformat(user["created"]) < until]
    empty_error = "No users found corresponding to the provided filters"
    digest = hash_request(request.path, user_filter)
    return paginate_rows(request, rows, body.cursor, digest, array="users", empty_error=empty_error)


def get_user(request: GongRequest) -> GongResponse:
    """Handle GET /v2/users/{id}."""
    return GongResponse({"user": _find_user(request)})


def list_settings_history(request: GongRequest) -> GongResponse:
    """Handle GET /v2/users/{id}/settings-history."""
    user = _find_user(request)
    created = datetime.fromisoformat(user["created"])
    changes = [("active", True, created), ("webConferencesRecorded", True, created + timedelta(days=1))]
    if not user["active"]:
        changes.append(("active", False, created + timedelta(days=90)))
    history = [{"setting": name, "value": value, "time": format_datetime(time, 3)} for name, value, time in changes]
    return GongResponse({"userSettingsHistory": history})


def list_workspaces(request: GongRequest) -> GongResponse:
    """Handle GET /v2/workspaces."""
    return GongResponse({"workspaces": request.company.workspaces})


def list_permission_profiles(request: GongRequest) -> GongResponse:
    """Handle GET /v2/all-permission-profiles; profiles are in alphabetical order."""
    workspace_id = request.require_parameter("workspaceId")
    return GongResponse({"profiles": [profile for profile, _ in _build_profiles(request, workspace_id)]})


def list_permission_profile_users(request: GongRequest) -> GongResponse:
    """Handle GET /v2/permission-profile/users."""
    profile_id = request.require_parameter("profileId")
    validate_ids("profileId", [profile_id])
    for profile, users in _build_profiles(request):
        if profile["id"] == profile_id:
            return GongResponse({"users": [_build_profile_user(user) for user in users]})
    raise GongError(404, "Permission profile not found")


def _select_users(request: GongRequest, include_avatars: bool) -> list[Json]:
    company = request.company
    return [user for user in company.users if include_avatars or user["id"] not in company.avatar_ids]


def _find_user(request: GongRequest) -> Json:
    validate_ids("id", [request.path_id])
    for user in request.company.users:
        if user["id"] == request.path_id:
            return user
    raise GongError(404, f"User ID {request.path_id} was not found")


def _build_profiles(request: GongRequest, workspace_id: str | None = None) -> list[tuple[Json, list[Json]]]:
    """Return the permission profiles with their users, of one workspace or of all."""
    company = request.company
    manager_ids = {user["managerId"] for user in company.users}
    profiles = []
    for position, workspace in enumerate(company.workspaces):
        if workspace_id not in (None, workspace["id"]):
            continue
        for number, name in enumerate(("Managers", "Reps")):
            is_manager = name == "Managers"
            level = "all" if is_manager else "own"
            profile = {
                "id": derive_id(company.name, "permission profile", 2 * position + number),
                "name": name,
                "description": f"{name} of {workspace['name']}",
                **{access: {"permissionLevel": level, "teamLeadIds": []} for access in _DATA_ACCESS},
                "libraryFolderAccess": {
                    "permissionLevel": "all",
                    "libraryFolderIds": [],
                    "managePublicFolder": is_manager,
                },
                **dict.fromkeys(_PERMISSIONS, is_manager),
            }
            users = [user for user in company.users if (user["id"] in manager_ids) is is_manager]
            profiles.append((profile, users))
    return profiles


def _build_profile_user(user: Json) -> Json:
    full_name = f"{user['firstName']} {user['lastName']}"
    return {"id": user["id"], "fullName": full_name, "emailAddress": user["emailAddress"]}
