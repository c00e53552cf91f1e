"""Statistics: reviews by scorecard, and activity and interaction per user and day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta

from ..api.endpoint import Endpoint
from ..extract.context import ExtractContext
from ..extract.pages import read_records
from ..extract.probe import Probe, SampleIds
from ..incremental.date_slices import DateSlice, RecordsByDate, first_incomplete_date
from ..tables.column_types import BIGINT, BOOL, DATE, DOUBLE, JSON, TEXT, TIMESTAMP
from ..tables.pseudonyms import PersonalFields
from ..tables.records import (
    ConnectorValues,
    InvalidRecordError,
    Record,
    id_text,
    object_list_field,
)
from ..tables.table import TOMBSTONE, Column, Table, WriteStrategy, snake_case
from .date_sliced import DateSlicedResource, date_field, date_field_or_start


def answer_rows(answered: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    """Yield one row per answer of an answered scorecard."""
    for position, answer in enumerate(object_list_field(answered, "answers")):
        yield {"answered_scorecard_id": id_text(answered["answeredScorecardId"]), "position": position}, answer


ANSWERED_SCORECARDS_TABLE = Table(
    name="answered_scorecards",
    description="reviews, by people and automatic",
    key=("answered_scorecard_id",),
    write_strategy=WriteStrategy.UPSERT,
    mapped_fields=frozenset({"answers"}),
    columns=(
        Column("answered_scorecard_id", TEXT, field="answeredScorecardId"),
        Column("scorecard_id", TEXT, field="scorecardId"),
        Column("scorecard_name", TEXT, field="scorecardName"),
        Column("call_id", TEXT, field="callId"),
        Column("call_start_time", TIMESTAMP, field="callStartTime"),
        Column("reviewed_user_id", TEXT, field="reviewedUserId"),
        Column("reviewer_user_id", TEXT, field="reviewerUserId"),
        Column("review_method", TEXT, field="reviewMethod"),
        Column("editor_user_id", TEXT, field="editorUserId"),
        Column("review_time", TIMESTAMP, field="reviewTime"),
        Column("visibility_type", TEXT, field="visibilityType"),
    ),
)

ANSWERED_SCORECARD_ANSWERS_TABLE = Table(
    name="answered_scorecard_answers",
    description="one row per answer of a review",
    key=("answered_scorecard_id", "position"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    rows=answer_rows,
    columns=(
        Column("answered_scorecard_id", TEXT),
        Column("position", BIGINT),
        Column("question_id", TEXT, field="questionId"),
        Column("question_revision_id", TEXT, field="questionRevisionId"),
        Column("is_overall", BOOL, field="isOverall"),
        Column("score", BIGINT, field="score"),
        Column("answer_text", TEXT, field="answerText"),
        Column("not_applicable", BOOL, field="notApplicable"),
        Column("selected_options", JSON, field="selectedOptions"),
        TOMBSTONE,
    ),
)


async def read_answered_scorecards(context: ExtractContext, date_slice: DateSlice) -> RecordsByDate:
    """Return the reviews of a slice by the day of the review."""
    # Without reviewMethod Gong omits automatic reviews.
    bounds = {"reviewFromDate": date_slice.since.isoformat(), "reviewMethod": "BOTH"}
    if not date_slice.is_open_ended:
        bounds["reviewToDate"] = date_slice.until.isoformat()
    by_date: RecordsByDate = defaultdict(list)
    for record in await read_records(context.client, ANSWERED_SCORECARDS.endpoint, body={"filter": bounds}):
        by_date[date_field_or_start(record, "reviewTime", date_slice)].append(record)
    return by_date


ANSWERED_SCORECARDS = DateSlicedResource(
    name="answered_scorecards",
    endpoint=Endpoint(
        "POST",
        "/v2/stats/activity/scorecards",
        records="answeredScorecards",
        scope="api:stats:scorecards",
        paged=True,
        id_field="answeredScorecardId",
        bound="date",
        empty_text_known=False,
        description="reviews and their answers",
        note="by people and automatic ones",
    ),
    tables=(ANSWERED_SCORECARDS_TABLE, ANSWERED_SCORECARD_ANSWERS_TABLE),
    read=read_answered_scorecards,
    days_per_request=90,
    opt_in=False,
    probe_builder=lambda endpoint, _: Probe(endpoint, body={"filter": {"reviewMethod": "BOTH"}}),
    personal_fields=PersonalFields(
        ANSWERED_SCORECARDS_TABLE, lists={"answers": PersonalFields(ANSWERED_SCORECARD_ANSWERS_TABLE)}
    ),
)


def activity_rows(activity: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    """Yield a user's activity on a day as one row, with the number of calls per field."""
    counts = {}
    for field in ACTIVITIES:
        calls = activity.get(field)
        if not isinstance(calls, list | None):
            raise InvalidRecordError(f"{field} is not a list of call ids")
        counts[f"{snake_case(field)}_count"] = len(calls or ())
    values = {
        "from_date": date_field(activity, "fromDate"),
        "to_date": date_field(activity, "toDate"),
        "user_id": id_text(activity["userId"]),
    }
    yield values | counts, activity


USER_ACTIVITY_TABLE = Table(
    name="user_activity_daily",
    description="what a user did on a day: call ids as JSON and their number",
    key=("from_date", "user_id"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    rows=activity_rows,
    mapped_fields=frozenset({"fromDate", "toDate", "userId"}),
    columns=(
        Column("from_date", DATE),
        Column("to_date", DATE),
        Column("user_id", TEXT),
        Column("user_email_address", TEXT, field="userEmailAddress", pii="email"),
        Column("calls_as_host", JSON, field="callsAsHost"),
        Column("calls_attended", JSON, field="callsAttended"),
        Column("calls_gave_feedback", JSON, field="callsGaveFeedback"),
        Column("calls_requested_feedback", JSON, field="callsRequestedFeedback"),
        Column("calls_received_feedback", JSON, field="callsReceivedFeedback"),
        Column("own_calls_listened_to", JSON, field="ownCallsListenedTo"),
        Column("others_calls_listened_to", JSON, field="othersCallsListenedTo"),
        Column("calls_shared_internally", JSON, field="callsSharedInternally"),
        Column("calls_shared_externally", JSON, field="callsSharedExternally"),
        Column("calls_scorecards_filled", JSON, field="callsScorecardsFilled"),
        Column("calls_scorecards_received", JSON, field="callsScorecardsReceived"),
        Column("calls_comments_given", JSON, field="callsCommentsGiven"),
        Column("calls_comments_received", JSON, field="callsCommentsReceived"),
        Column("calls_marked_as_feedback_given", JSON, field="callsMarkedAsFeedbackGiven"),
        Column("calls_marked_as_feedback_received", JSON, field="callsMarkedAsFeedbackReceived"),
        Column("calls_as_host_count", BIGINT),
        Column("calls_attended_count", BIGINT),
        Column("calls_gave_feedback_count", BIGINT),
        Column("calls_requested_feedback_count", BIGINT),
        Column("calls_received_feedback_count", BIGINT),
        Column("own_calls_listened_to_count", BIGINT),
        Column("others_calls_listened_to_count", BIGINT),
        Column("calls_shared_internally_count", BIGINT),
        Column("calls_shared_externally_count", BIGINT),
        Column("calls_scorecards_filled_count", BIGINT),
        Column("calls_scorecards_received_count", BIGINT),
        Column("calls_comments_given_count", BIGINT),
        Column("calls_comments_received_count", BIGINT),
        Column("calls_marked_as_feedback_given_count", BIGINT),
        Column("calls_marked_as_feedback_received_count", BIGINT),
        TOMBSTONE,
    ),
)


ACTIVITIES = tuple(column.field for column in USER_ACTIVITY_TABLE.gong_columns if column.type == JSON and column.field)
"""Fields of a user's daily activity, each a list of call ids."""


async def read_daily_activity(context: ExtractContext, date_slice: DateSlice) -> RecordsByDate:
    """Return one record per user and day with any activity."""
    by_date: RecordsByDate = {day: [] for day in date_slice.dates()}
    body = {"filter": _date_bounds(date_slice)}
    for user in await read_records(context.client, USER_ACTIVITY_DAILY.endpoint, body=body):
        try:
            activities = object_list_field(user, "userDailyActivityStats")
        except (InvalidRecordError, AttributeError):
            # The record is invalid and will be rejected when it is mapped to rows.
            by_date[date_slice.since].append(user)
            continue
        user_fields = {name: value for name, value in user.items() if name != "userDailyActivityStats"}
        for activity in activities:
            if any(activity.get(field) for field in ACTIVITIES):
                day = date_field_or_start(activity, "fromDate", date_slice)
                by_date.setdefault(day, []).append({**user_fields, **activity})
    return by_date


def _date_bounds(date_slice: DateSlice) -> dict[str, str]:
    return {"fromDate": date_slice.since.isoformat(), "toDate": date_slice.until.isoformat()}


def _probe_of_a_day(endpoint: Endpoint, samples: SampleIds) -> Probe:
    """Return the probe for the last day that is complete in every time zone; Gong rejects later ones."""
    day = first_incomplete_date(samples.window.until)
    bounds = {"fromDate": (day - timedelta(days=1)).isoformat(), "toDate": day.isoformat()}
    return Probe(endpoint, body={"filter": bounds})


USER_ACTIVITY_DAILY = DateSlicedResource(
    name="user_activity_daily",
    endpoint=Endpoint(
        "POST",
        "/v2/stats/activity/day-by-day",
        records="usersDetailedActivities",
        scope="api:stats:user-actions:detailed",
        paged=True,
        id_field="userId",
        bound="date",
        empty_text_known=False,
        description="what each user did on each day, as call ids",
    ),
    tables=(USER_ACTIVITY_TABLE,),
    read=read_daily_activity,
    days_per_request=30,
    complete_days_only=True,
    probe_builder=_probe_of_a_day,
    personal_fields=PersonalFields(USER_ACTIVITY_TABLE, is_person=True),
)


def interaction_rows(user: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    """Yield one row per interaction statistic of a user."""
    for statistic in object_list_field(user, "personInteractionStats"):
        values = {
            "from_date": date_field(user, "fromDate"),
            "to_date": date_field(user, "toDate"),
            "user_id": id_text(user["userId"]),
            "user_email_address": user.get("userEmailAddress"),
        }
        yield values, statistic


INTERACTION_STATS_TABLE = Table(
    name="user_interaction_stats",
    description="Gong's interaction statistics per user and day",
    key=("from_date", "user_id", "name"),
    write_strategy=WriteStrategy.REPLACE_BY_PARENT,
    rows=interaction_rows,
    columns=(
        Column("from_date", DATE),
        Column("to_date", DATE),
        Column("user_id", TEXT),
        Column("user_email_address", TEXT),
        Column("name", TEXT, field="name"),
        Column("value", DOUBLE, field="value"),
        TOMBSTONE,
    ),
)


async def read_interaction_stats(context: ExtractContext, date_slice: DateSlice) -> RecordsByDate:
    """Return one record per user, with the dates of the slice."""
    bounds = _date_bounds(date_slice)
    users = await read_records(context.client, USER_INTERACTION_STATS.endpoint, body={"filter": bounds})
    return {date_slice.since: [{**user, **bounds} if isinstance(user, Mapping) else user for user in users]}


USER_INTERACTION_STATS = DateSlicedResource(
    name="user_interaction_stats",
    endpoint=Endpoint(
        "POST",
        "/v2/stats/interaction",
        records="peopleInteractionStats",
        scope="api:stats:interaction",
        paged=True,
        id_field="userId",
        bound="date",
        empty_text_known=False,
        description="interaction statistics of a user over a period",
        note="one request per day; only calls with Whisper enabled",
    ),
    tables=(INTERACTION_STATS_TABLE,),
    read=read_interaction_stats,
    days_per_request=1,
    complete_days_only=True,
    probe_builder=_probe_of_a_day,
    personal_fields=PersonalFields(
        is_person=True, lists={"personInteractionStats": PersonalFields(INTERACTION_STATS_TABLE)}
    ),
)
