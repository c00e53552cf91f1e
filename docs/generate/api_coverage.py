"""Every operation of Gong's API and what becomes of it here: read, left out and why, or one that writes.

docs/coverage.md is made of it (`make docs`). Facts from Gong's OpenAPI document (July 2026); what it does not say is
from recorded answers. What is said of the operations that are read stands with them in sources/gong/api/endpoint.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from sources.gong.api.endpoint import Endpoint
from sources.gong.calls.endpoints import ADD_CALL, ADD_MEDIA, CALL, CALLS, CALLS_EXTENSIVE, TRANSCRIPTS
from sources.gong.resources.library import FOLDER_CONTENT, LIBRARY


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An operation that could be read and is not.

    Attributes:
        operation: Verb and path.
        scope: The scope it asks for; empty where Gong's document names none.
        gives: What it would tell.
        why: The reason.
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
        operation: Verb and path.
        scope: The scope it asks for; empty where Gong's document names none.
        does: What it changes.
        commands: Those that send it; none for what is never sent.
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

_GENERIC_CRM = "concerns a CRM of the company's own that uploads objects to Gong, not Salesforce, HubSpot or Dynamics"
_DOSSIER = (
    "privacy: a dossier of one person, asked for on that person's request and in Gong itself,"
    " not for a copy that many people query"
)
_CREDITS = "spends Gong credits with each request, and answers anew each time"

LEFT_OUT = (
    LeftOut(
        "POST /v2/users/extensive",
        "api:users:read",
        "users by id or by when they were made",
        "the same records as `GET /v2/users`, and no filter for what changed",
    ),
    LeftOut("GET /v2/users/{id}", "api:users:read", "one user", "the same record as in `GET /v2/users`"),
    LeftOut(
        "POST /v2/stats/activity/aggregate",
        "api:stats:user-actions",
        "a user's activity over a period, as numbers",
        "`user_activity_daily` has the call ids behind the numbers, day by day. They are not promised to add up to"
        " Gong's: it does not say how a call counts that comes on several days of the period",
    ),
    LeftOut(
        "POST /v2/stats/activity/aggregate-by-period",
        "api:stats:user-actions",
        "the same by day, week, month, quarter or year",
        "as above; numbers of short periods do not add up to those of longer ones, so each would be a table of its own",
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
        "all that refers to an e-mail address",
        _DOSSIER,
    ),
    LeftOut(
        "GET /v2/data-privacy/data-for-phone-number",
        "api:data-privacy:read",
        "all that refers to a phone number",
        _DOSSIER,
    ),
    LeftOut("GET /v2/entities/ask-entity", "api:ai-ask:read", "an AI's answer about an account or deal", _CREDITS),
    LeftOut("GET /v2/entities/get-brief", "api:ai-briefer:read", "an AI's brief of an account or deal", _CREDITS),
    LeftOut(
        "POST /v2/flows/steps",
        "api:flows:read",
        "the steps of Engage flows and their texts",
        "templates, not what happened; could be asked for with the ids in `flows`, and is not yet",
    ),
    LeftOut(
        "POST /v2/flows/prospects",
        "api:flows:read",
        "the flows that prospects are in",
        "not listable: wants the CRM's ids of prospects, and those Gong shows here are only of people on calls",
    ),
    LeftOut(
        "GET /v2/flows/prospects/bulk-assignments/{id}",
        "api:flows:read",
        "how an assignment of many prospects went",
        "not listable: only who sent the assignment knows its id",
    ),
    LeftOut(
        "POST /v2/tasks",
        "api:tasks:read",
        "a user's to-do list in Engage, calls to make",
        "what somebody still has to do, not what happened; asked for user by user, without bounds in time",
    ),
    LeftOut("GET /v2/crm/integrations", "api:crm:integrations:read", "the id of the generic CRM", _GENERIC_CRM),
    LeftOut(
        "GET /v2/crm/entities",
        "api:crm:get-objects",
        "objects that the generic CRM uploaded",
        "Gong means it for development only; " + _GENERIC_CRM,
    ),
    LeftOut("GET /v2/crm/entity-schema", "api:crm:schema", "fields of these objects", _GENERIC_CRM),
    LeftOut("GET /v2/crm/request-status", "api:crm:upload", "how an upload of them went", _GENERIC_CRM),
    LeftOut(
        "POST /v2/meetings/integration/status",
        "api:meetings:integration:status",
        "whether meetings can be made for a user",
        "serves who makes meetings through the API (beta)",
    ),
    LeftOut(
        "GET /v2/integration-settings",
        "",
        "an id",
        "Gong does not document it, and it says nothing else",
        documented=False,
    ),
)
"""What could be read and is not."""

_FLOWS, _ENGAGEMENT = "api:flows:write", "api:engagement-data:write"

WRITES = (
    Write(str(ADD_CALL), ADD_CALL.scope, "adds a call", ("gong-elt add-call", "gong-elt upload")),
    Write(str(ADD_MEDIA), ADD_MEDIA.scope, "adds a call's recording", ("gong-elt add-media",)),
    Write("PUT /v2/calls/users-access", "api:call-user-access:write", "gives users access to calls"),
    Write("DELETE /v2/calls/users-access", "api:call-user-access:write", "takes it from them"),
    Write("POST /v2/data-privacy/erase-data-for-email-address", "api:data-privacy:delete", "erases a person's data"),
    Write("POST /v2/data-privacy/erase-data-for-phone-number", "api:data-privacy:delete", "erases a person's data"),
    Write("POST /v2/permission-profile", "", "makes a permission profile"),
    Write("PUT /v2/permission-profile", "", "changes one"),
    Write("POST /v2/meetings", "api:meetings:user:create", "makes a meeting"),
    Write("PUT /v2/meetings/{meetingId}", "api:meetings:user:update", "changes one"),
    Write("DELETE /v2/meetings/{meetingId}", "api:meetings:user:delete", "deletes one"),
    Write("POST /v2/flows/prospects/assign", _FLOWS, "puts prospects into a flow"),
    Write("POST /v2/flows/prospects/assign/cool-off-override", _FLOWS, "the same, deprecated"),
    Write("POST /v2/flows/prospects/bulk-assignments", _FLOWS, "puts many prospects into a flow"),
    Write("POST /v2/flows/prospects/unassign-flows-by-crm-id", _FLOWS, "takes a prospect out of flows"),
    Write("POST /v2/flows/prospects/unassign-flows-by-instance-id", _FLOWS, "ends running flows"),
    Write("PATCH /v2/tasks/{taskId}", "api:tasks:write", "changes a task"),
    Write("PUT /v2/crm/integrations", "api:crm:integration:register", "registers a generic CRM"),
    Write("DELETE /v2/crm/integrations", "api:crm:integration:delete", "deletes it with its objects"),
    Write("POST /v2/crm/entities", "api:crm:upload", "uploads its objects"),
    Write("POST /v2/crm/entity-schema", "api:crm:schema", "says which fields they have"),
    Write("POST /v2/digital-interaction", "api:digital-interactions:write", "reports what a visitor did online"),
    Write("PUT /v2/customer-engagement/action", _ENGAGEMENT, "reports an action of a customer"),
    Write("PUT /v2/customer-engagement/content/shared", _ENGAGEMENT, "reports that content was shared"),
    Write("PUT /v2/customer-engagement/content/viewed", _ENGAGEMENT, "reports that content was viewed"),
    Write("POST /v2/integration-settings", "api:integration-settings:write", "sets up an integration"),
)
"""What changes something in Gong."""
