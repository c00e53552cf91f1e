"""Tables of calls and transcripts, and the personal fields of their records."""

from __future__ import annotations

from ..tables.column_types import BIGINT, BOOL, DOUBLE, JSON, TEXT, TIMESTAMP
from ..tables.pseudonyms import CRM_CONTEXT, PersonalFields
from ..tables.rejects import REJECTED_TABLE
from ..tables.table import LOAD_ID, TOMBSTONE, Column, Table, WriteStrategy

CALLS_TABLE = Table(
    name="calls",
    description="one row per call: metadata, brief, outcome, question counts",
    key=("id",),
    write_strategy=WriteStrategy.UPSERT,
    columns=(
        Column("id", TEXT, field="id"),
        Column("url", TEXT, field="url"),
        Column("title", TEXT, field="title"),
        Column("scheduled", TIMESTAMP, field="scheduled"),
        Column("started", TIMESTAMP, field="started"),
        Column("duration", BIGINT, field="duration"),
        Column("primary_user_id", TEXT, field="primaryUserId"),
        Column("direction", TEXT, field="direction"),
        Column("system", TEXT, field="system"),
        Column("scope", TEXT, field="scope"),
        Column("media", TEXT, field="media"),
        Column("language", TEXT, field="language"),
        Column("workspace_id", TEXT, field="workspaceId"),
        Column("sdr_disposition", TEXT, field="sdrDisposition"),
        Column("client_unique_id", TEXT, field="clientUniqueId"),
        Column("custom_data", TEXT, field="customData"),
        Column("purpose", TEXT, field="purpose"),
        Column("meeting_url", TEXT, field="meetingUrl", pii="link"),
        Column("is_private", BOOL, field="isPrivate"),
        Column("calendar_event_id", TEXT, field="calendarEventId"),
        Column("brief", TEXT),
        Column("call_outcome_id", TEXT),
        Column("call_outcome_category", TEXT),
        Column("call_outcome_name", TEXT),
        Column("company_question_count", BIGINT),
        Column("non_company_question_count", BIGINT),
        Column("_effective_time", TIMESTAMP),
        Column("_content_hash", TEXT),
        Column("_deleted_at", TIMESTAMP),
        Column("_synced_at", TIMESTAMP),
        Column(LOAD_ID, TEXT),
        TOMBSTONE,
    ),
)

COLUMNS_KEPT_AFTER_DELETION = frozenset({
    "id", "url", "scheduled", "started", "duration", "primary_user_id", "direction", "system", "scope", "media",
    "language", "workspace_id", "is_private", "_effective_time", "_deleted_at", "_synced_at", LOAD_ID,
})  # fmt: skip
"""Columns that keep their value when a call is deleted in Gong: they show that it took place. All others, including new
ones, are emptied."""

CALL_METADATA_COLUMNS = COLUMNS_KEPT_AFTER_DELETION | {column.name for column in CALLS_TABLE.columns if column.field}
"""Columns of `calls` that are stored of a private call with `private_calls = "metadata"`."""

CALL_PARTIES_TABLE = Table(
    name="call_parties",
    description="who took part or was invited",
    key=("call_id", "id"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    mapped_fields=frozenset({"context"}),
    columns=(
        Column("call_id", TEXT),
        Column("id", TEXT, field="id"),
        Column("email_address", TEXT, field="emailAddress", pii="email"),
        Column("name", TEXT, field="name", pii="name"),
        Column("title", TEXT, field="title"),
        Column("user_id", TEXT, field="userId"),
        Column("speaker_id", TEXT, field="speakerId"),
        Column("affiliation", TEXT, field="affiliation"),
        Column("phone_number", TEXT, field="phoneNumber", pii="phone"),
        Column("methods", JSON, field="methods"),
        TOMBSTONE,
    ),
)

_OPTIONAL_CRM_KEY = frozenset({"party_id", "system", "object_type", "timing"})

CALL_CRM_OBJECTS_TABLE = Table(
    name="call_crm_objects",
    description="CRM objects linked to a call or party; party_id is empty for the call's own",
    key=("call_id", "party_id", "system", "object_type", "object_id", "timing"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    optional_key=_OPTIONAL_CRM_KEY,
    mapped_fields=frozenset({"fields", "objectId", "objectType", "timing"}),
    columns=(
        Column("call_id", TEXT),
        Column("party_id", TEXT),
        Column("system", TEXT),
        Column("object_type", TEXT),
        Column("object_id", TEXT),
        Column("timing", TEXT),
        TOMBSTONE,
    ),
)

CALL_CRM_FIELDS_TABLE = Table(
    name="call_crm_fields",
    description="fields of the CRM objects, value as JSON",
    key=("call_id", "party_id", "system", "object_type", "object_id", "timing", "name"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    optional_key=_OPTIONAL_CRM_KEY,
    columns=(
        Column("call_id", TEXT),
        Column("party_id", TEXT),
        Column("system", TEXT),
        Column("object_type", TEXT),
        Column("object_id", TEXT),
        Column("timing", TEXT),
        Column("name", TEXT, field="name"),
        Column("value", JSON, field="value"),
        TOMBSTONE,
    ),
)

CALL_STRUCTURE_TABLE = Table(
    name="call_structure",
    description="sections of the agenda, duration in seconds",
    key=("call_id", "position"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    columns=(
        Column("call_id", TEXT),
        Column("position", BIGINT),
        Column("name", TEXT, field="name"),
        Column("duration", DOUBLE, field="duration"),
        TOMBSTONE,
    ),
)

CALL_TOPICS_TABLE = Table(
    name="call_topics",
    description="topics, duration in seconds",
    key=("call_id", "position"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    columns=(
        Column("call_id", TEXT),
        Column("position", BIGINT),
        Column("name", TEXT, field="name"),
        Column("duration", DOUBLE, field="duration"),
        TOMBSTONE,
    ),
)

CALL_TRACKERS_TABLE = Table(
    name="call_trackers",
    description="trackers and how many times each was mentioned",
    key=("call_id", "tracker_id"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    mapped_fields=frozenset({"id", "occurrences", "phrases"}),
    columns=(
        Column("call_id", TEXT),
        Column("tracker_id", TEXT),
        Column("phrases", JSON),
        Column("name", TEXT, field="name"),
        Column("type", TEXT, field="type"),
        Column("count", BIGINT, field="count"),
        TOMBSTONE,
    ),
)

CALL_TRACKER_OCCURRENCES_TABLE = Table(
    name="call_tracker_occurrences",
    description="each mention of a tracker: phrase, second, speaker",
    key=("call_id", "tracker_id", "position"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    columns=(
        Column("call_id", TEXT),
        Column("tracker_id", TEXT),
        Column("position", BIGINT),
        Column("phrase", TEXT),
        Column("start_time", DOUBLE, field="startTime"),
        Column("speaker_id", TEXT, field="speakerId"),
        TOMBSTONE,
    ),
)

CALL_OUTLINE_TABLE = Table(
    name="call_outline",
    description="sections of the outline",
    key=("call_id", "position"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    mapped_fields=frozenset({"items"}),
    columns=(
        Column("call_id", TEXT),
        Column("position", BIGINT),
        Column("section", TEXT, field="section"),
        Column("start_time", DOUBLE, field="startTime"),
        Column("duration", DOUBLE, field="duration"),
        TOMBSTONE,
    ),
)

CALL_OUTLINE_ITEMS_TABLE = Table(
    name="call_outline_items",
    description="sentences of the outline",
    key=("call_id", "position", "item_position"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    columns=(
        Column("call_id", TEXT),
        Column("position", BIGINT),
        Column("item_position", BIGINT),
        Column("text", TEXT, field="text"),
        Column("start_time", DOUBLE, field="startTime"),
        TOMBSTONE,
    ),
)

CALL_HIGHLIGHTS_TABLE = Table(
    name="call_highlights",
    description="highlights such as next steps",
    key=("call_id", "position", "item_position"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    columns=(
        Column("call_id", TEXT),
        Column("position", BIGINT),
        Column("item_position", BIGINT),
        Column("title", TEXT),
        Column("text", TEXT, field="text"),
        Column("start_times", JSON, field="startTimes"),
        TOMBSTONE,
    ),
)

CALL_KEY_POINTS_TABLE = Table(
    name="call_key_points",
    description="key points",
    key=("call_id", "position"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    columns=(
        Column("call_id", TEXT),
        Column("position", BIGINT),
        Column("text", TEXT, field="text"),
        TOMBSTONE,
    ),
)

CALL_SPEAKERS_TABLE = Table(
    name="call_speakers",
    description="talk time per speaker in seconds",
    key=("call_id", "id"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    columns=(
        Column("call_id", TEXT),
        Column("id", TEXT, field="id"),
        Column("user_id", TEXT, field="userId"),
        Column("talk_time", DOUBLE, field="talkTime"),
        TOMBSTONE,
    ),
)

CALL_INTERACTION_STATS_TABLE = Table(
    name="call_interaction_stats",
    description="interaction statistics of the host",
    key=("call_id", "name"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    columns=(
        Column("call_id", TEXT),
        Column("name", TEXT, field="name"),
        Column("value", DOUBLE, field="value"),
        TOMBSTONE,
    ),
)

CALL_VIDEO_TABLE = Table(
    name="call_video",
    description="video segments, duration in seconds",
    key=("call_id", "name"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    columns=(
        Column("call_id", TEXT),
        Column("name", TEXT, field="name"),
        Column("duration", DOUBLE, field="duration"),
        TOMBSTONE,
    ),
)

CALL_COMMENTS_TABLE = Table(
    name="call_comments",
    description="public comments",
    key=("call_id", "id"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    columns=(
        Column("call_id", TEXT),
        Column("id", TEXT, field="id"),
        Column("comment", TEXT, field="comment"),
        Column("audio_start_time", DOUBLE, field="audioStartTime"),
        Column("audio_end_time", DOUBLE, field="audioEndTime"),
        Column("commenter_user_id", TEXT, field="commenterUserId"),
        Column("posted", TIMESTAMP, field="posted"),
        Column("in_reply_to", TEXT, field="inReplyTo"),
        Column("during_call", BOOL, field="duringCall"),
        TOMBSTONE,
    ),
)

CALL_MEDIA_TABLE = Table(
    name="call_media",
    description="URLs of recordings, if requested",
    key=("call_id",),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    columns=(
        Column("call_id", TEXT),
        Column("audio_url", TEXT, field="audioUrl"),
        Column("video_url", TEXT, field="videoUrl"),
        TOMBSTONE,
    ),
)

CALL_TABLES = (
    CALL_PARTIES_TABLE,
    CALL_CRM_OBJECTS_TABLE,
    CALL_CRM_FIELDS_TABLE,
    CALL_STRUCTURE_TABLE,
    CALL_TOPICS_TABLE,
    CALL_TRACKERS_TABLE,
    CALL_TRACKER_OCCURRENCES_TABLE,
    CALL_OUTLINE_TABLE,
    CALL_OUTLINE_ITEMS_TABLE,
    CALL_HIGHLIGHTS_TABLE,
    CALL_KEY_POINTS_TABLE,
    CALL_SPEAKERS_TABLE,
    CALL_INTERACTION_STATS_TABLE,
    CALL_VIDEO_TABLE,
    CALL_COMMENTS_TABLE,
    CALL_MEDIA_TABLE,
)
"""Child tables of `calls`."""

TRANSCRIPTS_TABLE = Table(
    name="transcripts",
    description="one row per transcript: monologues, sentences, words, milliseconds of speech",
    key=("call_id",),
    write_strategy=WriteStrategy.UPSERT,
    columns=(
        Column("call_id", TEXT),
        Column("monologue_count", BIGINT),
        Column("sentence_count", BIGINT),
        Column("word_count", BIGINT),
        Column("speech_ms", BIGINT),
        Column("_content_hash", TEXT),
        Column("_synced_at", TIMESTAMP),
        Column(LOAD_ID, TEXT),
        TOMBSTONE,
    ),
)

SENTENCES_TABLE = Table(
    name="transcript_sentences",
    description="one row per sentence: speaker, topic, start and end in milliseconds, text",
    key=("call_id", "sentence_index"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    columns=(
        Column("call_id", TEXT),
        Column("sentence_index", BIGINT),
        Column("monologue_index", BIGINT),
        Column("speaker_id", TEXT),
        Column("topic", TEXT),
        Column("start_ms", BIGINT, field="start"),
        Column("end_ms", BIGINT, field="end"),
        Column("text", TEXT, field="text"),
        TOMBSTONE,
    ),
)

TABLES_BY_RESOURCE: dict[str, tuple[Table, ...]] = {
    "calls": (CALLS_TABLE, *CALL_TABLES, REJECTED_TABLE),
    "transcripts": (TRANSCRIPTS_TABLE, SENTENCES_TABLE),
}
"""The tables of the two resources. Every resource may add rows to `_rejected`, which is created with `calls`."""

CALL_PERSONAL_FIELDS = PersonalFields(
    objects={
        "metaData": PersonalFields(CALLS_TABLE),
        "content": PersonalFields(),
        "interaction": PersonalFields(lists={"speakers": PersonalFields(CALL_SPEAKERS_TABLE, is_person=True)}),
        "collaboration": PersonalFields(
            lists={"publicComments": PersonalFields(CALL_COMMENTS_TABLE, is_person=True)},
        ),
        "media": PersonalFields(CALL_MEDIA_TABLE),
    },
    lists={
        "context": CRM_CONTEXT,
        "parties": PersonalFields(CALL_PARTIES_TABLE, is_person=True, lists={"context": CRM_CONTEXT}),
    },
)

TRANSCRIPT_PERSONAL_FIELDS = PersonalFields(SENTENCES_TABLE)
