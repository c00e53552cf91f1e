"""Which endpoints the simulated Gong has: verb, path, scope and body of each, as data."""

from typing import NamedTuple

import msgspec

from pipelines.demo import call_endpoints as calls
from pipelines.demo import tenant_endpoints as tenant
from pipelines.demo.accepted_bodies import ExtensiveBody, NewCallBody, ScorecardsBody, TranscriptBody, UsersBody
from pipelines.demo.gong_answers import Endpoint


class Route(NamedTuple):
    """An endpoint: a path ending in `{id}` matches any last segment that no other path spells out."""

    method: str
    path: str
    scope: str
    endpoint: Endpoint
    body: type[msgspec.Struct] | None = None


ROUTES = (
    Route("GET", "/v2/calls", "api:calls:read:basic", calls.list_calls),
    Route("POST", "/v2/calls", "api:calls:create", calls.add_call, NewCallBody),
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
)

_BY_PATH: dict[str, dict[str, Route]] = {}
for _route in ROUTES:
    _BY_PATH.setdefault(_route.path, {})[_route.method] = _route


def routes_at(path: str) -> tuple[dict[str, Route], str]:
    """The routes of a path by verb (none if it is unknown), and the id in its last segment."""
    if path in _BY_PATH:
        return _BY_PATH[path], ""
    parent, _, last = path.rpartition("/")
    return _BY_PATH.get(f"{parent}/{{id}}", {}), last
