"""Gong's endpoints that are sent to, as data: one line says everything the client needs to know.

Facts from Gong's OpenAPI document (July 2026) and from recorded answers: the page size is fixed at 100;
GET endpoints take the cursor as a query parameter, POST endpoints as a top-level field of the body
(a cursor in the query of a POST is ignored and would return page one for ever).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

from ..calls.tables import CALL_TABLES, CALLS_TABLE, SENTENCES_TABLE, TRANSCRIPTS_TABLE
from ..resources.company_tables import (
    ANSWERED_SCORECARD_ANSWERS_TABLE,
    ANSWERED_SCORECARDS_TABLE,
    AUDIT_LOGS_TABLE,
    BRIEFS_TABLE,
    CALL_ACCESS_TABLE,
    CALL_OUTCOMES_TABLE,
    COACHING_TABLE,
    FLOW_FOLDERS_TABLE,
    FLOWS_TABLE,
    FOLDERS_TABLE,
    INTERACTION_STATS_TABLE,
    LIBRARY_CALLS_TABLE,
    PERMISSION_PROFILE_USERS_TABLE,
    PERMISSION_PROFILES_TABLE,
    SCORECARD_QUESTIONS_TABLE,
    SCORECARDS_TABLE,
    SETTINGS_HISTORY_TABLE,
    TRACKER_KEYWORDS_TABLE,
    TRACKERS_TABLE,
    USER_ACTIVITY_TABLE,
    USERS_TABLE,
    WORKSPACES_TABLE,
)
from ..tables.table import Table

Bound = Literal["date-time", "date"]

PAGE_SIZE = 100
"""Records on a full page. There is no parameter for it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of Gong's API.

    Attributes:
        method: HTTP verb.
        path: Path below the base URL.
        records: Key of the answer that holds the records.
        scope: OAuth scope that the operation asks for; empty where Gong's document names none.
        paged: Whether the answer comes in pages of 100 with a cursor.
        priority: Further requests depend on its answer, so it leaves before those of other endpoints.
        single: The answer holds one record, not a list of them.
        resource: The dlt resource that reads it; empty where none does.
        key: Field by which a record calls itself; empty where records have no id.
        bound: What narrows the answer to a stretch of time: date-times, or dates in the company's own zone.
        tables: What its records become; none where it is only asked whether something is still there.
    """

    method: Literal["GET", "POST", "PUT"]
    path: str
    records: str
    scope: str
    paged: bool
    resource: str
    priority: bool = False
    single: bool = False
    key: str = "id"
    bound: Bound | None = None
    tables: tuple[Table, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def of(self, an_id: str) -> Endpoint:
        """The endpoint of one thing, for a path with `{id}` in it."""
        return replace(self, path=self.path.format(id=quote(an_id, safe="")))


CALLS = Endpoint(
    "GET",
    "/v2/calls",
    "calls",
    "api:calls:read:basic",
    True,
    "calls",
    priority=True,
    bound="date-time",
    tables=(CALLS_TABLE,),
)
CALL = Endpoint("GET", "/v2/calls/{id}", "call", "api:calls:read:basic", False, "calls", single=True)
CALLS_EXTENSIVE = Endpoint(
    "POST",
    "/v2/calls/extensive",
    "calls",
    "api:calls:read:extensive",
    True,
    "calls",
    priority=True,
    bound="date-time",
    tables=(CALLS_TABLE, *CALL_TABLES),
)
TRANSCRIPTS = Endpoint(
    "POST",
    "/v2/calls/transcript",
    "callTranscripts",
    "api:calls:read:transcript",
    True,
    "transcripts",
    key="callId",
    bound="date-time",
    tables=(TRANSCRIPTS_TABLE, SENTENCES_TABLE),
)
USERS = Endpoint("GET", "/v2/users", "users", "api:users:read", True, "users", tables=(USERS_TABLE,))
WORKSPACES = Endpoint(
    "GET", "/v2/workspaces", "workspaces", "api:workspaces:read", False, "workspaces", tables=(WORKSPACES_TABLE,)
)
FOLDERS = Endpoint(
    "GET", "/v2/library/folders", "folders", "api:library:read", False, "library", tables=(FOLDERS_TABLE,)
)
FOLDER_CONTENT = Endpoint(
    "GET", "/v2/library/folder-content", "calls", "api:library:read", False, "library", tables=(LIBRARY_CALLS_TABLE,)
)

TRACKERS = Endpoint(
    "GET",
    "/v2/settings/trackers",
    "keywordTrackers",
    "api:settings:trackers:read",
    False,
    "trackers",
    key="trackerId",
    tables=(TRACKERS_TABLE, TRACKER_KEYWORDS_TABLE),
)
SCORECARDS = Endpoint(
    "GET",
    "/v2/settings/scorecards",
    "scorecards",
    "api:settings:scorecards:read",
    False,
    "scorecards",
    key="scorecardId",
    tables=(SCORECARDS_TABLE, SCORECARD_QUESTIONS_TABLE),
)
ANSWERED_SCORECARDS = Endpoint(
    "POST",
    "/v2/stats/activity/scorecards",
    "answeredScorecards",
    "api:stats:scorecards",
    True,
    "answered_scorecards",
    key="answeredScorecardId",
    bound="date",
    tables=(ANSWERED_SCORECARDS_TABLE, ANSWERED_SCORECARD_ANSWERS_TABLE),
)
CALL_OUTCOMES = Endpoint(
    "GET",
    "/v2/call-outcomes",
    "outcomes",
    "api:call-outcomes:read",
    False,
    "call_outcomes",
    key="callOutcome",
    tables=(CALL_OUTCOMES_TABLE,),
)
BRIEFS = Endpoint(
    "GET",
    "/v2/settings/briefs",
    "briefs",
    "api:ai-briefer:read",
    False,
    "briefs",
    key="briefId",
    tables=(BRIEFS_TABLE,),
)

DAILY_ACTIVITY = Endpoint(
    "POST",
    "/v2/stats/activity/day-by-day",
    "usersDetailedActivities",
    "api:stats:user-actions:detailed",
    True,
    "user_activity_daily",
    key="userId",
    bound="date",
    tables=(USER_ACTIVITY_TABLE,),
)
INTERACTION_STATS = Endpoint(
    "POST",
    "/v2/stats/interaction",
    "peopleInteractionStats",
    "api:stats:interaction",
    True,
    "user_interaction_stats",
    key="userId",
    bound="date",
    tables=(INTERACTION_STATS_TABLE,),
)
LOGS = Endpoint(
    "GET",
    "/v2/logs",
    "logEntries",
    "api:logs:read",
    True,
    "audit_logs",
    key="",
    bound="date-time",
    tables=(AUDIT_LOGS_TABLE,),
)
PERMISSION_PROFILES = Endpoint(
    "GET",
    "/v2/all-permission-profiles",
    "profiles",
    "",
    False,
    "permission_profiles",
    tables=(PERMISSION_PROFILES_TABLE,),
)
PERMISSION_PROFILE_USERS = Endpoint(
    "GET",
    "/v2/permission-profile/users",
    "users",
    "api:users:read",
    False,
    "permission_profiles",
    tables=(PERMISSION_PROFILE_USERS_TABLE,),
)
COACHING = Endpoint(
    "GET",
    "/v2/coaching",
    "coachingData",
    "api:coaching:read",
    False,
    "coaching_metrics",
    key="",
    bound="date-time",
    tables=(COACHING_TABLE,),
)
FLOWS = Endpoint("GET", "/v2/flows", "flows", "api:flows:read", True, "flows", tables=(FLOWS_TABLE,))
FLOW_FOLDERS = Endpoint(
    "GET", "/v2/flows/folders", "flowsFolders", "api:flows:read", True, "flow_folders", tables=(FLOW_FOLDERS_TABLE,)
)
SETTINGS_HISTORY = Endpoint(
    "GET",
    "/v2/users/{id}/settings-history",
    "userSettingsHistory",
    "api:users:read",
    False,
    "user_settings_history",
    key="",
    tables=(SETTINGS_HISTORY_TABLE,),
)
CALL_ACCESS = Endpoint(
    "POST",
    "/v2/calls/users-access",
    "callAccessList",
    "api:call-user-access:read",
    False,
    "call_access",
    key="callId",
    tables=(CALL_ACCESS_TABLE,),
)

ADD_CALL = Endpoint("POST", "/v2/calls", "callId", "api:calls:create", False, "", single=True, key="")
"""Writes. Sent again after an answer that did not come, it gives the same call: Gong knows it by `clientUniqueId`."""

ADD_MEDIA = Endpoint("PUT", "/v2/calls/{id}/media", "callId", "api:calls:create", False, "", single=True, key="")
"""Writes: the one part `mediaFile` of a form."""

ENDPOINTS = (
    CALLS,
    CALL,
    CALLS_EXTENSIVE,
    TRANSCRIPTS,
    USERS,
    WORKSPACES,
    FOLDERS,
    FOLDER_CONTENT,
    TRACKERS,
    SCORECARDS,
    ANSWERED_SCORECARDS,
    CALL_OUTCOMES,
    BRIEFS,
    DAILY_ACTIVITY,
    INTERACTION_STATS,
    LOGS,
    PERMISSION_PROFILES,
    PERMISSION_PROFILE_USERS,
    COACHING,
    FLOWS,
    FLOW_FOLDERS,
    SETTINGS_HISTORY,
    CALL_ACCESS,
)
