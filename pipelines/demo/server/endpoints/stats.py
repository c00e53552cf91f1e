"""Stats area: answered scorecards, daily activity and interaction statistics, computed from the calls."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from statistics import fmean
from typing import Any, Literal

from pipelines.demo.identifiers import TIME_ZONE, parse_local_date
from pipelines.demo.server.messages.cursors import hash_request
from pipelines.demo.server.messages.pagination import paginate_rows
from pipelines.demo.server.messages.request import GongRequest, validate_ids
from pipelines.demo.server.messages.request_body import StrictBody, ZonedDatetime
from pipelines.demo.server.messages.response import GongError, GongResponse

Json = dict[str, Any]

_ACTIVITIES = (
    *("callsAsHost", "callsGaveFeedback", "callsRequestedFeedback", "callsReceivedFeedback", "ownCallsListenedTo"),
    *("othersCallsListenedTo", "callsSharedInternally", "callsSharedExternally", "callsAttended"),
    *("callsCommentsGiven", "callsCommentsReceived", "callsMarkedAsFeedbackGiven"),
    *("callsMarkedAsFeedbackReceived", "callsScorecardsFilled", "callsScorecardsReceived"),
)
_NO_SCORECARDS = "No answered scorecards found corresponding to the provided filters"
_NO_ACTIVITY = "No activity found corresponding to the provided filters"


class AnsweredScorecardFilter(StrictBody, frozen=True):
    """`filter` of POST /v2/stats/activity/scorecards; dates are in the company's zone."""

    call_from_date: date | None = None
    call_to_date: date | None = None
    review_from_date: date | None = None
    review_to_date: date | None = None
    review_method: Literal["AUTOMATIC", "MANUAL", "BOTH"] | None = None
    reviewed_user_ids: list[str] | None = None
    scorecard_ids: list[str] | None = None


class AnsweredScorecardsBody(StrictBody, frozen=True):
    """Body of POST /v2/stats/activity/scorecards."""

    filter: AnsweredScorecardFilter | None = None
    cursor: str | None = None


class StatsFilter(StrictBody, frozen=True):
    """`filter` of the user statistics; dates are in the company's zone."""

    from_date: date | None = None
    to_date: date | None = None
    user_ids: list[str] | None = None
    created_from_date_time: ZonedDatetime | None = None
    created_to_date_time: ZonedDatetime | None = None


class StatsBody(StrictBody, frozen=True):
    """Body of POST /v2/stats/activity/day-by-day and POST /v2/stats/interaction."""

    filter: StatsFilter | None = None
    cursor: str | None = None


def list_answered_scorecards(request: GongRequest) -> GongResponse:
    """Handle POST /v2/stats/activity/scorecards; without `reviewMethod` only manual reviews are returned."""
    body: AnsweredScorecardsBody = request.body
    review_filter = body.filter
    if review_filter is None:
        raise GongError(400, "filter: must not be null")
    validate_ids("filter.reviewedUserIds", review_filter.reviewed_user_ids)
    validate_ids("filter.scorecardIds", review_filter.scorecard_ids)
    today = request.now.astimezone(TIME_ZONE).date()
    for name, last in (("callToDate", review_filter.call_to_date), ("reviewToDate", review_filter.review_to_date)):
        if last and last > today:
            raise GongError(400, f"filter.{name}: must not be after today")
    method = review_filter.review_method or "MANUAL"
    rows = [
        review
        for review in request.company.settings.answered_scorecards
        if method in ("BOTH", review["reviewMethod"])
        and _is_within(review["callStartTime"], review_filter.call_from_date, review_filter.call_to_date)
        and _is_within(review["reviewTime"], review_filter.review_from_date, review_filter.review_to_date)
        and (review_filter.reviewed_user_ids is None or review["reviewedUserId"] in review_filter.reviewed_user_ids)
        and (review_filter.scorecard_ids is None or review["scorecardId"] in review_filter.scorecard_ids)
    ]
    digest = hash_request(request.path, review_filter)
    return paginate_rows(request, rows, body.cursor, digest, array="answeredScorecards", empty_error=_NO_SCORECARDS)


def list_daily_activity(request: GongRequest) -> GongResponse:
    """Handle POST /v2/stats/activity/day-by-day: one entry per user with activity and day of the range."""
    body: StatsBody = request.body
    stats_filter, since, until = _validate_range(request, body.filter)
    activity = _collect_activity(request, since, until)
    rows = []
    for user in _select_users(request, stats_filter, set(activity)):
        days = activity.get(user["id"], {})
        rows.append(
            {
                "userId": user["id"],
                "userEmailAddress": user["emailAddress"],
                "userDailyActivityStats": [
                    {kind: sorted(days.get(day, {}).get(kind, ())) for kind in _ACTIVITIES}
                    | {"fromDate": day.isoformat(), "toDate": (day + timedelta(days=1)).isoformat()}
                    for day in _list_days(since, until)
                ],
            }
        )
    digest = hash_request(request.path, stats_filter)
    return paginate_rows(request, rows, body.cursor, digest, array="usersDetailedActivities", empty_error=_NO_ACTIVITY)


def list_interaction_stats(request: GongRequest) -> GongResponse:
    """Handle POST /v2/stats/interaction: means over the calls that each user hosted in the range."""
    body: StatsBody = request.body
    stats_filter, since, until = _validate_range(request, body.filter)
    values: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for call in request.list_visible_calls():
        if since <= parse_local_date(call.record["metaData"]["started"]) < until:
            for statistic in call.record.get("interaction", {}).get("interactionStats", ()):
                if statistic["name"] != "Talk Ratio":
                    values[call.record["metaData"]["primaryUserId"]][statistic["name"]].append(statistic["value"])
    rows = [
        {
            "userId": user["id"],
            "userEmailAddress": user["emailAddress"],
            "personInteractionStats": [
                {"name": name, "value": round(fmean(call_values), 3)}
                for name, call_values in sorted(values[user["id"]].items())
            ],
        }
        for user in _select_users(request, stats_filter, set(values))
    ]
    digest = hash_request(request.path, stats_filter)
    response = paginate_rows(
        request, rows, body.cursor, digest, array="peopleInteractionStats", empty_error=_NO_ACTIVITY
    )
    begin, end = (datetime.combine(day, datetime.min.time(), TIME_ZONE).isoformat() for day in (since, until))
    response.members |= {"fromDateTime": begin, "toDateTime": end, "timeZone": str(TIME_ZONE)}
    return response


def _is_within(text: str, since: date | None, until: date | None) -> bool:
    day = parse_local_date(text)
    return (since is None or since <= day) and (until is None or day < until)


def _validate_range(request: GongRequest, stats_filter: StatsFilter | None) -> tuple[StatsFilter, date, date]:
    if stats_filter is None:
        raise GongError(400, "filter: must not be null")
    if stats_filter.from_date is None or stats_filter.to_date is None:
        raise GongError(400, "filter.fromDate: may not be null", "filter.toDate: may not be null")
    if stats_filter.from_date >= stats_filter.to_date:
        raise GongError(400, "filter.fromDate: must be before toDate")
    # The range excludes its end, so it never contains the company's current, incomplete day.
    if stats_filter.to_date > request.now.astimezone(TIME_ZONE).date():
        raise GongError(400, "filter.toDate: must not be after today")
    validate_ids("filter.userIds", stats_filter.user_ids)
    return stats_filter, stats_filter.from_date, stats_filter.to_date


def _select_users(request: GongRequest, stats_filter: StatsFilter, active_ids: set[str]) -> list[Json]:
    """Return the users of the filter, or the users with activity if it has none."""
    user_ids = active_ids if stats_filter.user_ids is None else set(stats_filter.user_ids)
    return [user for user in request.company.users if user["id"] in user_ids]


def _collect_activity(request: GongRequest, since: date, until: date) -> dict[str, dict[date, dict[str, set[str]]]]:
    """Return call ids by user id, day and kind of activity."""
    activity: dict[str, dict[date, dict[str, set[str]]]] = {}

    def add(user_id: str | None, time: str, kind: str, call_id: str) -> None:
        day = parse_local_date(time)
        if user_id and since <= day < until:
            activity.setdefault(user_id, {}).setdefault(day, {}).setdefault(kind, set()).add(call_id)

    for call in request.list_visible_calls():
        meta = call.record["metaData"]
        add(meta["primaryUserId"], meta["started"], "callsAsHost", call.id)
        for party in call.record["parties"]:
            add(party.get("userId"), meta["started"], "callsAttended", call.id)
        for comment in call.record.get("collaboration", {}).get("publicComments", ()):
            add(comment["commenterUserId"], comment["posted"], "callsCommentsGiven", call.id)
            add(meta["primaryUserId"], comment["posted"], "callsCommentsReceived", call.id)
    for review in request.company.settings.answered_scorecards:
        add(review["reviewerUserId"], review["reviewTime"], "callsScorecardsFilled", review["callId"])
        add(review["reviewedUserId"], review["reviewTime"], "callsScorecardsReceived", review["callId"])
    return activity


def _list_days(since: date, until: date) -> list[date]:
    return [since + timedelta(days=number) for number in range((until - since).days)]
