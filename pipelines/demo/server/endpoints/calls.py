"""The call endpoints of the simulated Gong: lists, extensive data, transcripts, adding calls and recordings."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar

import msgspec

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Recording
from pipelines.demo.identifiers import format_datetime
from pipelines.demo.server.call_index import Key, Listed, listing_key, microseconds
from pipelines.demo.server.messages.content_selector import exposed_call
from pipelines.demo.server.messages.cursors import CursorPosition, encode_cursor, request_digest
from pipelines.demo.server.messages.request_bodies import (
    CallFilter,
    ContentSelector,
    ExtensiveBody,
    NewCallBody,
    OwnedCallFilter,
    TranscriptBody,
)
from pipelines.demo.server.messages.response_cache import Piece
from pipelines.demo.server.messages.responses import NO_CALLS, Answer, Asked, GongError, check_ids, instant, records

Json = dict[str, Any]

_Filter = TypeVar("_Filter", bound=CallFilter)

_METADATA_ONLY = ContentSelector()


def list_calls(asked: Asked) -> Answer:
    """GET /v2/calls."""
    since, before = instant(asked, "fromDateTime"), instant(asked, "toDateTime")
    wanted = OwnedCallFilter(since, before, asked.query.get("workspaceId"))
    _check_period("", since, before)
    request = request_digest(asked.path, wanted)
    return _page(
        asked,
        wanted,
        asked.query.get("cursor"),
        request,
        array="calls",
        is_ready=_call_is_visible(asked),
        piece=_basic_piece,
    )


def one_call(asked: Asked) -> Answer:
    """GET /v2/calls/{id}."""
    check_ids("id", [asked.path_id])
    entry = asked.calls.find(asked.path_id)
    if entry is None or asked.settings.see_no_calls or not _call_is_visible(asked)(entry):
        raise GongError(404, f"Call ID {asked.path_id} was not found")
    return Answer({"call": entry.call.record["metaData"]})


def extensive_calls(asked: Asked) -> Answer:
    """POST /v2/calls/extensive."""
    body: ExtensiveBody = asked.body
    wanted = _checked(body.filter, asked.settings.call_ids_below)
    check_ids("filter.primaryUserIds", wanted.primary_user_ids)
    selector = body.content_selector or _METADATA_ONLY
    if selector.context_timing and selector.context != "Extended":
        raise GongError(400, "contentSelector.contextTiming: requires context to be Extended")
    with_media = bool(selector.exposed_fields and selector.exposed_fields.media)
    if with_media:
        asked.require("api:calls:read:media-url")
    cache_key = msgspec.json.encode(selector)
    delay, now = asked.settings.content_visible_after, asked.now

    def piece(entry: Listed) -> Piece:
        ready = entry.end + delay <= now

        def build() -> bytes:
            host = asked.settings.media_host
            call = exposed_call(entry.call.record, selector, content_ready=ready, now=now, media_host=host)
            return msgspec.json.encode(call)

        return Piece(build()) if with_media else entry.piece((cache_key, ready), build)

    request = request_digest(asked.path, wanted, selector)
    return _page(asked, wanted, body.cursor, request, array="calls", is_ready=_call_is_visible(asked), piece=piece)


def call_transcripts(asked: Asked) -> Answer:
    """POST /v2/calls/transcript; calls without a transcript are left out."""
    body: TranscriptBody = asked.body
    wanted = _checked(body.filter, asked.settings.call_ids_below)
    delay, now = asked.settings.transcript_visible_after, asked.now

    def is_ready(entry: Listed) -> bool:
        if entry.call.transcript_json is None or entry.end + delay > now:
            return False
        return entry.call.visible_from is None or entry.call.visible_from <= now

    request = request_digest(asked.path, wanted)
    owned = OwnedCallFilter(wanted.from_date_time, wanted.to_date_time, wanted.workspace_id, wanted.call_ids)
    return _page(
        asked, owned, body.cursor, request, array="callTranscripts", is_ready=is_ready, piece=Listed.transcript_piece
    )


def add_call(asked: Asked) -> Answer:
    """POST /v2/calls: Add New Call; the same clientUniqueId gives the same call again."""
    body: NewCallBody = asked.body
    required = ("parties", "direction", "actualStart", "clientUniqueId", "primaryUser")
    given = msgspec.to_builtins(body)
    missing = [f"{name}: must not be null" for name in required if given[name] is None]
    if missing:
        raise GongError(400, *missing)
    assert body.actual_start is not None
    if not any(user["id"] == body.primary_user and user["active"] for user in asked.company.users):
        raise GongError(409, "Recording is not enabled for the primary user")
    if not any(party.get("userId") == body.primary_user for party in body.parties or []):
        raise GongError(400, "parties: must include the primary user")
    call_id = str(10**18 + int.from_bytes(sha256(str(body.client_unique_id).encode()).digest()[:7]))
    if asked.calls.find(call_id) is None:
        asked.calls.put(_uploaded(asked, body, call_id, body.actual_start))
    return Answer({"callId": call_id})


def add_media(asked: Asked) -> Answer:
    """PUT /v2/calls/{id}/media: the recording of a call that was added without one."""
    entry = asked.calls.find(asked.path_id)
    if entry is None:
        raise GongError(404, "No call found corresponding to the provided id")
    recording: bytes = asked.body
    if not recording:
        raise GongError(400, "mediaFile: must not be empty")
    asked.company.recordings[asked.path_id] = Recording(len(recording), sha256(recording).hexdigest())
    return Answer({"callId": asked.path_id, "url": f"https://app.gong.io/call?id={asked.path_id}"}, status=201)


def _checked(wanted: _Filter | None, below: int) -> _Filter:
    if wanted is None:
        raise GongError(400, "filter: must not be null")
    _check_period("filter.", wanted.from_date_time, wanted.to_date_time)
    check_ids("filter.callIds", wanted.call_ids, below)
    return wanted


def _check_period(prefix: str, since: datetime | None, before: datetime | None) -> None:
    if since and before and since >= before:
        raise GongError(400, f"{prefix}fromDateTime: must be before toDateTime")


def _call_is_visible(asked: Asked) -> Callable[[Listed], bool]:
    return lambda entry: entry.is_listed(asked.now, asked.settings.call_visible_after)


def _basic_piece(entry: Listed) -> Piece:
    return entry.piece("metaData", lambda: msgspec.json.encode(entry.call.record["metaData"]))


def _page(
    asked: Asked,
    wanted: OwnedCallFilter,
    cursor: str | None,
    request: str,
    *,
    array: str,
    is_ready: Callable[[Listed], bool],
    piece: Callable[[Listed], Piece],
) -> Answer:
    """A page of calls behind the cursor's position; the total is counted once, on the first page."""
    position = asked.resume(cursor, request)
    after: Key | None = None
    if position:
        after = listing_key(datetime.fromisoformat(position.time or ""), str(position.call_id))
    owners = None if wanted.primary_user_ids is None else frozenset(wanted.primary_user_ids)

    def matches(entry: Listed) -> bool:
        meta: Json = entry.call.record["metaData"]
        if wanted.workspace_id is not None and meta["workspaceId"] != wanted.workspace_id:
            return False
        return (owners is None or meta["primaryUserId"] in owners) and is_ready(entry)

    selected = asked.calls.select(wanted.from_date_time, wanted.to_date_time, wanted.call_ids, after)
    found = iter(()) if asked.settings.see_no_calls else filter(matches, selected)
    size = asked.settings.page_size
    shown = list(islice(found, size))
    beyond = next(found, None) is not None
    if not shown and position is None:
        raise GongError(404, NO_CALLS)
    total = position.total if position else len(shown) + beyond + sum(1 for _ in found)
    number = position.page_number + 1 if position else 0
    following = None
    if beyond:
        last = shown[-1]
        expiry = position.exp if position else asked.expiry()
        time = format_datetime(last.effective, 6)
        following = encode_cursor(
            CursorPosition(total, number, size, expiry, request, time=time, call_id=int(last.call.id))
        )
    described = {"records": records(total, len(shown), number, following)}
    return Answer(described, array, [piece(entry) for entry in shown])


def _uploaded(asked: Asked, body: NewCallBody, call_id: str, started: datetime) -> Call:
    meta: Json = {
        "id": call_id,
        "url": f"https://us-10000.app.gong.example/call?id={call_id}",
        "title": body.title,
        "scheduled": format_datetime(body.scheduled_start or started),
        "started": format_datetime(started, 3),
        "duration": int(body.duration or 0),
        "primaryUserId": body.primary_user,
        "direction": body.direction,
        "system": "Public API",
        "scope": "Unknown",
        "media": "Audio",
        "language": body.language_code or "und",
        "workspaceId": body.workspace_id or asked.company.workspaces[0]["id"],
        "sdrDisposition": body.disposition,
        "clientUniqueId": body.client_unique_id,
        "customData": body.custom_data,
        "purpose": body.purpose,
        "meetingUrl": body.meeting_url,
        "isPrivate": False,
        "calendarEventId": None,
    }
    parties: list[Json] = []
    for number, party in enumerate(body.parties or []):
        known: Json = {key: party[key] for key in ("emailAddress", "name", "userId", "phoneNumber") if key in party}
        affiliation = "Internal" if "userId" in party else "External"
        extra: Json = {"speakerId": None, "context": [], "affiliation": affiliation, "methods": ["Attendee"]}
        party_id = str(microseconds(started) * 100 + number)
        parties.append({"id": party_id, **known, **extra})
    visible_from = asked.now + asked.settings.call_visible_after
    return Call({"metaData": meta, "context": body.context or [], "parties": parties}, None, visible_from)
