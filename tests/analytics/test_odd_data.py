"""Models over odd data of Gong's: the build succeeds, warns, counts what is odd, and keeps its own promises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from copy import deepcopy

import msgspec
import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.support.companies import build_recent_gong, public_calls
from tests.support.gong_api import Json
from tests.support.marts import build_models, sync_company
from tests.support.servers.postgres import postgres_server
from tests.support.workspace import Workspace, days_ago

pytestmark = pytest.mark.slow

ABSURD = 2**62
"""A number whose arithmetic would overflow."""


def build_odd_gong() -> tuple[SimulatedGong, dict[str, str]]:
    """Return a company with odd calls, and the ids of these calls by what is odd."""
    gong = build_recent_gong(calls=60, days=40)
    calls = [
        call for call in public_calls(gong) if call.transcript_json and call.record.get("content", {}).get("trackers")
    ]
    odd = {
        name: call.id
        for name, call in zip(
            ("no start", "no length", "negative length", "absurd length", "topics", "times", "absurd times", "no ids"),
            calls,
            strict=False,
        )
    }
    assert len(odd) == 8
    gong.edit_call(odd["no start"], started=None)
    gong.edit_call(odd["no length"], duration=None)
    gong.edit_call(odd["negative length"], duration=-600)

    record = deepcopy(gong.get_call(odd["topics"]).record)
    record["content"]["topics"] = [
        {"name": "Longer than the call", "duration": record["metaData"]["duration"] * 3.0},
        {"name": "Negative", "duration": -5.0},
    ]
    gong.replace_call(odd["topics"], record)

    for name, first, last in (("times", 5_000, 1_000), ("absurd times", -ABSURD, ABSURD)):
        monologues = msgspec.json.decode(gong.get_call(odd[name]).transcript_json or b"[]")
        monologues[0]["sentences"][0] |= {"start": first, "end": last}
        monologues[1]["sentences"][0] |= {"start": -61_500, "end": -60_000}
        gong.replace_transcript(odd[name], monologues)

    record = deepcopy(gong.get_call(odd["no ids"]).record)
    for part, fields in ((record["parties"], ("id",)), (record["content"]["trackers"], ("id",))):
        part[:2] = [{name: value for name, value in entry.items() if name not in fields} for entry in part[:2]]
        part.append(deepcopy(part[0]))
    mention = {"startTime": 1e300, "speakerId": None}
    record["content"]["trackers"][0] |= {"count": ABSURD, "occurrences": [mention, {**mention, "startTime": -1.5}]}
    record["context"] = [
        {
            "system": "Salesforce",
            "objects": [
                {"objectType": "Opportunity", "fields": [{"name": "Amount", "value": "1e999"}, {"value": "no name"}]},
                {"objectType": "Opportunity", "fields": [{"name": "Amount", "value": "1"}]},
                *(
                    {
                        "objectType": kind,
                        "objectId": "ONE-ID",
                        "timing": "Now",
                        "fields": [{"name": "Amount", "value": "1e999"}],
                    }
                    for kind in ("Opportunity", "Deal", "Account", "Company")
                ),
            ],
        }
    ]
    record["interaction"]["interactionStats"] += [{"value": 1.0}, {"value": 2.0}]
    gong.replace_call(odd["no ids"], record)
    gong.company.settings.scorecards[0]["questions"] += [{"questionText": "Why?"}, {"questionText": "When?"}]
    return gong, odd


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def odd_place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Workspace, dict[str, str], Json]]:
    """Return a workspace with marts over odd calls, the ids of the calls, and the result of the build."""
    gong, odd = build_odd_gong()
    with ExitStack() as stack:
        address = stack.enter_context(postgres_server()).create_database() if request.param == "postgres" else None
        place = Workspace(tmp_path_factory.mktemp("odd"), postgres=address)
        stack.enter_context(sync_company(place, gong))
        # The simulated Gong lists a call when it is over.
        place.execute("UPDATE gong.calls SET duration = ? WHERE id = ?", [ABSURD, odd["absurd length"]])
        yield place, odd, build_models(place)


Odd = tuple[Workspace, dict[str, str], Json]


def test_odd_data_warns_and_stops_no_build(odd_place: Odd) -> None:
    """Every model is built; each property that Gong does not guarantee is one line and one row of data_quality."""
    place, _, built = odd_place
    assert (built["status"], built["failed"], built["skipped"]) == ("done", [], 0)
    lines = {line.partition(": ")[2] for line in built["warnings"]}
    assert lines >= {
        "1 calls without a start, which are in no week or month",
        "3 calls without a valid length",
        "2 topics longer than their call or of negative length",
        "3 people on calls without an id",
        "3 trackers on calls without an id",
        "2 CRM objects of calls without an id",
        "1 fields of CRM objects without a name",
        "2 statistics of calls without a name",
        "2 questions of scorecards without an id",
    }
    found = dict(place.rows("SELECT check_name, found FROM gong_analytics.data_quality"))
    assert found["calls without a start, which are in no week or month"] == 1
    assert found["calls without a valid length"] == 3
    assert found["topics longer than their call or of negative length"] == 2
    assert found["sentences that end before they start"] == 1
    assert found["people, trackers, CRM objects and other parts without an id"] == 13

    ended = place.run("models", "--select", "stg_calls")
    assert (ended.code, ended.err) == (0, "")
    warnings = [line for line in ended.out.splitlines() if line.startswith("warning: ")]
    assert [line.partition(": ")[2].partition(": ")[2] for line in warnings] == [
        "3 calls without a valid length",
        "1 calls without a start, which are in no week or month",
    ] or len(warnings) == 2


def test_a_call_without_a_start_is_in_no_period(odd_place: Odd) -> None:
    """Weeks and months are complete dates; the call itself stays in the marts that have no period."""
    place, odd, _ = odd_place
    for mart, period in (("rep_week", "week"), ("rep_month", "month"), ("tracker_share", "started_month")):
        assert place.rows(f"SELECT count(*) FROM gong_analytics.{mart} WHERE {period} IS NULL") == [(0,)]
    for mart in ("calls_enriched", "call_participants", "transcript_lines", "tracker_mentions"):
        assert place.rows(f"SELECT count(*) > 0 FROM gong_analytics.{mart} WHERE call_id = ?", [odd["no start"]]) == [
            (True,)
        ], mart


def test_odd_lengths_and_times_give_no_odd_figures(odd_place: Odd) -> None:
    """Shares are between 0 and 1, lengths are positive or unknown, and rates of a call of unknown length are null."""
    place, odd, _ = odd_place
    unknown = [odd[name] for name in ("no length", "negative length", "absurd length")]
    for call_id in unknown:
        assert place.rows(
            "SELECT duration_seconds, interactivity, company_questions_per_hour FROM gong_analytics.calls_enriched"
            " WHERE call_id = ?",
            [call_id],
        ) == [(None, None, None)]
        assert place.rows(
            "SELECT count(*) FROM gong_analytics.topic_time WHERE call_id = ? AND share_of_call IS NOT NULL", [call_id]
        ) == [(0,)]
    ((lowest, highest),) = place.rows("SELECT min(talk_ratio), max(talk_ratio) FROM gong_analytics.call_participants")
    assert 0 <= lowest < highest <= 1
    ((hours,),) = place.rows("SELECT min(call_hours) FROM gong_analytics.rep_month")
    assert hours >= 0


def test_a_time_before_the_start_of_a_call_has_a_minus_sign(odd_place: Odd) -> None:
    """Negative times are readable; absurd ones are empty."""
    place, odd, _ = odd_place
    starts = "SELECT start_time FROM gong_analytics.transcript_lines WHERE call_id = ? ORDER BY sentence_index LIMIT 1"
    assert place.rows(starts, [odd["absurd times"]]) == [(None,)]
    for name in ("times", "absurd times"):
        assert place.rows(
            "SELECT start_time FROM gong_analytics.transcript_lines WHERE call_id = ? AND start_ms = -61500",
            [odd[name]],
        ) == [("-00:01:01",)]
    assert place.rows(
        "SELECT DISTINCT start_time FROM gong_analytics.tracker_mentions WHERE call_id = ? AND tracker_id = ''"
        " AND start_seconds < 0",
        [odd["no ids"]],
    ) == [("-00:00:01",)]


def test_parts_without_an_id_are_not_multiplied(odd_place: Odd) -> None:
    """Rows without an id are never joined with each other."""
    place, odd, _ = odd_place
    ((mentions, loaded),) = place.rows(
        "SELECT (SELECT count(*) FROM gong_analytics.tracker_mentions WHERE call_id = ?),"
        " (SELECT count(*) FROM gong.call_tracker_occurrences WHERE call_id = ?)",
        [odd["no ids"], odd["no ids"]],
    )
    assert mentions == loaded > 0
    ((people, parties),) = place.rows(
        "SELECT (SELECT count(*) FROM gong_analytics.call_participants WHERE call_id = ?),"
        " (SELECT count(*) FROM gong.call_parties WHERE call_id = ?)",
        [odd["no ids"], odd["no ids"]],
    )
    assert people == parties
    assert place.rows(
        "SELECT opportunity_id, amount_now FROM gong_analytics.deal_activity WHERE opportunity_id = 'ONE-ID'"
    ) == [("ONE-ID", None)]
    assert place.rows("SELECT count(*) FROM gong_analytics.deal_activity WHERE opportunity_id = ''") == [(0,)]
    assert place.rows("SELECT account_id FROM gong_analytics.calls_enriched WHERE call_id = ?", [odd["no ids"]]) == [
        ("ONE-ID",)
    ]


def test_search_report_and_export_read_odd_calls(odd_place: Odd) -> None:
    """The other commands over the marts take odd calls, too."""
    place, odd, _ = odd_place
    assert place.run("search", "the", "--limit", "1000", "--newest").code == 0
    assert place.run("report", "--to", "report.html").code == 0
    for text_format in ("jsonl", "markdown"):
        ended = place.run("export", "transcripts", "--format", text_format)
        assert ended.code == 0
        assert odd["no start"] in ended.out


def test_an_incremental_build_of_odd_data_equals_a_full_one(odd_place: Odd) -> None:
    """Figures of weeks and months are equal to the last digit, independent of the order of the rows."""
    place, _, _ = odd_place
    place.sync("--since", days_ago(60))
    place.execute(
        "UPDATE gong.calls SET _synced_at = _synced_at + INTERVAL '1 minute' WHERE id IN (SELECT call_id FROM"
        " gong_analytics.calls_enriched ORDER BY call_id LIMIT 20)"
    )
    build_models(place)
    figures = "SELECT * FROM gong_analytics.{} ORDER BY 1, 2, 3"
    marts = ("rep_week", "rep_month", "win_rate_by_behaviour")
    incremental = {mart: place.rows(figures.format(mart)) for mart in marts}
    build_models(place, "--full-refresh")
    assert {mart: place.rows(figures.format(mart)) for mart in marts} == incremental
