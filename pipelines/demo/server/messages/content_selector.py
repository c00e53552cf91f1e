"""What a call looks like through a content selector."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from pipelines.demo.server.messages.request_bodies import ContentFlags, ContentSelector, ExposedFields, InteractionFlags

Json = dict[str, Any]

MEDIA_URL_SECONDS = 8 * 3600
_INTERACTION_BLOCKS = {"personInteractionStats": "interactionStats"}


def exposed_call(
    record: Json, selector: ContentSelector, *, content_ready: bool, now: datetime, media_host: str
) -> Json:
    """The parts of a complete call record that the selector asks for, in Gong's order.

    Media addresses lead to `media_host` and are signed for `now`, so that they differ from answer to answer as real
    ones do.
    """
    fields = selector.exposed_fields or ExposedFields()
    call: Json = {"metaData": record["metaData"]}
    detail = selector.context or "None"
    if detail != "None":
        timings = selector.context_timing or ["Now"]
        call["context"] = [_context(context, detail, timings) for context in record.get("context", [])]
    if fields.parties and "parties" in record:
        call["parties"] = [
            party | {"context": [_context(c, detail, ["Now"]) for c in party.get("context", []) if detail != "None"]}
            for party in record["parties"]
        ]
    if fields.content and content_ready:
        content = _content(record.get("content", {}), fields.content)
        if content:
            call["content"] = content
    if fields.interaction and "interaction" in record:
        flags = _flags(fields.interaction)
        blocks = {_INTERACTION_BLOCKS.get(flag, flag) for flag in flags}
        interaction = {name: block for name, block in record["interaction"].items() if name in blocks}
        if interaction:
            call["interaction"] = interaction
    if fields.collaboration and fields.collaboration.public_comments and "collaboration" in record:
        call["collaboration"] = record["collaboration"]
    if fields.media and "media" in record:
        call["media"] = {kind: _signed(media_host + path, now) for kind, path in record["media"].items()}
    return call


def _flags(block: ContentFlags | InteractionFlags) -> set[str]:
    return {name for name, wanted in msgspec.to_builtins(block).items() if wanted}


def _content(content: Json, asked: ContentFlags) -> Json:
    flags = _flags(asked)
    chosen = {name: block for name, block in content.items() if name in flags}
    if "trackers" in chosen and not asked.tracker_occurrences:
        chosen["trackers"] = [
            tracker | {"occurrences": [], "phrases": [phrase | {"occurrences": []} for phrase in tracker["phrases"]]}
            for tracker in chosen["trackers"]
        ]
    return chosen


def _context(context: Json, detail: str, timings: list[Any]) -> Json:
    objects = []
    for known in context.get("objects", []):
        if known.get("timing", timings[0]) not in timings:
            continue
        objects.append(known if detail == "Extended" else {key: known[key] for key in ("objectType", "objectId")})
    return {**context, "objects": objects}


def _signed(url: str, now: datetime) -> str:
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    signature = hashlib.sha256(f"{url} {stamp}".encode()).hexdigest()[:16]
    return f"{url}?X-Amz-Date={stamp}&X-Amz-Expires={MEDIA_URL_SECONDS}&X-Amz-Signature={signature}"
