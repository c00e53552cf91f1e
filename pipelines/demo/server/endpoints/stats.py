"""The simulated Gong's statistics: what users did day by day, and how they talked, both reckoned from the calls."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from statistics import fmean
from typing import Any

from pipelines.demo.identifiers import ZONE
from pipelines.demo.server.messages.cursors import request_digest
from pipelines.demo.server.messages.request_bodies import StatsBody, StatsFilter
from pipelines.demo.server.messages.responses import Answer, Asked, GongError, check_ids, page_of

Json = dict[str, Any]

ACTIVITIES = (
    *("callsAsHost", "callsGaveFeedback", "callsRequestedFeedback", "callsReceivedFeedback", "ownCallsListenedTo"),
    *("othersCallsListenedTo", "callsSharedInternally", "callsSharedExternally", "callsAttended"),
    *("callsCommentsGiven", "callsCommentsReceived", "callsMarkedAsFeedbackGiven"),
    *("callsMarkedAsFeedbackReceived", "callsScorecardsFilled", "callsScorecardsReceived"),
)
_NO_DATA = "No activity found corresponding to the provided filters"


def day_by_day(asked: Asked) -> Answer:
    """POST /v2/stats/activity/day-by-day: for each user with activity an entry for each day of the range."""
    body: StatsBody = asked.body
    wanted, since, until = _range(asked, body.filter)
    activity = _activity(asked, since, until)
    rows = []
    for user in _users(asked, wanted, set(activity)):
        days = activity.get(user["id"], {})
        rows.append(
            {
                "userId": user["id"],
                "userEmailAddress": user["emailAddress"],
                "userDailyActivityStats": [
                    {kind: sorted(days.get(day, {}).get(kind, ())) for kind in ACTIVITIES}
                    | {"fromDate": day.isoformat(), "toDate": (day + timedelta(days=1)).isoformat()}
                    for day in _days(since, until)
                ],
            }
        )
    request = request_digest(asked.path, wanted)
    return page_of(asked, rows, body.cursor, request, array="usersDetailedActivities", empty=_NO_DATA)


def interaction(asked: Asked) -> Answer:
    """POST /v2/stats/interaction: means over the calls that a user hosted in the range."""
    body: StatsBody = asked.body
    wanted, since, until = _range(asked, body.filter)
    values: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for call in asked.listed_calls():
        if since <= _local_day(call.record["metaData"]["started"]) < until:
            for statistic in call.record.get("interaction", {}).get("interactionStats", ()):
                if statistic["name"] != "Talk Ratio":
                    values[call.record["metaData"]["primaryUserId"]][statistic["name"]].append(statistic["value"])
    rows = [
        {
            "userId": user["id"],
            "userEmailAddress": user["emailAddress"],
            "personInteractionStats": [
                {"name": name, "value": round(fmean(of_name), 3)}
                for name, of_name in sorted(values[user["id"]].items())
            ],
        }
        for user in _users(asked, wanted, set(values))
    ]
    request = request_digest(asked.path, wanted)
    answer = page_of(asked, rows, body.cursor, request, array="peopleInteractionStats", empty=_NO_DATA)
    begin, end = (datetime.combine(day, datetime.min.time(), ZONE).isoformat() for day in (since, until))
    answer.members |= {"fromDateTime": begin, "toDateTime": end, "timeZone": str(ZONE)}
    return answer


def _range(asked: Asked, wanted: StatsFilter | None) -> tuple[StatsFilter, date, date]:
    if wanted is None:
        raise GongError(400, "filter: must not be null")
    if wanted.from_date is None or wanted.to_date is None:
        raise GongError(400, "filter.fromDate: may not be null", "filter.toDate: may not be null")
    if wanted.from_date >= wanted.to_date:
        raise GongError(400, "filter.fromDate: must be before toDate")
    # The company's today is not over yet.
    if wanted.to_date > asked.now.astimezone(ZONE).date():
        raise GongError(400, "filter.toDate: must not be after today")
    check_ids("filter.userIds", wanted.user_ids)
    return wanted, wanted.from_date, wanted.to_date


def _users(asked: Asked, wanted: StatsFilter, with_activity: set[str]) -> list[Json]:
    """Only users with activity, unless users are named."""
    shown = with_activity if wanted.user_ids is None else set(wanted.user_ids)
    return [user for user in asked.company.users if user["id"] in shown]


def _activity(asked: Asked, since: date, until: date) -> dict[str, dict[date, dict[str, set[str]]]]:
    """Call ids by user, day and kind."""
    found: dict[str, dict[date, dict[str, set[str]]]] = {}

    def note(user_id: str | None, moment: str, kind: str, call_id: str) -> None:
        day = _local_day(moment)
        if user_id and since <= day < until:
            found.setdefault(user_id, {}).setdefault(day, {}).setdefault(kind, set()).add(call_id)

    for call in asked.listed_calls():
        meta = call.record["metaData"]
        note(meta["primaryUserId"], meta["started"], "callsAsHost", call.id)
        for party in call.record["parties"]:
            note(party.get("userId"), meta["started"], "callsAttended", call.id)
        for comment in call.record.get("collaboration", {}).get("publicComments", ()):
            note(comment["commenterUserId"], comment["posted"], "callsCommentsGiven", call.id)
            note(meta["primaryUserId"], comment["posted"], "callsCommentsReceived", call.id)
    for review in asked.company.settings.answered_scorecards:
        note(review["reviewerUserId"], review["reviewTime"], "callsScorecardsFilled", review["callId"])
        note(review["reviewedUserId"], review["reviewTime"], "callsScorecardsReceived", review["callId"])
    return found


def _local_day(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(ZONE).date()


def _days(since: date, until: date) -> list[date]:
    return [since + timedelta(days=number) for number in range((until - since).days)]
