"""Map the record of a call to rows of its tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from ..datetimes import parse_gong_datetime
from ..tables.records import (
    ConnectorValues,
    InvalidRecordError,
    Record,
    hash_bytes,
    id_text,
    object_field,
    object_list_field,
)

Row = tuple[str, ConnectorValues, Record]
"""Table name, values of the connector's columns by name, and the Gong object that fills the other columns."""

_BLOCKS = ("metaData", "context", "parties", "content", "interaction", "collaboration", "media")
_CONTENT = (
    "structure",
    "topics",
    "trackers",
    "brief",
    "outline",
    "highlights",
    "keyPoints",
    "callOutcome",
)
_INTERACTION = ("speakers", "interactionStats", "video", "questions")


def call_rows(call: Record, *, content_hash: str, synced_at: datetime) -> list[Row]:
    """Return the rows of one call, in all tables.

    Args:
        call: A record of POST /v2/calls/extensive, or `{"metaData": …}` with a record of GET /v2/calls.
        content_hash: Content hash of the record.
        synced_at: When the run began.

    Raises:
        InvalidRecordError: If a block does not have the documented type.
    """
    metadata = object_field(call, "metaData")
    call_id = call_key(call)
    content, interaction = object_field(call, "content"), object_field(call, "interaction")
    outcome, questions = object_field(content, "callOutcome"), object_field(interaction, "questions")
    call_fields = {
        **metadata,
        **{name: call[name] for name in call.keys() - set(_BLOCKS)},
        **{f"content__{name}": content[name] for name in content.keys() - set(_CONTENT)},
        **{f"interaction__{name}": interaction[name] for name in interaction.keys() - set(_INTERACTION)},
        **{
            f"collaboration__{name}": value
            for name, value in object_field(call, "collaboration").items()
            if name != "publicComments"
        },
        **{f"callOutcome__{name}": value for name, value in outcome.items() if name not in ("id", "category", "name")},
        **{
            f"questions__{name}": value
            for name, value in questions.items()
            if name not in ("companyCount", "nonCompanyCount")
        },
    }
    rows: list[Row] = [
        (
            "calls",
            {
                "brief": content.get("brief"),
                "call_outcome_id": outcome.get("id"),
                "call_outcome_category": outcome.get("category"),
                "call_outcome_name": outcome.get("name"),
                "company_question_count": questions.get("companyCount"),
                "non_company_question_count": questions.get("nonCompanyCount"),
                "_effective_time": effective_time(metadata),
                "_content_hash": content_hash,
                "_synced_at": synced_at,
            },
            call_fields,
        )
    ]
    rows += _crm_rows(call_id, "", call)
    for party in object_list_field(call, "parties"):
        rows.append(("call_parties", {"call_id": call_id}, party))
        rows += _crm_rows(call_id, id_text(party.get("id")), party)
    for field, table in (("structure", "call_structure"), ("topics", "call_topics"), ("keyPoints", "call_key_points")):
        items = object_list_field(content, field)
        rows += [(table, {"call_id": call_id, "position": position}, item) for position, item in enumerate(items)]
    rows += _tracker_rows(call_id, object_list_field(content, "trackers"))
    for position, section in enumerate(object_list_field(content, "outline")):
        rows.append(("call_outline", {"call_id": call_id, "position": position}, section))
        for item_position, item in enumerate(object_list_field(section, "items")):
            values = {"call_id": call_id, "position": position, "item_position": item_position}
            rows.append(("call_outline_items", values, item))
    for position, highlight in enumerate(object_list_field(content, "highlights")):
        highlight_fields = {name: value for name, value in highlight.items() if name not in ("title", "items")}
        for item_position, item in enumerate(object_list_field(highlight, "items") or [{}]):
            values = {
                "call_id": call_id,
                "position": position,
                "item_position": item_position,
                "title": highlight.get("title"),
            }
            rows.append(("call_highlights", values, {**highlight_fields, **item}))
    parent = {"call_id": call_id}
    rows += [("call_speakers", parent, speaker) for speaker in object_list_field(interaction, "speakers")]
    rows += [("call_interaction_stats", parent, stat) for stat in object_list_field(interaction, "interactionStats")]
    rows += [("call_video", parent, video) for video in object_list_field(interaction, "video")]
    comments = object_list_field(object_field(call, "collaboration"), "publicComments")
    rows += [("call_comments", parent, comment) for comment in comments]
    if media := object_field(call, "media"):
        rows.append(("call_media", parent, media))
    return rows


def call_key(call: Record) -> str:
    """Return the call's id as text.

    Raises:
        InvalidRecordError: If the id is missing or is not text or a whole number.
    """
    call_id = object_field(call, "metaData").get("id")
    if call_id in (None, ""):
        raise InvalidRecordError("metaData.id is missing")
    if isinstance(call_id, bool) or not isinstance(call_id, str | int):
        raise InvalidRecordError(f"metaData.id is {type(call_id).__name__}, not an id")
    return id_text(call_id)


def content_hash(call: Record) -> str:
    """Return the hash of everything that is stored of a call: 32 hex digits.

    The order of keys has no effect. Media is left out, because Gong signs its URLs again in each response.
    """
    stored = {name: value for name, value in call.items() if name != "media"}
    return hash_bytes(msgspec.json.encode(stored, order="sorted"))


def effective_time(metadata: Record) -> datetime | None:
    """Return the time by which Gong filters and sorts a call: its scheduled time, else its start.

    The result is None if both are invalid. Gong's documentation of the date filter: for web conferences recorded by
    Gong "the date denotes its scheduled time, otherwise its actual start time". Telephony calls have the same time in
    both fields.
    """
    return parse_gong_datetime(metadata.get("scheduled")) or parse_gong_datetime(metadata.get("started"))


def _crm_rows(call_id: str, party_id: str, owner: Record) -> Iterator[Row]:
    """Yield the rows of the CRM objects of a call or party, and of their fields.

    Parts of the key that Gong leaves out are empty texts, so that objects and fields join on equality.
    """
    for context in object_list_field(owner, "context"):
        system_fields = {name: value for name, value in context.items() if name not in ("system", "objects")}
        for crm_object in object_list_field(context, "objects"):
            values = {
                "call_id": call_id,
                "party_id": party_id,
                "system": id_text(context.get("system")),
                "object_type": id_text(crm_object.get("objectType")),
                "object_id": id_text(crm_object.get("objectId")),
                "timing": id_text(crm_object.get("timing")),
            }
            yield "call_crm_objects", values, {**system_fields, **crm_object}
            for field in object_list_field(crm_object, "fields"):
                yield "call_crm_fields", values, field


def _tracker_rows(call_id: str, trackers: list[Record]) -> Iterator[Row]:
    """Yield the rows of all trackers of a call, and of the mentions of the last tracker of each id."""
    last = {id_text(tracker.get("id")): number for number, tracker in enumerate(trackers)}
    # Trackers without an id share one sequence of positions.
    position_without_id = 0
    for number, tracker in enumerate(trackers):
        tracker_id, phrases = id_text(tracker.get("id")), object_list_field(tracker, "phrases")
        summary = [{name: value for name, value in phrase.items() if name != "occurrences"} for phrase in phrases]
        yield "call_trackers", {"call_id": call_id, "tracker_id": tracker_id, "phrases": summary or None}, tracker
        if tracker_id and last[tracker_id] != number:
            continue
        mentions = _mentions(tracker, phrases)
        for position, (phrase, mention) in enumerate(mentions, 0 if tracker_id else position_without_id):
            values = {"call_id": call_id, "tracker_id": tracker_id, "position": position, "phrase": phrase}
            yield "call_tracker_occurrences", values, mention
        position_without_id += 0 if tracker_id else len(mentions)


def _mentions(tracker: Record, phrases: list[Record]) -> list[tuple[object, Record]]:
    """Return the mentions of a tracker, each with its phrase; None for a mention without a phrase."""
    occurrences: list[tuple[object, Record]] = [
        (phrase.get("phrase"), mention) for phrase in phrases for mention in object_list_field(phrase, "occurrences")
    ]
    # Depending on the tracker's settings, Gong lists a mention under its phrase, under the tracker, or under both.
    if mentions := object_list_field(tracker, "occurrences"):
        phrase_occurrences = {(mention.get("startTime"), mention.get("speakerId")) for _, mention in occurrences}
        occurrences += [
            (None, mention)
            for mention in mentions
            if (mention.get("startTime"), mention.get("speakerId")) not in phrase_occurrences
        ]
    return occurrences
