"""Settings of the generated company: trackers, scorecards and their answers, briefs, call outcomes, audit logs."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.demo.company.calls import Call
from pipelines.demo.company.insights import Outcome
from pipelines.demo.company.people import Staff
from pipelines.demo.company.trackers import TRACKERS
from pipelines.demo.identifiers import IdGenerator, format_datetime

Json = dict[str, Any]

_QUESTIONS = (
    ("How was the call overall?", "RANGE", True),
    ("Did the rep ask about the cost of doing nothing?", "RANGE", False),
    ("Was a next step with a date agreed?", "MULTIPLE_CHOICE", False),
    ("What would you do differently?", "OPEN", False),
)
_MANY_QUESTIONS = 12
_ADVICE = (
    "Ask for the number earlier.",
    "Let the customer finish before you answer.",
    "End with a date, not with a plan.",
    "Show less and ask more.",
    "Bring the finance person in before the offer.",
    "Nothing, this was a model call.",
)
_OUTCOMES = (
    ("Meeting booked", "CONNECTED", "POSITIVE", "ANSWERED"),
    ("Follow up later", "CONNECTED", "NEUTRAL", "ANSWERED"),
    ("Not interested", "CONNECTED", "NEGATIVE", "ANSWERED"),
    ("Left voicemail", "NOT_CONNECTED", "NEUTRAL", "NOT_ANSWERED"),
)


@dataclass
class CompanySettings:
    """The company's settings, reviews and audit logs, each list as its endpoint returns it.

    Attributes:
        trackers: Keyword trackers.
        scorecards: Scorecards with their questions.
        answered_scorecards: Reviews of calls, by review time.
        briefs: Briefs.
        outcomes: Call outcomes.
        logs: Entries of the audit log by log type, by event time.
        tracker_ids: Tracker id by name, smart trackers included.
    """

    trackers: list[Json] = field(default_factory=list)
    scorecards: list[Json] = field(default_factory=list)
    answered_scorecards: list[Json] = field(default_factory=list)
    briefs: list[Json] = field(default_factory=list)
    outcomes: list[Json] = field(default_factory=list)
    logs: dict[str, list[Json]] = field(default_factory=dict)
    tracker_ids: dict[str, str] = field(default_factory=dict)

    def add_reviews_and_logs(
        self, rng: random.Random, ids: IdGenerator, staff: Staff, calls: list[Call], until: datetime
    ) -> None:
        """Add the answered scorecards and the audit logs that result from the calls."""
        managers = [team.manager for team in staff.teams]
        reviewable = [c for c in calls if "content" in c.record and not c.record["metaData"]["isPrivate"]]
        for call in rng.sample(reviewable, len(reviewable) // 12):
            self.answered_scorecards.append(
                _build_review(rng, ids, rng.choice(self.scorecards), call, managers=managers, until=until)
            )
        self.answered_scorecards.sort(key=lambda review: datetime.fromisoformat(review["reviewTime"]))
        self.logs = {"UserCallPlay": [], "AccessLog": []}
        for call in rng.sample(reviewable, len(reviewable) // 6):
            listener = rng.choice(managers)
            started = datetime.fromisoformat(call.record["metaData"]["started"])
            moment = min(started + timedelta(hours=rng.uniform(2, 90)), until).astimezone(UTC)
            self.logs["AccessLog"].append(
                _build_log_entry(listener, moment, {"actionType": "LOGIN", "ip": "192.0.2.10"})
            )
            self.logs["UserCallPlay"].append(
                _build_log_entry(listener, moment, {"callId": call.id, "lengthSeconds": 90})
            )
        for entries in self.logs.values():
            entries.sort(key=lambda entry: str(entry["eventTime"]))


def build_settings(
    rng: random.Random, ids: IdGenerator, staff: Staff, workspaces: list[Json], until: datetime
) -> CompanySettings:
    """Return the settings without reviews and logs."""
    manager = staff.teams[0].manager
    past = [until - timedelta(days=rng.uniform(150, 900), microseconds=rng.randrange(10**6)) for _ in range(20)]
    settings = CompanySettings()
    for number, tracker in enumerate(TRACKERS):
        tracker_id = settings.tracker_ids[tracker.name] = ids.draw()
        if tracker.kind != "KEYWORD":
            continue
        settings.trackers.append(
            {
                "trackerId": tracker_id,
                "trackerName": tracker.name,
                "workspaceId": workspaces[0]["id"],
                "languageKeywords": [
                    {"language": "eng", "keywords": list(tracker.phrases), "includeRelatedForms": False}
                ],
                "affiliation": "NonCompany" if tracker.name == "Objections" else "Anyone",
                "partOfQuestion": False,
                "saidAt": "Anytime",
                "saidAtInterval": None,
                "saidAtUnit": None,
                "saidInTopics": [],
                "filterQuery": '{"type":"And","filters":[]}',
                "created": format_datetime(past[number], 6),
                "creatorUserId": None if number < 2 else manager["id"],
                "updated": format_datetime(past[number] + timedelta(days=20), 6),
                "updaterUserId": None if number < 2 else manager["id"],
            }
        )
    for number, name in enumerate(("Discovery quality", "Demo quality")):
        settings.scorecards.append(_build_scorecard(ids, name, workspaces[0]["id"], past[number + 10], number))
    settings.briefs = [
        {
            "briefId": ids.draw(),
            "briefName": name,
            "workspaceId": workspace["id"],
            "description": f"{name} for one account",
            "status": status,
            "creator": f"{manager['firstName']} {manager['lastName']}",
            "creatorUserId": manager["id"],
            "created": format_datetime(past[15], 3),
            "updated": format_datetime(past[15] + timedelta(days=3), 3),
        }
        for workspace, name, status in zip(
            workspaces, ("Account handover", "Renewal brief"), ("Published", "Not published"), strict=True
        )
    ]
    settings.outcomes = [
        {
            "callOutcome": name,
            "displayOrder": order,
            "connectStatus": connect,
            "sentiment": sentiment,
            "todoAction": "COMPLETE" if connect == "CONNECTED" else "COMPLETE_AND_REMOVE",
            "automation": None,
            "category": category,
        }
        for order, (name, connect, sentiment, category) in enumerate(_OUTCOMES)
    ]
    # Gong does not return call outcomes in their display order.
    settings.outcomes.reverse()
    return settings


def list_call_outcomes(settings: CompanySettings) -> list[Outcome]:
    """Return the outcomes of answered calls as a call contains them, with an id."""
    return [
        Outcome(str(o["callOutcome"]).upper().replace(" ", "_"), o["callOutcome"], str(o["category"]).capitalize())
        for o in settings.outcomes
        if o["category"] == "ANSWERED"
    ]


def _build_scorecard(ids: IdGenerator, name: str, workspace_id: str, created: datetime, number: int) -> Json:
    """Return a scorecard as Gong really sends it: ids and ranges are strings, each question has its own history."""
    built_in = number == 0
    history = {
        "created": format_datetime(created),
        "updated": format_datetime(created + timedelta(days=9)),
        "updaterUserId": "-1" if built_in else ids.draw(),
    }
    questions = []
    for text, kind, overall in _QUESTIONS:
        ranged = kind == "RANGE"
        options = [{"id": n, "text": t} for n, t in enumerate(("Yes", "Partly", "No"), 1)]
        questions.append(
            {
                "questionId": ids.draw(),
                "questionRevisionId": ids.draw(),
                "questionText": text,
                "isOverall": overall,
                "questionType": kind,
                "answerGuide": None,
                "minRange": "1" if ranged else None,
                "maxRange": "5" if ranged else None,
                "answerOptions": options if kind == "MULTIPLE_CHOICE" else [],
                **history,
            }
        )
    return {
        "scorecardId": ids.draw(),
        "scorecardName": name,
        "workspaceId": workspace_id,
        "enabled": True,
        "updaterUserId": history["updaterUserId"],
        "created": history["created"],
        "updated": history["updated"],
        "reviewMethod": "AUTOMATIC" if built_in else "MANUAL",
        "questions": questions,
    }


def _build_review(
    rng: random.Random, ids: IdGenerator, scorecard: Json, call: Call, *, managers: list[Json], until: datetime
) -> Json:
    meta = call.record["metaData"]
    automatic = scorecard["reviewMethod"] == "AUTOMATIC"
    reviewed = datetime.fromisoformat(meta["started"]) + timedelta(hours=rng.uniform(3, 120))
    has_next_steps = "highlights" in call.record["content"]
    questions = call.record["interaction"]["questions"]["companyCount"]
    answers = []
    for question in scorecard["questions"]:
        kind = question["questionType"]
        # A call with next steps and many questions is rated better.
        rating = 2 + has_next_steps + (questions > _MANY_QUESTIONS) + rng.choice((-1, 0, 0, 1))
        agreed = rng.choice(("Yes", "Yes", "Partly")) if has_next_steps else rng.choice(("No", "No", "Partly"))
        answers.append(
            {
                "questionId": question["questionId"],
                "questionRevisionId": question["questionRevisionId"],
                "isOverall": question["isOverall"],
                "score": rating if kind == "RANGE" else None,
                "answerText": rng.choice(_ADVICE) if kind == "OPEN" else None,
                "notApplicable": False,
                "selectedOptions": [agreed] if kind == "MULTIPLE_CHOICE" else None,
            }
        )
    return {
        "answeredScorecardId": ids.draw(),
        "scorecardId": scorecard["scorecardId"],
        "scorecardName": scorecard["scorecardName"],
        "callId": meta["id"],
        "callStartTime": meta["started"],
        "reviewedUserId": meta["primaryUserId"],
        "reviewerUserId": None if automatic else rng.choice(managers)["id"],
        "reviewMethod": scorecard["reviewMethod"],
        "editorUserId": None,
        "reviewTime": format_datetime(min(reviewed, until), 3),
        "visibilityType": "PUBLIC",
        "answers": answers,
    }


def _build_log_entry(user: Json, moment: datetime, record: Json) -> Json:
    return {
        "userId": user["id"],
        "userEmailAddress": user["emailAddress"],
        "userFullName": f"{user['firstName']} {user['lastName']}",
        "eventTime": moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "logRecord": record,
    }
