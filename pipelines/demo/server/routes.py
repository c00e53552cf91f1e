"""Endpoints of the simulated Gong as data: method, path, scope, handler and body.

To add an endpoint, write its handler (with its data and, for a POST, its body class) in `endpoints/<area>.py`, and add
one line to `ROUTES`.
"""

from typing import NamedTuple

import msgspec

from pipelines.demo.server.endpoints import account, audit, calls, coaching, company_settings, engage, library, stats
from pipelines.demo.server.messages.request import Handler


class Route(NamedTuple):
    """One endpoint.

    Attributes:
        method: HTTP method.
        path: Path of the URL; `{id}` matches any segment, unless another route has the exact path.
        scope: Scope that the credential needs; empty if Gong documents none.
        handler: Function that returns the response.
        body: Type of the JSON body; None if the endpoint takes none.
        form_field: Name of the file in a multipart form; empty if the endpoint takes none.
    """

    method: str
    path: str
    scope: str
    handler: Handler
    body: type[msgspec.Struct] | None = None
    form_field: str = ""


ROUTES = (
    # Calls
    Route("GET", "/v2/calls", "api:calls:read:basic", calls.list_calls),
    Route("POST", "/v2/calls", "api:calls:create", calls.add_call, calls.NewCallBody),
    Route("PUT", "/v2/calls/{id}/media", "api:calls:create", calls.add_media, form_field="mediaFile"),
    Route("GET", "/v2/calls/{id}", "api:calls:read:basic", calls.get_call),
    Route(
        "POST", "/v2/calls/extensive", "api:calls:read:extensive", calls.list_extensive_calls, calls.ExtensiveCallsBody
    ),
    Route("POST", "/v2/calls/transcript", "api:calls:read:transcript", calls.list_transcripts, calls.TranscriptsBody),
    # Account
    Route("GET", "/v2/users", "api:users:read", account.list_users),
    Route("POST", "/v2/users/extensive", "api:users:read", account.list_extensive_users, account.UsersBody),
    Route("GET", "/v2/users/{id}", "api:users:read", account.get_user),
    Route("GET", "/v2/users/{id}/settings-history", "api:users:read", account.list_settings_history),
    Route("GET", "/v2/workspaces", "api:workspaces:read", account.list_workspaces),
    Route("GET", "/v2/all-permission-profiles", "", account.list_permission_profiles),
    Route("GET", "/v2/permission-profile/users", "api:users:read", account.list_permission_profile_users),
    # Library
    Route("GET", "/v2/library/folders", "api:library:read", library.list_folders),
    Route("GET", "/v2/library/folder-content", "api:library:read", library.get_folder_content),
    # Company settings
    Route("GET", "/v2/settings/trackers", "api:settings:trackers:read", company_settings.list_trackers),
    Route("GET", "/v2/settings/scorecards", "api:settings:scorecards:read", company_settings.list_scorecards),
    Route("GET", "/v2/settings/briefs", "api:ai-briefer:read", company_settings.list_briefs),
    Route("GET", "/v2/call-outcomes", "api:call-outcomes:read", company_settings.list_call_outcomes),
    # Stats
    Route(
        "POST",
        "/v2/stats/activity/scorecards",
        "api:stats:scorecards",
        stats.list_answered_scorecards,
        stats.AnsweredScorecardsBody,
    ),
    Route(
        "POST",
        "/v2/stats/activity/day-by-day",
        "api:stats:user-actions:detailed",
        stats.list_daily_activity,
        stats.StatsBody,
    ),
    Route("POST", "/v2/stats/interaction", "api:stats:interaction", stats.list_interaction_stats, stats.StatsBody),
    # Coaching
    Route("GET", "/v2/coaching", "api:coaching:read", coaching.list_coaching_metrics),
    # Audit
    Route("GET", "/v2/logs", "api:logs:read", audit.list_logs),
    Route("POST", "/v2/calls/users-access", "api:call-user-access:read", audit.list_call_access, audit.CallAccessBody),
    # Engage
    Route("GET", "/v2/flows", "api:flows:read", engage.list_flows),
    Route("GET", "/v2/flows/folders", "api:flows:read", engage.list_flow_folders),
)

_BY_PATH: dict[str, dict[str, Route]] = {}
for _route in ROUTES:
    _BY_PATH.setdefault(_route.path, {})[_route.method] = _route


def match_routes(path: str) -> tuple[dict[str, Route], str]:
    """Return the routes of a path by method (empty if the path is unknown), and the id in the path or ""."""
    if path in _BY_PATH:
        return _BY_PATH[path], ""
    segments = path.split("/")
    for at in range(len(segments) - 1, 0, -1):
        pattern = "/".join([*segments[:at], "{id}", *segments[at + 1 :]])
        if pattern in _BY_PATH:
            return _BY_PATH[pattern], segments[at]
    return {}, ""
