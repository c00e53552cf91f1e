"""Calls area: metadata, extensive data, transcripts, Add New Call and recordings."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Any, Literal, TypeVar

import msgspec

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Recording
from pipelines.demo.identifiers import format_datetime
from pipelines.demo.server.call_index import CallEntry, SortKey, build_sort_key, to_microseconds
from pipelines.demo.server.messages.content_selector import ContentSelector, select_fields
from pipelines.demo.server.messages.cursors import CursorPosition, encode_cursor, hash_request
from pipelines.demo.server.messages.pagination import build_records_member
from pipelines.demo.server.messages.request import GongRequest, validate_ids
from pipelines.demo.server.messages.request_body import StrictBody, ZonedDatetime
from pipelines.demo.server.messages.response import GongError, GongResponse
from pipelines.demo.server.messages.response_cache import JsonFragment

Json = dict[str, Any]

_NO_CALLS = "No calls found corresponding to the provided filters"
_METADATA_ONLY = ContentSelector()


class CallFilter(StrictBody, frozen=True):
    """`filter` of POST /v2/calls/transcript."""

    from_date_time: ZonedDatetime | None = None
    to_date_time: ZonedDatetime | None = None
    workspace_id: str | None = None
    call_ids: list[str] | None = None


class ExtensiveCallFilter(CallFilter, frozen=True):
    """`filter` of POST /v2/calls/extensive."""

    primary_user_ids: list[str] | None = None


class ExtensiveCallsBody(StrictBody, frozen=True):
    """Body of POST /v2/calls/extensive."""

    filter: ExtensiveCallFilter | None = None
    content_selector: ContentSelector | None = None
    cursor: str | None = None


class TranscriptsBody(StrictBody, frozen=True):
    """Body of POST /v2/calls/transcript."""

    filter: CallFilter | None = None
    cursor: str | None = None


class NewCallBody(StrictBody, frozen=True):
    """Body of POST /v2/calls. Gong ignores unknown keys of a party."""

    client_unique_id: str | None = None
    actual_start: ZonedDatetime | None = None
    direction: Literal["Inbound", "Outbound", "Conference", "Unknown"] | None = None
    parties: list[dict[str, Any]] | None = None
    primary_user: str | None = None
    title: str | None = None
    purpose: str | None = None
    scheduled_start: ZonedDatetime | None = None
    scheduled_end: ZonedDatetime | None = None
    duration: float | None = None
    disposition: str | None = None
    context: list[dict[str, Any]] | None = None
    custom_data: str | None = None
    speakers_timeline: dict[str, Any] | None = None
    meeting_url: str | None = None
    call_provider_code: str | None = None
    download_media_url: str | None = None
    workspace_id: str | None = None
    language_code: str | None = None
    flow_context: dict[str, Any] | None = None


_Filter = TypeVar("_Filter", bound=CallFilter)


def list_calls(request: GongRequest) -> GongResponse:
    """Handle GET /v2/calls."""
    since = request.parse_datetime_parameter("fromDateTime")
    until = request.parse_datetime_parameter("toDateTime")
    call_filter = ExtensiveCallFilter(since, until, request.query.get("workspaceId"))
    _validate_window("", since, until)
    return _paginate_calls(
        request,
        call_filter,
        request.query.get("cursor"),
        hash_request(request.path, call_filter),
        array="calls",
        is_ready=_build_visibility_check(request),
        encode=_get_metadata_fragment,
    )


def get_call(request: GongRequest) -> GongResponse:
    """Handle GET /v2/calls/{id}."""
    validate_ids("id", [request.path_id])
    entry = request.calls.find(request.path_id)
    if entry is None or request.settings.hides_all_calls or not _build_visibility_check(request)(entry):
        raise GongError(404, f"Call ID {request.path_id} was not found")
    return GongResponse({"call": entry.call.record["metaData"]})


def list_extensive_calls(request: GongRequest) -> GongResponse:
    """Handle POST /v2/calls/extensive."""
    body: ExtensiveCallsBody = request.body
    call_filter = _validate_filter(body.filter, request.settings.call_ids_below)
    validate_ids("filter.primaryUserIds", call_filter.primary_user_ids)
    selector = body.content_selector or _METADATA_ONLY
    if selector.context_timing and selector.context != "Extended":
        raise GongError(400, "contentSelector.contextTiming: requires context to be Extended")
    has_media = bool(selector.exposed_fields and selector.exposed_fields.media)
    if has_media:
        request.require_scope("api:calls:read:media-url")
    cache_key = msgspec.json.encode(selector)
    delay, now = request.settings.content_visible_after, request.now

    def encode(entry: CallEntry) -> JsonFragment:
        is_ready = entry.end + delay <= now

        def build() -> bytes:
            media_host = request.settings.media_host
            call = select_fields(entry.call.record, selector, content_is_ready=is_ready, now=now, media_host=media_host)
            return msgspec.json.encode(call)

        return JsonFragment(build()) if has_media else entry.get_fragment((cache_key, is_ready), build)

    return _paginate_calls(
        request,
        call_filter,
        body.cursor,
        hash_request(request.path, call_filter, selector),
        array="calls",
        is_ready=_build_visibility_check(request),
        encode=encode,
    )


def list_transcripts(request: GongRequest) -> GongResponse:
    """Handle POST /v2/calls/transcript; calls without a transcript are left out."""
    body: TranscriptsBody = request.body
    call_filter = _validate_filter(body.filter, request.settings.call_ids_below)
    delay, now = request.settings.transcript_visible_after, request.now

    def is_ready(entry: CallEntry) -> bool:
        if entry.call.transcript_json is None or entry.end + delay > now:
            return False
        return entry.call.visible_from is None or entry.call.visible_from <= now

    return _paginate_calls(
        request,
        ExtensiveCallFilter(
            call_filter.from_date_time, call_filter.to_date_time, call_filter.workspace_id, call_filter.call_ids
        ),
        body.cursor,
        hash_request(request.path, call_filter),
        array="callTranscripts",
        is_ready=is_ready,
        encode=CallEntry.get_transcript_fragment,
    )


def add_call(request: GongRequest) -> GongResponse:
    """Handle POST /v2/calls (Add New Call); a repeated clientUniqueId returns the id of the existing call."""
    body: NewCallBody = request.body
    values = msgspec.to_builtins(body)
    required = ("parties", "direction", "actualStart", "clientUniqueId", "primaryUser")
    missing = [f"{name}: must not be null" for name in required if values[name] is None]
    if missing:
        raise GongError(400, *missing)
    assert body.actual_start is not None
    if not any(user["id"] == body.primary_user and user["active"] for user in request.company.users):
        raise GongError(409, "Recording is not enabled for the primary user")
    if not any(party.get("userId") == body.primary_user for party in body.parties or []):
        raise GongError(400, "parties: must include the primary user")
    call_id = str(10**18 + int.from_bytes(sha256(str(body.client_unique_id).encode()).digest()[:7]))
    if request.calls.find(call_id) is None:
        request.calls.put(_build_uploaded_call(request, body, call_id, body.actual_start))
    return GongResponse({"callId": call_id})


def add_media(request: GongRequest) -> GongResponse:
    """Handle PUT /v2/calls/{id}/media, the recording of a call that was added without one."""
    entry = request.calls.find(request.path_id)
    if entry is None:
        raise GongError(404, "No call found corresponding to the provided id")
    content: bytes = request.body
    if not content:
        raise GongError(400, "mediaFile: must not be empty")
    request.company.recordings[request.path_id] = Recording(len(content), sha256(content).hexdigest())
    url = f"https://app.gong.io/call?id={request.path_id}"
    return GongResponse({"callId": request.path_id, "url": url}, status=201)


def _validate_filter(call_filter: _Filter | None, call_ids_below: int) -> _Filter:
    if call_filter is None:
        raise GongError(400, "filter: must not be null")
    _validate_window("filter.", call_filter.from_date_time, call_filter.to_date_time)
    validate_ids("filter.callIds", call_filter.call_ids, call_ids_below)
    return call_filter


def _validate_window(prefix: str, since: datetime | None, until: datetime | None) -> None:
    if since and until and since >= until:
        raise GongError(400, f"{prefix}fromDateTime: must be before toDateTime")


def _build_visibility_check(request: GongRequest) -> Callable[[CallEntry], bool]:
    return lambda entry: entry.is_visible(request.now, request.settings.call_visible_after)


def _get_metadata_fragment(entry: CallEntry) -> JsonFragment:
    return entry.get_fragment("metaData", lambda: msgspec.json.encode(entry.call.record["metaData"]))


def _paginate_calls(
    request: GongRequest,
    call_filter: ExtensiveCallFilter,
    cursor: str | None,
    digest: str,
    *,
    array: str,
    is_ready: Callable[[CallEntry], bool],
    encode: Callable[[CallEntry], JsonFragment],
) -> GongResponse:
    """Return the page of calls after the cursor's position; the total is counted once, on the first page."""
    position = request.decode_cursor(cursor, digest)
    after: SortKey | None = None
    if position:
        after = build_sort_key(datetime.fromisoformat(position.time or ""), str(position.call_id))
    primary_user_ids = None if call_filter.primary_user_ids is None else frozenset(call_filter.primary_user_ids)

    def matches(entry: CallEntry) -> bool:
        meta: Json = entry.call.record["metaData"]
        if call_filter.workspace_id is not None and meta["workspaceId"] != call_filter.workspace_id:
            return False
        return (primary_user_ids is None or meta["primaryUserId"] in primary_user_ids) and is_ready(entry)

    selected = request.calls.select(call_filter.from_date_time, call_filter.to_date_time, call_filter.call_ids, after)
    remaining = iter(()) if request.settings.hides_all_calls else filter(matches, selected)
    page_size = request.settings.page_size
    page = list(islice(remaining, page_size))
    has_more = next(remaining, None) is not None
    if not page and position is None:
        raise GongError(404, _NO_CALLS)
    total = position.total if position else len(page) + has_more + sum(1 for _ in remaining)
    number = position.page_number + 1 if position else 0
    next_cursor = None
    if has_more:
        last = page[-1]
        expiry = position.exp if position else request.compute_cursor_expiry()
        time = format_datetime(last.effective_time, 6)
        next_cursor = encode_cursor(
            CursorPosition(total, number, page_size, expiry, digest, time=time, call_id=int(last.call.id))
        )
    members = {"records": build_records_member(total, len(page), number, next_cursor)}
    return GongResponse(members, array, [encode(entry) for entry in page])


def _build_uploaded_call(request: GongRequest, body: NewCallBody, call_id: str, started: datetime) -> Call:
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
        "workspaceId": body.workspace_id or request.company.workspaces[0]["id"],
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
        copied: Json = {key: party[key] for key in ("emailAddress", "name", "userId", "phoneNumber") if key in party}
        affiliation = "Internal" if "userId" in party else "External"
        added: Json = {"speakerId": None, "context": [], "affiliation": affiliation, "methods": ["Attendee"]}
        party_id = str(to_microseconds(started) * 100 + number)
        parties.append({"id": party_id, **copied, **added})
    visible_from = request.now + request.settings.call_visible_after
    return Call({"metaData": meta, "context": body.context or [], "parties": parties}, None, visible_from)
