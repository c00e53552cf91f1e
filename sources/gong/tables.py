"""The tables this source fills, as data: name, key, columns and where each column's value comes from.

Column names are Gong's own in snake_case, so that Gong's documentation is the data dictionary. A column
that is ours, not Gong's, has no `field`; bookkeeping columns start with an underscore.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from dlt.common.normalizers.naming.snake_case import NamingConvention

DataType = Literal["text", "bigint", "double", "bool", "timestamp", "json"]
"""dlt's data types, as far as they occur. `json` holds JSON text; timestamps are UTC with microseconds."""

Replaced = Literal["by key", "with call", "whole"]
"""How rows give way to newer ones: by the table's key, all rows of a call together, or the table at once."""

Personal = Literal["email", "phone", "name", "link"]
"""What a field says about a person; decides how it is normalised before it is hashed (`pii = "hash"`)."""

_NAMING = NamingConvention()
DATA_TYPES: tuple[DataType, ...] = ("text", "bigint", "double", "bool", "timestamp", "json")
_PERSONAL: tuple[Personal, ...] = ("email", "phone", "name", "link")


def snake_case(field: str) -> str:
    """A field of Gong's as the name of a column, by dlt's own rule: `meetingUrl` becomes `meeting_url`."""
    return _NAMING.normalize_path(field)


@dataclass(frozen=True, slots=True)
class Column:
    """A column and the field of Gong's record that it holds; without a field the value is ours.

    `personal` is set where the field identifies a person.
    """

    name: str
    type: DataType
    field: str | None = None
    personal: Personal | None = None


@dataclass(frozen=True)
class Table:
    """A table of the warehouse.

    Attributes:
        name: As analysts query it.
        resource: The dlt resource that fills it.
        key: Columns that identify a row.
        replaced: How newer rows take the place of older ones.
        columns: In order; ours first, as far as they are part of the key.
        elsewhere: Fields of the record that other tables hold; every other unknown field becomes a column.
    """

    name: str
    resource: str
    key: tuple[str, ...]
    replaced: Replaced
    columns: tuple[Column, ...]
    elsewhere: frozenset[str] = frozenset()

    @cached_property
    def ours(self) -> tuple[Column, ...]:
        """The columns whose values are given by us, in order."""
        return tuple(column for column in self.columns if column.field is None)

    @cached_property
    def theirs(self) -> tuple[Column, ...]:
        """The columns that hold a field of Gong's record."""
        return tuple(column for column in self.columns if column.field is not None)


REMOVED = Column("_removed", "bool")
"""Set on its way in, where a call has no more rows in a table; no row in the warehouse carries it."""


def _ours(names: str) -> tuple[Column, ...]:
    """Columns of our own, written `name` or `name:type`, text by default."""
    return tuple(Column(name, kind) for name, kind, _ in map(_typed, names.split()))


def _gongs(fields: str) -> tuple[Column, ...]:
    """Columns that hold Gong's fields, written `field`, `field:type` or `field:type=email`, text by default."""
    return tuple(Column(snake_case(name), kind, name, personal) for name, kind, personal in map(_typed, fields.split()))


def _typed(word: str) -> tuple[str, DataType, Personal | None]:
    described, _, says = word.partition("=")
    name, _, kind = described.partition(":")
    personal = next(known for known in _PERSONAL if known == says) if says else None
    return name, next(known for known in DATA_TYPES if known == (kind or "text")), personal


def _of_call(name: str, key: str, ours: str, fields: str, elsewhere: str = "") -> Table:
    return Table(
        name,
        "calls",
        ("call_id", *key.split()),
        "with call",
        (*_ours(f"call_id {ours}"), *_gongs(fields), REMOVED),
        frozenset(elsewhere.split()),
    )


CALLS_TABLE = Table(
    "calls",
    "calls",
    ("id",),
    "by key",
    (
        *_gongs(
            "id url title scheduled:timestamp started:timestamp duration:bigint primaryUserId direction system"
            " scope media language workspaceId sdrDisposition clientUniqueId customData purpose"
            " meetingUrl=link isPrivate:bool calendarEventId"
        ),
        *_ours(
            "brief call_outcome_id call_outcome_category call_outcome_name company_question_count:bigint"
            " non_company_question_count:bigint _effective_time:timestamp _content_hash _deleted_at:timestamp"
            " _synced_at:timestamp _dlt_load_id"
        ),
        REMOVED,
    ),
)

KEPT_OF_A_DELETED_CALL = frozenset(
    column.name
    for column in (
        *_gongs("id url scheduled started duration primaryUserId direction system scope media language workspaceId"),
        *_ours("is_private _effective_time _deleted_at _synced_at _dlt_load_id"),
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
        *_ours(
            "call_id monologue_count:bigint sentence_count:bigint word_count:bigint speech_ms:bigint"
            " _content_hash _synced_at:timestamp _dlt_load_id"
        ),
        REMOVED,
    ),
)

SENTENCES_TABLE = Table(
    "transcript_sentences",
    "transcripts",
    ("call_id", "sentence_index"),
    "with call",
    (
        *_ours("call_id sentence_index:bigint monologue_index:bigint speaker_id topic"),
        Column("start_ms", "bigint", "start"),
        Column("end_ms", "bigint", "end"),
        *_gongs("text"),
        REMOVED,
    ),
)

REJECTED_TABLE = Table(
    "_rejected",
    "calls",
    ("resource", "id"),
    "by key",
    (*_ours("resource id reason record:json _content_hash _synced_at:timestamp"), REMOVED),
)

USERS_TABLE = Table(
    "users",
    "users",
    ("id",),
    "whole",
    (
        *_gongs(
            "id emailAddress=email created:timestamp active:bool emailAliases:json=email trustedEmailAddress=email"
            " firstName=name lastName=name title phoneNumber=phone extension=phone personalMeetingUrls:json=link"
        ),
        *_gongs(
            "webConferencesRecorded:bool preventWebConferenceRecording:bool telephonyCallsImported:bool"
            " emailsImported:bool preventEmailImport:bool nonRecordedMeetingsImported:bool gongConnectEnabled:bool"
        ),
        *_gongs("managerId meetingConsentPageUrl=link conferencingProviders:json spokenLanguages:json"),
    ),
    frozenset({"settings"}),
)

WORKSPACES_TABLE = Table("workspaces", "workspaces", ("id",), "whole", _gongs("id name description"))

FOLDERS_TABLE = Table(
    "library_folders",
    "library",
    ("id",),
    "whole",
    (*_gongs("id name parentFolderId createdBy updated:timestamp"), *_ours("workspace_id")),
)

LIBRARY_CALLS_TABLE = Table(
    "library_calls",
    "library",
    ("folder_id", "position"),
    "whole",
    (
        *_ours("folder_id position:bigint"),
        Column("call_id", "text", "id"),
        *_gongs("title note addedBy created:timestamp url"),
        *_ours("snippet_from_sec:double snippet_to_sec:double"),
    ),
    frozenset({"snippet"}),
)

TABLES = (
    CALLS_TABLE,
    *CALL_TABLES,
    TRANSCRIPTS_TABLE,
    SENTENCES_TABLE,
    USERS_TABLE,
    WORKSPACES_TABLE,
    FOLDERS_TABLE,
    LIBRARY_CALLS_TABLE,
    REJECTED_TABLE,
)
