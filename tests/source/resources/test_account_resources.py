"""Trackers, scorecards, reviews, outcomes, briefs and logs: the warehouse holds what Gong's settings hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, corrupt_json, respond, rewrite, too_many_requests
from tests.support.companies import public_calls
from tests.support.gong_api import Json
from tests.support.workspace import Workspace

REVIEWS = "/v2/stats/activity/scorecards"
FULL_REFRESH = "trackers,scorecards,answered_scorecards,call_outcomes,briefs"


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def test_settings_are_loaded_with_their_parts(gong: SimulatedGong, workspace: Workspace) -> None:
    """Trackers, scorecards, outcomes and briefs are equal to the company's, keywords and questions included."""
    workspace.sync("--select", FULL_REFRESH)
    settings = gong.company.settings
    assert workspace.rows(
        "SELECT tracker_id, tracker_name, workspace_id, affiliation, part_of_question, said_in_topics, filter_query,"
        " created, creator_user_id FROM trackers ORDER BY 1"
    ) == sorted(
        (
            t["trackerId"], t["trackerName"], t["workspaceId"], t["affiliation"], t["partOfQuestion"],
            json.dumps(t["saidInTopics"]), t["filterQuery"], instant(t["created"]), t["creatorUserId"],
        )
        for t in settings.trackers
    )  # fmt: skip
    assert workspace.rows("SELECT tracker_id, language, keyword FROM tracker_keywords ORDER BY ALL") == sorted(
        (t["trackerId"], of["language"], word)
        for t in settings.trackers
        for of in t["languageKeywords"]
        for word in of["keywords"]
    )
    assert workspace.rows(
        "SELECT scorecard_id, workspace_id, updater_user_id, enabled, review_method FROM scorecards ORDER BY 1"
    ) == sorted(
        (s["scorecardId"], s["workspaceId"], s["updaterUserId"], s["enabled"], s["reviewMethod"])
        for s in settings.scorecards
    )
    assert workspace.rows(
        "SELECT scorecard_id, question_id, position, question_revision_id, question_text, is_overall, min_range,"
        " max_range, answer_guide, created FROM scorecard_questions ORDER BY 1, 2"
    ) == sorted(
        (
            s["scorecardId"], q["questionId"], position, q["questionRevisionId"], q["questionText"], q["isOverall"],
            q["minRange"] and int(q["minRange"]), q["maxRange"] and int(q["maxRange"]), q["answerGuide"],
            instant(q["created"]),
        )
        for s in settings.scorecards
        for position, q in enumerate(s["questions"])
    )  # fmt: skip
    assert workspace.rows(
        "SELECT call_outcome, display_order, connect_status, sentiment, automation FROM call_outcomes ORDER BY 1"
    ) == sorted(
        (o["callOutcome"], o["displayOrder"], o["connectStatus"], o["sentiment"], o["automation"])
        for o in settings.outcomes
    )
    assert workspace.rows("SELECT brief_id, brief_name, status, workspace_id FROM briefs ORDER BY 1") == sorted(
        (b["briefId"], b["briefName"], b["status"], b["workspaceId"]) for b in settings.briefs
    )


def assert_reviews_same(workspace: Workspace, gong: SimulatedGong) -> None:
    reviews = gong.company.settings.answered_scorecards
    assert workspace.rows(
        "SELECT answered_scorecard_id, scorecard_id, call_id, reviewed_user_id, reviewer_user_id, review_method,"
        " review_time, editor_user_id FROM answered_scorecards ORDER BY 1"
    ) == sorted(
        (
            r["answeredScorecardId"], r["scorecardId"], r["callId"], r["reviewedUserId"], r["reviewerUserId"],
            r["reviewMethod"], instant(r["reviewTime"]), r["editorUserId"],
        )
        for r in reviews
    )  # fmt: skip
    assert workspace.rows(
        "SELECT answered_scorecard_id, position, question_id, score, answer_text, not_applicable, selected_options"
        " FROM answered_scorecard_answers ORDER BY 1, 2"
    ) == sorted(
        (
            r["answeredScorecardId"], position, a["questionId"], a["score"], a["answerText"], a["notApplicable"],
            None if a["selectedOptions"] is None else json.dumps(a["selectedOptions"]),
        )
        for r in reviews
        for position, a in enumerate(r["answers"])
    )  # fmt: skip


@pytest.mark.slow
def test_reviews_and_their_changes_are_loaded(make_gong: Callable[..., SimulatedGong], workspace: Workspace) -> None:
    """Manual and automatic reviews are loaded, and changed answers replace older ones."""
    gong = make_gong(calls=120)
    reviews = gong.company.settings.answered_scorecards
    assert {review["reviewMethod"] for review in reviews} == {"AUTOMATIC", "MANUAL"}
    workspace.sync("--select", "answered_scorecards")
    assert_reviews_same(workspace, gong)
    (sent,) = [request.body for request in gong.requests if request.path == REVIEWS][-1:]
    assert sent["filter"]["reviewMethod"] == "BOTH"
    assert workspace.sync("--select", "answered_scorecards")["resources"]["answered_scorecards"]["rows"] == 0
    newest = reviews[-1]
    newest["reviewTime"] = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    newest["editorUserId"] = "77"
    newest["answers"] = newest["answers"][:1]
    newest["answers"][0]["score"] = 4
    summary = workspace.sync("--select", "answered_scorecards")
    assert 0 < summary["resources"]["answered_scorecards"]["rows"] < 20
    assert_reviews_same(workspace, gong)
    newest["answers"] = []
    workspace.sync("--select", "answered_scorecards")
    assert_reviews_same(workspace, gong)


def test_numbers_as_ids_and_ranges_are_the_same_rows(gong: SimulatedGong, workspace: Workspace) -> None:
    """Gong's document says numbers, its API says text (contract 6.2): both become text."""

    def as_numbers(answer: Json) -> None:
        for review in answer.get("answeredScorecards", ()):
            for field in ("answeredScorecardId", "scorecardId", "callId", "reviewedUserId"):
                review[field] = int(review[field])

    workspace.sync("--select", "answered_scorecards")
    before = workspace.rows("SELECT * FROM answered_scorecards ORDER BY ALL")
    gong.faults.append(Fault(rewrite(as_numbers), REVIEWS))
    workspace.sync("--select", "answered_scorecards", "--since", "2020-01-01")
    assert workspace.rows("SELECT * FROM answered_scorecards ORDER BY ALL") == before


@pytest.mark.slow
def test_audit_logs_keep_each_entry_once(gong: SimulatedGong, workspace: Workspace) -> None:
    """Entries have no id; equal ones are kept apart, and a second read adds none."""
    logs = gong.company.settings.logs
    logs["AccessLog"].append(logs["AccessLog"][-1])
    wanted = sorted((kind, instant(entry["eventTime"]), entry["userId"]) for kind in logs for entry in logs[kind])
    for _ in range(2):
        workspace.sync("--select", "audit_logs", "--since", "2020-01-01")
        assert workspace.rows("SELECT log_type, event_time, user_id FROM audit_logs ORDER BY ALL") == wanted
    assert workspace.sync("--select", "audit_logs")["resources"]["audit_logs"]["rows"] == 0
    ((record,),) = workspace.rows(
        "SELECT log_record FROM audit_logs WHERE log_type = 'UserCallPlay' ORDER BY event_time LIMIT 1"
    )
    assert json.loads(record) == logs["UserCallPlay"][0]["logRecord"]


@pytest.mark.slow
def test_an_opt_in_resource_has_no_table_until_selected(gong: SimulatedGong, workspace: Workspace) -> None:
    """A first read begins at `start_date`, not at the bookmark of other resources."""
    workspace.sync()
    assert not [request for request in gong.requests if request.path == "/v2/logs"]
    assert not workspace.columns("audit_logs")
    assert workspace.columns("briefs")
    workspace.sync("--select", "audit_logs")
    # Its first read begins at the start, not at the bookmark of what was read before.
    assert workspace.count("audit_logs") == sum(map(len, gong.company.settings.logs.values())) > 0


@pytest.mark.parametrize("act", [respond(503), corrupt_json(), too_many_requests(1)], ids=["503", "corrupt", "429"])
def test_a_temporary_fault_loses_no_records(gong: SimulatedGong, workspace: Workspace, act: Any) -> None:
    """One failed response per list is retried."""
    for path in (REVIEWS, "/v2/settings/trackers", "/v2/settings/scorecards", "/v2/settings/briefs", "/v2/logs"):
        gong.faults.append(Fault(act, path, count=1))
    workspace.sync("--select", f"{FULL_REFRESH},audit_logs")
    assert_reviews_same(workspace, gong)
    assert workspace.count("trackers") == len(gong.company.settings.trackers)
    assert workspace.count("audit_logs") == sum(map(len, gong.company.settings.logs.values()))


def test_an_invalid_record_does_not_affect_others(gong: SimulatedGong, workspace: Workspace) -> None:
    """Invalid trackers are rejected, and removed from `_rejected` once they are valid."""

    def odd(answer: Json) -> None:
        answer["keywordTrackers"][0]["languageKeywords"] = "budget"
        answer["keywordTrackers"][1].pop("trackerId")
        answer["keywordTrackers"].append("no object")

    gong.faults.append(Fault(rewrite(odd), "/v2/settings/trackers"))
    summary = workspace.sync("--select", "trackers")
    assert summary["rejected"] == 3
    assert workspace.count("trackers") == len(gong.company.settings.trackers) - 2
    gong.faults.clear()
    assert workspace.sync("--select", "trackers")["rejected"] == 0
    assert workspace.count("trackers") == len(gong.company.settings.trackers)


def test_reviews_of_an_unfinished_load_are_written_again(gong: SimulatedGong, workspace: Workspace) -> None:
    """The state's hash of a day is not trusted after a load, without transactions, that was never completed."""
    workspace.sync("--select", "calls,answered_scorecards", "--since", "2020-01-01")
    workspace.execute("UPDATE answered_scorecards SET scorecard_name = 'half written'")
    workspace.execute("UPDATE _runs SET status = 'running', unfinished_since = window_since")
    workspace.sync("--select", "calls,answered_scorecards", "--since", "2020-01-01")
    assert not workspace.rows("SELECT 1 FROM answered_scorecards WHERE scorecard_name = 'half written'")
    assert len(public_calls(gong)) == workspace.count("calls")
