"""Settings of the company: trackers, scorecards, call outcomes and briefs."""

from __future__ import annotations

from collections.abc import Iterator

from ..api.endpoint import Endpoint
from ..tables.column_types import BIGINT, BOOL, JSON, TEXT, TIMESTAMP
from ..tables.pseudonyms import PersonalFields
from ..tables.records import ConnectorValues, InvalidRecordError, Record, id_text, object_list_field
from ..tables.table import Column, Table
from .full_refresh import FullRefreshResource


def keyword_rows(tracker: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    """Yield one row per keyword of a tracker, numbered over all languages."""
    position = 0
    for language in object_list_field(tracker, "languageKeywords"):
        keywords = language.get("keywords")
        if not isinstance(keywords, list | None):
            raise InvalidRecordError("keywords is not a list")
        for keyword in keywords or ():
            values = {"tracker_id": id_text(tracker["trackerId"]), "position": position, "keyword": keyword}
            yield values, language
            position += 1


TRACKERS_TABLE = Table(
    name="trackers",
    description="keyword trackers as configured; the API does not expose smart trackers",
    key=("tracker_id",),
    mapped_fields=frozenset({"languageKeywords"}),
    columns=(
        Column("tracker_id", TEXT, field="trackerId"),
        Column("tracker_name", TEXT, field="trackerName"),
        Column("workspace_id", TEXT, field="workspaceId"),
        Column("affiliation", TEXT, field="affiliation"),
        Column("part_of_question", BOOL, field="partOfQuestion"),
        Column("said_at", TEXT, field="saidAt"),
        Column("said_at_interval", BIGINT, field="saidAtInterval"),
        Column("said_at_unit", TEXT, field="saidAtUnit"),
        Column("said_in_topics", JSON, field="saidInTopics"),
        Column("filter_query", TEXT, field="filterQuery"),
        Column("created", TIMESTAMP, field="created"),
        Column("creator_user_id", TEXT, field="creatorUserId"),
        Column("updated", TIMESTAMP, field="updated"),
        Column("updater_user_id", TEXT, field="updaterUserId"),
    ),
)

TRACKER_KEYWORDS_TABLE = Table(
    name="tracker_keywords",
    description="one row per keyword of a tracker",
    key=("tracker_id", "language", "position"),
    rows=keyword_rows,
    mapped_fields=frozenset({"keywords"}),
    columns=(
        Column("tracker_id", TEXT),
        Column("position", BIGINT),
        Column("keyword", TEXT),
        Column("language", TEXT, field="language"),
        Column("include_related_forms", BOOL, field="includeRelatedForms"),
    ),
)

TRACKERS = FullRefreshResource(
    name="trackers",
    endpoint=Endpoint(
        "GET",
        "/v2/settings/trackers",
        records="keywordTrackers",
        scope="api:settings:trackers:read",
        id_field="trackerId",
        description="keyword trackers as configured",
        note="the API does not expose smart trackers",
    ),
    tables=(TRACKERS_TABLE, TRACKER_KEYWORDS_TABLE),
    scoped_to_workspace=True,
)


def question_rows(scorecard: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    """Yield one row per question of a scorecard."""
    for position, question in enumerate(object_list_field(scorecard, "questions")):
        yield {"scorecard_id": id_text(scorecard["scorecardId"]), "position": position}, question


SCORECARDS_TABLE = Table(
    name="scorecards",
    description="scorecards",
    key=("scorecard_id",),
    mapped_fields=frozenset({"questions"}),
    columns=(
        Column("scorecard_id", TEXT, field="scorecardId"),
        Column("scorecard_name", TEXT, field="scorecardName"),
        Column("workspace_id", TEXT, field="workspaceId"),
        Column("enabled", BOOL, field="enabled"),
        Column("review_method", TEXT, field="reviewMethod"),
        Column("created", TIMESTAMP, field="created"),
        Column("updated", TIMESTAMP, field="updated"),
        Column("updater_user_id", TEXT, field="updaterUserId"),
    ),
)

SCORECARD_QUESTIONS_TABLE = Table(
    name="scorecard_questions",
    description="one row per question of a scorecard",
    key=("scorecard_id", "question_id"),
    rows=question_rows,
    columns=(
        Column("scorecard_id", TEXT),
        Column("position", BIGINT),
        Column("question_id", TEXT, field="questionId"),
        Column("question_revision_id", TEXT, field="questionRevisionId"),
        Column("question_text", TEXT, field="questionText"),
        Column("is_overall", BOOL, field="isOverall"),
        Column("question_type", TEXT, field="questionType"),
        Column("answer_guide", TEXT, field="answerGuide"),
        Column("min_range", BIGINT, field="minRange"),
        Column("max_range", BIGINT, field="maxRange"),
        Column("answer_options", JSON, field="answerOptions"),
        Column("created", TIMESTAMP, field="created"),
        Column("updated", TIMESTAMP, field="updated"),
        Column("updater_user_id", TEXT, field="updaterUserId"),
    ),
)

SCORECARDS = FullRefreshResource(
    name="scorecards",
    endpoint=Endpoint(
        "GET",
        "/v2/settings/scorecards",
        records="scorecards",
        scope="api:settings:scorecards:read",
        id_field="scorecardId",
        description="scorecards and their questions",
    ),
    tables=(SCORECARDS_TABLE, SCORECARD_QUESTIONS_TABLE),
    personal_fields=PersonalFields(SCORECARDS_TABLE, lists={"questions": PersonalFields(SCORECARD_QUESTIONS_TABLE)}),
)

CALL_OUTCOMES_TABLE = Table(
    name="call_outcomes",
    description="the outcomes that a call can have",
    key=("call_outcome",),
    columns=(
        Column("call_outcome", TEXT, field="callOutcome"),
        Column("display_order", BIGINT, field="displayOrder"),
        Column("connect_status", TEXT, field="connectStatus"),
        Column("sentiment", TEXT, field="sentiment"),
        Column("todo_action", TEXT, field="todoAction"),
        Column("automation", TEXT, field="automation"),
        Column("category", TEXT, field="category"),
    ),
)

CALL_OUTCOMES = FullRefreshResource(
    name="call_outcomes",
    endpoint=Endpoint(
        "GET",
        "/v2/call-outcomes",
        records="outcomes",
        scope="api:call-outcomes:read",
        id_field="callOutcome",
        description="the outcomes that a call can have",
    ),
    tables=(CALL_OUTCOMES_TABLE,),
)

BRIEFS_TABLE = Table(
    name="briefs",
    description="briefs as configured",
    key=("brief_id",),
    columns=(
        Column("brief_id", TEXT, field="briefId"),
        Column("brief_name", TEXT, field="briefName"),
        Column("workspace_id", TEXT, field="workspaceId"),
        Column("description", TEXT, field="description"),
        Column("status", TEXT, field="status"),
        Column("creator", TEXT, field="creator", pii="name"),
        Column("creator_user_id", TEXT, field="creatorUserId"),
        Column("created", TIMESTAMP, field="created"),
        Column("updated", TIMESTAMP, field="updated"),
    ),
)

BRIEFS = FullRefreshResource(
    name="briefs",
    endpoint=Endpoint(
        "GET",
        "/v2/settings/briefs",
        records="briefs",
        scope="api:ai-briefer:read",
        id_field="briefId",
        description="briefs as configured",
    ),
    tables=(BRIEFS_TABLE,),
    scoped_to_workspace=True,
)
