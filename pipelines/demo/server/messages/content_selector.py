"""The `contentSelector` of POST /v2/calls/extensive, applied to a complete call record."""

import hashlib
from datetime import datetime
from typing import Any, Literal

import msgspec

from pipelines.demo.server.messages.request_body import StrictBody

Json = dict[str, Any]

MEDIA_URL_LIFETIME_SECONDS = 8 * 3600
_INTERACTION_BLOCKS = {"personInteractionStats": "interactionStats"}
"""Blocks of `interaction` whose name differs from that of their flag."""


class ContentFlags(StrictBody, frozen=True):
    """`contentSelector.exposedFields.content`."""

    structure: bool | None = None
    topics: bool | None = None
    trackers: bool | None = None
    tracker_occurrences: bool | None = None
    points_of_interest: bool | None = None
    brief: bool | None = None
    outline: bool | None = None
    highlights: bool | None = None
    call_outcome: bool | None = None
    key_points: bool | None = None


class InteractionFlags(StrictBody, frozen=True):
    """`contentSelector.exposedFields.interaction`."""

    speakers: bool | None = None
    video: bool | None = None
    person_interaction_stats: bool | None = None
    questions: bool | None = None


class CollaborationFlags(StrictBody, frozen=True):
    """`contentSelector.exposedFields.collaboration`."""

    public_comments: bool | None = None


class ExposedFields(StrictBody, frozen=True):
    """`contentSelector.exposedFields`."""

    parties: bool | None = None
    content: ContentFlags | None = None
    interaction: InteractionFlags | None = None
    collaboration: CollaborationFlags | None = None
    media: bool | None = None


class ContentSelector(StrictBody, frozen=True):
    """`contentSelector`."""

    context: Literal["None", "Basic", "Extended"] | None = None
    context_timing: list[Literal["Now", "TimeOfCall"]] | None = None
    exposed_fields: ExposedFields | None = None


def select_fields(
    record: Json, selector: ContentSelector, *, content_is_ready: bool, now: datetime, media_host: str
) -> Json:
    """Return the parts of a complete call record that the selector exposes, in Gong's order.

    Args:
        record: The complete record.
        selector: The content selector.
        content_is_ready: Whether Gong has analysed the call; `content` is left out before.
        now: Time for which media URLs are signed; as in Gong, they differ from response to response.
        media_host: Base URL of the recordings.
    """
    fields = selector.exposed_fields or ExposedFields()
    call: Json = {"metaData": record["metaData"]}
    detail = selector.context or "None"
    if detail != "None":
        timings = selector.context_timing or ["Now"]
        call["context"] = [_select_context(context, detail, timings) for context in record.get("context", [])]
    if fields.parties and "parties" in record:
        call["parties"] = [_select_party(party, detail) for party in record["parties"]]
    if fields.content and content_is_ready:
        content = _select_content(record.get("content", {}), fields.content)
        if content:
            call["content"] = content
    if fields.interaction and "interaction" in record:
        flags = _list_flags(fields.interaction)
        blocks = {_INTERACTION_BLOCKS.get(flag, flag) for flag in flags}
        interaction = {name: block for name, block in record["interaction"].items() if name in blocks}
        if interaction:
            call["interaction"] = interaction
    if fields.collaboration and fields.collaboration.public_comments and "collaboration" in record:
        call["collaboration"] = record["collaboration"]
    if fields.media and "media" in record:
        call["media"] = {kind: _sign_url(media_host + path, now) for kind, path in record["media"].items()}
    return call


def _list_flags(block: ContentFlags | InteractionFlags) -> set[str]:
    return {name for name, is_exposed in msgspec.to_builtins(block).items() if is_exposed}


def _select_party(party: Json, detail: str) -> Json:
    if detail == "None":
        return party | {"context": []}
    return party | {"context": [_select_context(context, detail, ["Now"]) for context in party.get("context", [])]}


def _select_content(content: Json, exposed: ContentFlags) -> Json:
    flags = _list_flags(exposed)
    blocks = {name: block for name, block in content.items() if name in flags}
    if "trackers" in blocks and not exposed.tracker_occurrences:
        blocks["trackers"] = [
            tracker | {"occurrences": [], "phrases": [phrase | {"occurrences": []} for phrase in tracker["phrases"]]}
            for tracker in blocks["trackers"]
        ]
    return blocks


def _select_context(context: Json, detail: str, timings: list[Any]) -> Json:
    objects = []
    for crm_object in context.get("objects", []):
        if crm_object.get("timing", timings[0]) not in timings:
            continue
        if detail == "Extended":
            objects.append(crm_object)
        else:
            objects.append({key: crm_object[key] for key in ("objectType", "objectId")})
    return {**context, "objects": objects}


def _sign_url(url: str, now: datetime) -> str:
    date = now.strftime("%Y%m%dT%H%M%SZ")
    signature = hashlib.sha256(f"{url} {date}".encode()).hexdigest()[:16]
    return f"{url}?X-Amz-Date={date}&X-Amz-Expires={MEDIA_URL_LIFETIME_SECONDS}&X-Amz-Signature={signature}"
