"""Which endpoints the simulated Gong has: verb, path, scope and body of each, as data."""

from typing import NamedTuple

import msgspec

from pipelines.demo.server.endpoints import administration, calls, stats, tenant
from pipelines.demo.server.messages.request_bodies import (
    CallAccessBody,
    ExtensiveBody,
    NewCallBody,
    ScorecardsBody,
    StatsBody,
    TranscriptBody,
    UsersBody,
)
from pipelines.demo.server.messages.responses import Endpoint


class Route(NamedTuple):
    """An endpoint: `{id}` in its path matches any segment where no other path spells it out.

    `scope` is empty where Gong's document names none; `form` is the only part of a form that it takes.
    """

    method: str
    path: str
    scope: str
    endpoint: Endpoint
    body: type[msgspec.Struct] | None = None
    form: str = ""


ROUTES = (
    Route("GET", "/v2/calls", "api:calls:read:basic", calls.list_calls),
    Route("POST", "/v2/calls", "api:calls:create", calls.add_call, NewCallBody),
    Route("PUT", "/v2/calls/{id}/media", "api:calls:create", calls.add_media, form="mediaFile"),
    Route("GET", "/v2/calls/{id}", "api:calls:read:basic", calls.one_call),
    Route("POST", "/v2/calls/extensive", "api:calls:read:extensive", calls.extensive_calls, ExtensiveBody),
    Route("POST", "/v2/calls/transcript", "api:calls:read:transcript", calls.call_transcripts, TranscriptBody),
    Route("GET", "/v2/users", "api:users:read", tenant.list_users),
    Route("POST", "/v2/users/extensive", "api:users:read", tenant.extensive_users, UsersBody),
    Route("GET", "/v2/users/{id}", "api:users:read", tenant.one_user),
    Route("GET", "/v2/workspaces", "api:workspaces:read", tenant.workspaces),
    Route("GET", "/v2/library/folders", "api:library:read", tenant.library_folders),
    Route("GET", "/v2/library/folder-content", "api:library:read", tenant.folder_content),
    Route("GET", "/v2/settings/trackers", "api:settings:trackers:read", tenant.trackers),
    Route("GET", "/v2/settings/scorecards", "api:settings:scorecards:read", tenant.scorecards),
    Route("GET", "/v2/settings/briefs", "api:ai-briefer:read", tenant.briefs),
    Route("GET", "/v2/call-outcomes", "api:call-outcomes:read", tenant.call_outcomes),
    Route("POST", "/v2/stats/activity/scorecards", "api:stats:scorecards", tenant.answered_scorecards, ScorecardsBody),
    Route("GET", "/v2/logs", "api:logs:read", tenant.logs),
    Route("POST", "/v2/stats/activity/day-by-day", "api:stats:user-actions:detailed", stats.day_by_day, StatsBody),
    Route("POST", "/v2/stats/interaction", "api:stats:interaction", stats.interaction, StatsBody),
    Route("GET", "/v2/all-permission-profiles", "", administration.permission_profiles),
    Route("GET", "/v2/permission-profile/users", "api:users:read", administration.profile_users),
    Route("GET", "/v2/coaching", "api:coaching:read", administration.coaching),
    Route("GET", "/v2/flows", "api:flows:read", administration.flows),
    Route("GET", "/v2/flows/folders", "api:flows:read", administration.flow_folders),
    Route("GET", "/v2/users/{id}/settings-history", "api:users:read", administration.settings_history),
    Route("POST", "/v2/calls/users-access", "api:call-user-access:read", administration.call_access, CallAccessBody),
)

_BY_PATH: dict[str, dict[str, Route]] = {}
for _route in ROUTES:
    _BY_PATH.setdefault(_route.path, {})[_route.method] = _route


def routes_at(path: str) -> tuple[dict[str, Route], str]:
    """The routes of a path by verb (none if it is unknown), and the id in it."""
    if path in _BY_PATH:
        return _BY_PATH[path], ""
    segments = path.split("/")
    for at in range(len(segments) - 1, 0, -1):
        pattern = "/".join([*segments[:at], "{id}", *segments[at + 1 :]])
        if pattern in _BY_PATH:
            return _BY_PATH[pattern], segments[at]
    return {}, ""
