"""Gong's endpoints for calls: two lists of calls, a single call, transcripts, and the two that add a call."""

from __future__ import annotations

from ..api.endpoint import Endpoint

CALLS = Endpoint(
    "GET",
    "/v2/calls",
    records="calls",
    scope="api:calls:read:basic",
    paged=True,
    priority=True,
    bound="date-time",
    description="calls with their metadata",
    note='a sync reads it with `call_detail = "basic"`, and to list the calls whose access it reads',
)
CALL = Endpoint(
    "GET",
    "/v2/calls/{id}",
    records="call",
    scope="api:calls:read:basic",
    single=True,
    description="the metadata of one call",
    note="confirms that a call is deleted; returns whether a call requested by id is private",
)
CALLS_EXTENSIVE = Endpoint(
    "POST",
    "/v2/calls/extensive",
    records="calls",
    scope="api:calls:read:extensive",
    paged=True,
    priority=True,
    bound="date-time",
    description="calls with people, content, statistics, comments and CRM context",
    note="the second scope is for `include_media`",
    optional_scope="api:calls:read:media-url",
)
TRANSCRIPTS = Endpoint(
    "POST",
    "/v2/calls/transcript",
    records="callTranscripts",
    scope="api:calls:read:transcript",
    paged=True,
    id_field="callId",
    bound="date-time",
    description="transcripts",
)

ADD_CALL = Endpoint("POST", "/v2/calls", records="callId", scope="api:calls:create", single=True, id_field="")
"""Adds a call. Sent again after a lost response, it returns the same call: Gong compares `clientUniqueId`."""

ADD_MEDIA = Endpoint(
    "PUT", "/v2/calls/{id}/media", records="callId", scope="api:calls:create", single=True, id_field=""
)
"""Adds a call's recording: a form with the single part `mediaFile`."""
