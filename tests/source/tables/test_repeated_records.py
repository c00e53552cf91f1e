"""Records and parts of records that Gong sends twice: the key of each table holds, and the last copy is written."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.demo.company.calls import Call
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, rewrite
from sources.gong.resources import TABLES
from sources.gong.tables.table import Table
from tests.support.companies import find_call
from tests.support.gong_api import Json
from tests.support.workspace import Workspace, days_ago

PARTS: dict[str, tuple[str, Json]] = {
    "parties": ("call_parties", {"name": "Second Copy"}),
    "interaction.speakers": ("call_speakers", {"talkTime": 4711.0}),
    "interaction.interactionStats": ("call_interaction_stats", {"value": 4711.0}),
    "interaction.video": ("call_video", {"duration": 4711.0}),
    "collaboration.publicComments": ("call_comments", {"comment": "Second copy"}),
    "content.trackers": ("call_trackers", {"count": 4711, "phrases": [], "occurrences": []}),
}
"""Lists of a call's record, the table of each, and how the second copy of an entry differs."""


def list_in(record: Json, path: str) -> list[Json]:
    """Return a list of a call's record."""
    for name in path.split("."):
        record = record[name]
    entries: Any = record
    assert entries
    return list(entries)


def add_to_list(record: Json, path: str, *added: Json) -> Json:
    """Return the record with entries appended to one of its lists."""
    name, _, rest = path.partition(".")
    value = add_to_list(record[name], rest, *added) if rest else [*record[name], *added]
    return {**record, name: value}


def find_full_call(gong: SimulatedGong) -> Call:
    """Return a public call that has an entry in each of the lists."""
    call = find_call(gong, "trackers", "topics")
    record = deepcopy(call.record)
    record["interaction"]["video"] = [{"name": "Browser", "duration": 30.0}, {"name": "Presentation", "duration": 12.5}]
    record.setdefault("collaboration", {}).setdefault("publicComments", []).append(
        {"id": "777", "comment": "First copy", "commenterUserId": "1", "posted": "2026-01-02T03:04:05Z"}
    )
    record["context"] = [
        {
            "system": "Salesforce",
            "objects": [
                {
                    "objectType": "Account",
                    "objectId": "A1",
                    "timing": "Now",
                    "fields": [{"name": "Name", "value": "First"}, {"name": "Industry", "value": "Ships"}],
                },
            ],
        }
    ]
    gong.replace_call(call.id, record)
    return gong.get_call(call.id)


def repeated_keys(workspace: Workspace, table: Table) -> list[tuple[Any, ...]]:
    """Return the keys that several rows of a table have, without rows that lack an id."""
    key = ", ".join(f'"{name}"' for name in table.key)
    complete = " AND ".join(
        f"coalesce(\"{name}\"::VARCHAR, '') <> ''" for name in table.key if name not in table.optional_key
    )
    return workspace.rows(f'SELECT {key} FROM "{table.name}" WHERE {complete} GROUP BY {key} HAVING count(*) > 1')


def assert_keys_hold(workspace: Workspace) -> None:
    """Assert that the documented key of each loaded table is unique."""
    loaded = {name for (name,) in workspace.rows("SELECT table_name FROM information_schema.tables")}
    tables = [table for table in TABLES if table.name in loaded]
    assert len(tables) > 20
    assert {table.name: keys for table in tables if (keys := repeated_keys(workspace, table))} == {}


@pytest.mark.parametrize("is_initial", [True, False], ids=["initial load", "later load"])
def test_parts_that_gong_repeats_within_a_call_are_written_once(
    gong: SimulatedGong, workspace: Workspace, is_initial: bool
) -> None:
    """The last copy of a party, speaker, statistic, comment, tracker or CRM field is written, and counted."""
    call = find_full_call(gong)
    if not is_initial:
        assert workspace.sync()["repeated_records"] == 0
    record = call.record
    for path, (_, changes) in PARTS.items():
        record = add_to_list(record, path, {**list_in(record, path)[0], **changes})
    (context,) = record["context"]
    crm_object = {**context["objects"][0], "fields": [{"name": "Name", "value": "Second"}]}
    record["context"] = [context, {**context, "objects": [crm_object]}]
    gong.replace_call(call.id, record)

    summary = workspace.sync(*(() if is_initial else ("--since", days_ago(40))))

    assert_keys_hold(workspace)
    for path, (table, changes) in PARTS.items():
        column, value = next(iter(changes.items()))
        name = {"talkTime": "talk_time"}.get(column, column)
        rows = workspace.rows(f'SELECT "{name}" FROM {table} WHERE call_id = ?', [call.id])
        assert rows.count((value,)) == 1, table
        assert len(rows) == len(list_in(record, path)) - 1, table
    assert workspace.rows(
        "SELECT name, value FROM call_crm_fields WHERE call_id = ? AND party_id = '' ORDER BY name", [call.id]
    ) == [("Industry", '"Ships"'), ("Name", '"Second"')]
    # The tracker's mentions are those of its last copy, which has none.
    tracker_id = list_in(record, "content.trackers")[0]["id"]
    assert not workspace.rows(
        "SELECT 1 FROM call_tracker_occurrences WHERE call_id = ? AND tracker_id = ?", [call.id, tracker_id]
    )
    # One row per part, the CRM object and its field, and the CRM objects and fields of the repeated party.
    party_rows = sum(
        1 + len(crm.get("fields", ()))
        for context in list_in(record, "parties")[0].get("context", ())
        for crm in context["objects"]
    )
    assert summary["repeated_records"] == len(PARTS) + 2 + party_rows


def test_the_number_of_repeated_records_is_shown_only_if_there_are_any(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    """A person sees that Gong repeated something, and nothing otherwise."""
    call = find_full_call(gong)
    gong.replace_call(
        call.id, add_to_list(call.record, "interaction.video", list_in(call.record, "interaction.video")[0])
    )

    assert "1 repeated record: " in workspace.run("sync").out
    assert "repeated" not in workspace.run("sync").out


def test_parts_without_an_id_are_all_written(gong: SimulatedGong, workspace: Workspace) -> None:
    """Two people, comments or trackers are not one because Gong sends no id for them."""
    call = find_full_call(gong)
    record = call.record
    for path in PARTS:
        entry = list_in(record, path)[0]
        without_id = {name: value for name, value in entry.items() if name not in ("id", "name", "context")}
        record = add_to_list(record, path, without_id, {**without_id, "id": None}, {**without_id, "id": ""})
    anonymous = {"objectType": "Lead", "fields": [{"name": "Name", "value": "Somebody"}]}
    record["context"][0]["objects"] += [anonymous, anonymous]
    gong.replace_call(call.id, record)

    summary = workspace.sync()

    assert summary["repeated_records"] == 0
    for path, (table, _) in PARTS.items():
        assert workspace.rows(f"SELECT count(*) FROM {table} WHERE call_id = ?", [call.id]) == [
            (len(list_in(record, path)),)
        ], table
    assert workspace.rows("SELECT count(*) FROM call_crm_objects WHERE object_type = 'Lead' AND object_id = ''") == [
        (2,)
    ]
    mentions = workspace.rows(
        "SELECT position FROM call_tracker_occurrences WHERE call_id = ? AND tracker_id = '' ORDER BY 1", [call.id]
    )
    assert mentions == [(position,) for position in range(len(mentions))]


@pytest.mark.parametrize(
    "is_initial", [pytest.param(True, marks=pytest.mark.slow), False], ids=["initial load", "later load"]
)
def test_records_that_gong_repeats_in_a_list_are_written_once(
    gong: SimulatedGong, workspace: Workspace, is_initial: bool
) -> None:
    """Users, workspaces, folders, settings, reviews and statistics have one row per key, that of the last copy."""
    gong.settings.page_size = 20
    renamed = {
        "users": ("users", "id", "firstName"),
        "workspaces": ("workspaces", "id", "description"),
        "folders": ("library_folders", "id", "name"),
        "keywordTrackers": ("trackers", "trackerId", "trackerName"),
        "scorecards": ("scorecards", "scorecardId", "scorecardName"),
        "outcomes": ("call_outcomes", "callOutcome", "sentiment"),
        "briefs": ("briefs", "briefId", "briefName"),
        "answeredScorecards": ("answered_scorecards", "answeredScorecardId", "scorecardName"),
    }
    first: dict[str, Json] = {}

    def repeat(page: Json) -> None:
        for name, (_, _, field) in renamed.items():
            if page.get(name):
                original = first.setdefault(name, page[name][0])
                page[name].append({**original, field: "Second Copy"})
        for scorecard in page.get("scorecards", ()):
            scorecard["questions"].append({**scorecard["questions"][0], "questionText": "Second Copy"})
        for user in page.get("peopleInteractionStats", ()):
            user["personInteractionStats"].append({**user["personInteractionStats"][0], "value": 4711.0})

    select = (
        "users,workspaces,library,trackers,scorecards,call_outcomes,briefs,answered_scorecards,"
        "user_activity_daily,user_interaction_stats,audit_logs,permission_profiles,flows,coaching_metrics,call_access"
    )
    workspace.configure(start_date=days_ago(120))
    if not is_initial:
        workspace.sync("--select", select)
    gong.faults.append(Fault(rewrite(repeat), "/v2/"))

    summary = workspace.sync("--select", select, *(() if is_initial else ("--since", days_ago(120))))

    assert summary["repeated_records"] >= len(renamed)
    assert_keys_hold(workspace)
    for table, id_field, field in renamed.values():
        key, column = next(t.key[0] for t in TABLES if t.name == table), _column_of(table, field)
        name = next(name for name, entry in renamed.items() if entry[0] == table)
        assert workspace.rows(f"SELECT {column} FROM {table} WHERE {key} = ?", [first[name][id_field]]) == [
            ("Second Copy",)
        ], table
    assert workspace.rows("SELECT count(*) FROM scorecard_questions WHERE question_text = 'Second Copy'") == [
        (len(gong.company.settings.scorecards),)
    ]
    assert workspace.rows(
        "SELECT count(*) > 0, min(value) = 4711.0 FROM user_interaction_stats WHERE value > 4000"
    ) == [(True, True)]


def _column_of(table: str, field: str) -> str:
    return next(column.name for t in TABLES if t.name == table for column in t.columns if column.field == field)


def test_a_review_in_two_slices_is_written_once(gong: SimulatedGong, workspace: Workspace) -> None:
    """A review that is edited between two requests is in both responses; the next run writes its new version."""
    review = gong.company.settings.answered_scorecards[0]
    edited = {**review, "reviewTime": datetime.now(UTC).isoformat(), "scorecardName": "Edited"}
    workspace.configure(start_date=(datetime.now(UTC) - timedelta(days=200)).date().isoformat())
    old = {**review, "answeredScorecardId": "77", "reviewTime": (datetime.now(UTC) - timedelta(days=150)).isoformat()}
    # Otherwise the window of the second run may be empty.
    new = {**review, "answeredScorecardId": "78", "reviewTime": datetime.now(UTC).isoformat()}
    gong.company.settings.answered_scorecards.extend([old, new])
    copies = iter([review, edited])

    def add_copy(page: Json) -> None:
        reviews = page.get("answeredScorecards")
        if reviews is not None:
            others = [one for one in reviews if one["answeredScorecardId"] != review["answeredScorecardId"]]
            page["answeredScorecards"] = [*others, next(copies, edited)]

    gong.faults.append(Fault(rewrite(add_copy), "/v2/stats/activity/scorecards"))

    assert workspace.sync("--select", "answered_scorecards")["repeated_records"] > 0
    assert_review_has_one_row(workspace, review["answeredScorecardId"])
    workspace.sync("--select", "answered_scorecards")
    assert_review_has_one_row(workspace, review["answeredScorecardId"])
    assert workspace.rows(
        "SELECT scorecard_name FROM answered_scorecards WHERE answered_scorecard_id = ?",
        [review["answeredScorecardId"]],
    ) == [("Edited",)]


def assert_review_has_one_row(workspace: Workspace, review_id: str) -> None:
    """Assert that a review and each of its answers has one row."""
    assert workspace.rows("SELECT count(*) FROM answered_scorecards WHERE answered_scorecard_id = ?", [review_id]) == [
        (1,)
    ]
    assert workspace.rows(
        "SELECT count(*) = count(DISTINCT position) FROM answered_scorecard_answers WHERE answered_scorecard_id = ?",
        [review_id],
    ) == [(True,)]
