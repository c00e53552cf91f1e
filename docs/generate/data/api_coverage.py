"""Operations of Gong's API that are not declared as endpoints of a resource: not used, or writing.

docs/coverage.md is generated from these lists and from the endpoints in sources/gong. Facts are from Gong's OpenAPI
document of July 2026, and from recorded responses where the document has none.
"""

from __future__ import annotations

from dataclasses import dataclass

from sources.gong.api.endpoint import Endpoint
from sources.gong.calls.endpoints import ADD_CALL, ADD_MEDIA, CALL, CALLS, CALLS_EXTENSIVE, TRANSCRIPTS
from sources.gong.resources.library import FOLDER_CONTENT, LIBRARY


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An operation that reads and is not used.

    Attributes:
        operation: Method and path.
        scope: Required scope; empty if Gong's document states none.
        gives: What it returns.
        why: Why it is not used.
        documented: Whether it is in Gong's OpenAPI document.
    """

    operation: str
    scope: str
    gives: str
    why: str
    documented: bool = True


@dataclass(frozen=True, slots=True)
class Write:
    """An operation that changes something in Gong.

    Attributes:
        operation: Method and path.
        scope: Required scope; empty if Gong's document states none.
        does: What it changes.
        commands: Commands that send it; empty if it is never sent.
    """

    operation: str
    scope: str
    does: str
    commands: tuple[str, ...] = ()


COMMANDS: dict[Endpoint, tuple[str, ...]] = {
    CALLS: ("gong-elt get calls",),
    CALLS_EXTENSIVE: ("gong-elt get extensive",),
    CALL: ("gong-elt reconcile", "gong-elt get transcripts"),
    TRANSCRIPTS: ("gong-elt get transcripts",),
    LIBRARY.endpoint: ("gong-elt get folders",),
    FOLDER_CONTENT: ("gong-elt get folder-calls",),
}
"""Commands that read an endpoint on demand."""

_GENERIC_CRM = "only for a custom CRM that uploads its objects to Gong, not for Salesforce, HubSpot or Dynamics"
_DOSSIER = (
    "privacy: all data of one person, to be requested in Gong on that person's request"
    " and not stored in a copy that many people query"
)
_CREDITS = "each request costs Gong credits, and the response differs each time"

LEFT_OUT = (
    LeftOut(
        "POST /v2/users/extensive",
        "api:users:read",
        "users by id or time of creation",
        "the same records as `GET /v2/users`, without a filter for changes",
    ),
    LeftOut("GET /v2/users/{id}", "api:users:read", "one user", "the same record as in `GET /v2/users`"),
    LeftOut(
        "POST /v2/stats/activity/aggregate",
        "api:stats:user-actions",
        "counts of a user's activity over a period",
        "`user_activity_daily` has the call ids behind the counts per day; their sums may differ from Gong's, whose"
        " document does not define how a call on several days of the period is counted",
    ),
    LeftOut(
        "POST /v2/stats/activity/aggregate-by-period",
        "api:stats:user-actions",
        "the same per day, week, month, quarter or year",
        "as above; counts of short periods do not add up to those of longer ones, so each would need its own table",
    ),
    LeftOut(
        "GET /v2/permission-profile",
        "",
        "one permission profile",
        "the same record as in `GET /v2/all-permission-profiles`",
    ),
    LeftOut(
        "GET /v2/data-privacy/data-for-email-address",
        "api:data-privacy:read",
        "all data that refers to an e-mail address",
        _DOSSIER,
    ),
    LeftOut(
        "GET /v2/data-privacy/data-for-phone-number",
        "api:data-privacy:read",
        "all data that refers to a phone number",
        _DOSSIER,
    ),
    LeftOut(
        "GET /v2/entities/ask-entity", "api:ai-ask:read", "an AI-generated answer about an account or deal", _CREDITS
    ),
    LeftOut(
        "GET /v2/entities/get-brief", "api:ai-briefer:read", "an AI-generated brief of an account or deal", _CREDITS
    ),
    LeftOut(
        "POST /v2/flows/steps",
        "api:flows:read",
        "the steps of Engage flows and their texts",
        "templates instead of events; could be requested by the ids in `flows`",
    ),
    LeftOut(
        "POST /v2/flows/prospects",
        "api:flows:read",
        "the flows that prospects are in",
        "no list operation: requires CRM ids of prospects, and Gong returns only those of people on calls",
    ),
    LeftOut(
        "GET /v2/flows/prospects/bulk-assignments/{id}",
        "api:flows:read",
        "the result of a bulk assignment of prospects",
        "no list operation: only the sender of the assignment has its id",
    ),
    LeftOut(
        "POST /v2/tasks",
        "api:tasks:read",
        "the to-do list of a user in Engage, such as calls to make",
        "plans instead of events; one request per user, without a time filter",
    ),
    LeftOut("GET /v2/crm/integrations", "api:crm:integrations:read", "the id of the custom CRM", _GENERIC_CRM),
    LeftOut(
        "GET /v2/crm/entities",
        "api:crm:get-objects",
        "objects that the custom CRM uploaded",
        "for development only, according to Gong; " + _GENERIC_CRM,
    ),
    LeftOut("GET /v2/crm/entity-schema", "api:crm:schema", "fields of these objects", _GENERIC_CRM),
    LeftOut("GET /v2/crm/request-status", "api:crm:upload", "the result of their upload", _GENERIC_CRM),
    LeftOut(
        "POST /v2/meetings/integration/status",
        "api:meetings:integration:status",
        "whether meetings can be created for a user",
        "for applications that create meetings through the API (beta)",
    ),
    LeftOut(
        "GET /v2/integration-settings",
        "",
        "an id",
        "undocumented, and returns nothing else",
        documented=False,
    ),
)
"""Operations that read and are not used."""

_FLOWS, _ENGAGEMENT = "api:flows:write", "api:engagement-data:write"

WRITES = (
    Write(str(ADD_CALL), ADD_CALL.scope, "adds a call", ("gong-elt add-call", "gong-elt upload")),
    Write(str(ADD_MEDIA), ADD_MEDIA.scope, "adds a call's recording", ("gong-elt add-media",)),
    Write("PUT /v2/calls/users-access", "api:call-user-access:write", "gives users access to calls"),
    Write("DELETE /v2/calls/users-access", "api:call-user-access:write", "revokes access to calls"),
    Write("POST /v2/data-privacy/erase-data-for-email-address", "api:data-privacy:delete", "erases a person's data"),
    Write("POST /v2/data-privacy/erase-data-for-phone-number", "api:data-privacy:delete", "erases a person's data"),
    Write("POST /v2/permission-profile", "", "creates a permission profile"),
    Write("PUT /v2/permission-profile", "", "changes a permission profile"),
    Write("POST /v2/meetings", "api:meetings:user:create", "creates a meeting"),
    Write("PUT /v2/meetings/{meetingId}", "api:meetings:user:update", "changes a meeting"),
    Write("DELETE /v2/meetings/{meetingId}", "api:meetings:user:delete", "deletes a meeting"),
    Write("POST /v2/flows/prospects/assign", _FLOWS, "assigns prospects to a flow"),
    Write("POST /v2/flows/prospects/assign/cool-off-override", _FLOWS, "the same, deprecated"),
    Write("POST /v2/flows/prospects/bulk-assignments", _FLOWS, "assigns many prospects to a flow"),
    Write("POST /v2/flows/prospects/unassign-flows-by-crm-id", _FLOWS, "removes a prospect from flows"),
    Write("POST /v2/flows/prospects/unassign-flows-by-instance-id", _FLOWS, "ends running flows"),
    Write("PATCH /v2/tasks/{taskId}", "api:tasks:write", "changes a task"),
    Write("PUT /v2/crm/integrations", "api:crm:integration:register", "registers a custom CRM"),
    Write("DELETE /v2/crm/integrations", "api:crm:integration:delete", "deletes a custom CRM with its objects"),
    Write("POST /v2/crm/entities", "api:crm:upload", "uploads objects of a custom CRM"),
    Write("POST /v2/crm/entity-schema", "api:crm:schema", "declares the fields of these objects"),
    Write("POST /v2/digital-interaction", "api:digital-interactions:write", "reports an online activity of a visitor"),
    Write("PUT /v2/customer-engagement/action", _ENGAGEMENT, "reports an action of a customer"),
    Write("PUT /v2/customer-engagement/content/shared", _ENGAGEMENT, "reports that content was shared"),
    Write("PUT /v2/customer-engagement/content/viewed", _ENGAGEMENT, "reports that content was viewed"),
    Write("POST /v2/integration-settings", "api:integration-settings:write", "sets up an integration"),
)
"""Operations that change data in Gong."""
