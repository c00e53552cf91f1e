"""The tables of calls and transcripts, and all tables this source fills."""

from __future__ import annotations

from ..resources.company_tables import COMPANY_TABLES
from ..tables.table import TOMBSTONE, Column, Table, connector_columns, gong_columns


def _of_call(name: str, key: str, own: str, fields: str, mapped_fields: str = "") -> Table:
    return Table(
        name,
        "calls",
        ("call_id", *key.split()),
        "together",
        (*connector_columns(f"call_id {own}"), *gong_columns(fields), TOMBSTONE),
        frozenset(mapped_fields.split()),
    )


CALLS_TABLE = Table(
    "calls",
    "calls",
    ("id",),
    "by key",
    (
        *gong_columns(
            "id url title scheduled:timestamp started:timestamp duration:bigint primaryUserId direction system"
            " scope media language workspaceId sdrDisposition clientUniqueId customData purpose"
            " meetingUrl=link isPrivate:bool calendarEventId"
        ),
        *connector_columns(
            "brief call_outcome_id call_outcome_category call_outcome_name company_question_count:bigint"
            " non_company_question_count:bigint _effective_time:timestamp _content_hash _deleted_at:timestamp"
            " _synced_at:timestamp _dlt_load_id"
        ),
        TOMBSTONE,
    ),
)

COLUMNS_KEPT_AFTER_DELETION = frozenset(
    column.name
    for column in (
        *gong_columns(
            "id url scheduled started duration primaryUserId direction system scope media language workspaceId"
        ),
        *connector_columns("is_private _effective_time _deleted_at _synced_at _dlt_load_id"),
    )
)
"""What stays of a call that Gong no longer has: that it took place. Every other column is emptied, also new ones."""

CALL_TABLES = (
    _of_call(
        "call_parties",
        "id",
        "",
        "id emailAddress=email name=name title userId speakerId affiliation phoneNumber=phone methods:json",
        "context",
    ),
    _of_call(
        "call_crm_objects",
        "party_id system object_type object_id timing",
        "party_id system object_type object_id timing",
        "",
        "objectType objectId timing fields",
    ),
    _of_call(
        "call_crm_fields",
        "party_id system object_type object_id timing name",
        "party_id system object_type object_id timing",
        "name value:json",
    ),
    _of_call("call_structure", "position", "position:bigint", "name duration:double"),
    _of_call("call_topics", "position", "position:bigint", "name duration:double"),
    _of_call(
        "call_trackers",
        "tracker_id",
        "tracker_id phrases:json",
        "name type count:bigint",
        "id phrases occurrences",
    ),
    _of_call(
        "call_tracker_occurrences",
        "tracker_id position",
        "tracker_id position:bigint phrase",
        "startTime:double speakerId",
    ),
    _of_call("call_outline", "position", "position:bigint", "section startTime:double duration:double", "items"),
    _of_call(
        "call_outline_items",
        "position item_position",
        "position:bigint item_position:bigint",
        "text startTime:double",
    ),
    _of_call(
        "call_highlights",
        "position item_position",
        "position:bigint item_position:bigint title",
        "text startTimes:json",
    ),
    _of_call("call_key_points", "position", "position:bigint", "text"),
    _of_call("call_speakers", "id", "", "id userId talkTime:double"),
    _of_call("call_interaction_stats", "name", "", "name value:double"),
    _of_call("call_video", "name", "", "name duration:double"),
    _of_call(
        "call_comments",
        "id",
        "",
        "id comment audioStartTime:double audioEndTime:double commenterUserId posted:timestamp inReplyTo"
        " duringCall:bool",
    ),
    _of_call("call_media", "", "", "audioUrl videoUrl"),
)

TRANSCRIPTS_TABLE = Table(
    "transcripts",
    "transcripts",
    ("call_id",),
    "by key",
    (
        *connector_columns(
            "call_id monologue_count:bigint sentence_count:bigint word_count:bigint speech_ms:bigint"
            " _content_hash _synced_at:timestamp _dlt_load_id"
        ),
        TOMBSTONE,
    ),
)

SENTENCES_TABLE = Table(
    "transcript_sentences",
    "transcripts",
    ("call_id", "sentence_index"),
    "together",
    (
        *connector_columns("call_id sentence_index:bigint monologue_index:bigint speaker_id topic"),
        Column("start_ms", "bigint", "start"),
        Column("end_ms", "bigint", "end"),
        *gong_columns("text"),
        TOMBSTONE,
    ),
)

REJECTED_TABLE = Table(
    "_rejected",
    "calls",
    ("resource", "id"),
    "by key",
    (*connector_columns("resource id reason record:json _content_hash _synced_at:timestamp"), TOMBSTONE),
)

TABLES = (
    CALLS_TABLE,
    *CALL_TABLES,
    TRANSCRIPTS_TABLE,
    SENTENCES_TABLE,
    *COMPANY_TABLES,
    REJECTED_TABLE,
)


def table_names(resource: str) -> list[str]:
    """Return the names of the tables that a resource fills."""
    return [table.name for table in TABLES if table.resource == resource]


def call_child_tables() -> list[str]:
    """Return the names of the tables, besides `calls`, whose rows belong to a call by their column `call_id`."""
    return [table.name for table in TABLES if table.key[0] == "call_id"]
