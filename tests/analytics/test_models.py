"""The marts on DuckDB and PostgreSQL: figures against Gong's, what a change costs, what reconcile erases."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from docs.generate.marts_page import PAGE, page
from pipelines.analytics.dbt_build import PROJECT
from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Company
from pipelines.demo.server.app import SimulatedGong
from sources.gong.calls.tables import TABLES
from tests.support.companies import build_recent_gong, public_calls
from tests.support.marts import build_models, export_transcripts, round_figure, sync_company
from tests.support.servers.postgres import postgres_server
from tests.support.workspace import Workspace, days_ago

MARTS = tuple(sorted(file.stem for file in (PROJECT / "marts").glob("*.sql")))
PROMISED = {
    *("calls_enriched", "call_participants", "speaker_turns", "transcript_lines", "tracker_mentions", "topic_time"),
    *("rep_week", "rep_month", "deal_activity", "scorecard_results", "library_shelf", "data_quality"),
    "transcript_chunks",
}


def plain(value: Any) -> Any:
    """As both warehouses would say it."""
    if isinstance(value, Decimal | float):
        return round_figure(float(value))
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def columns_of(place: Workspace, mart: str, dataset: str = "gong_analytics") -> list[str]:
    """Columns of a mart in their order."""
    return [
        name
        for (name,) in place.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = ? AND table_name = ?"
            " ORDER BY ordinal_position",
            [dataset, mart],
        )
    ]


def rows_of(place: Workspace, mart: str, dataset: str = "gong_analytics") -> list[str]:
    """Rows of a mart, without what tells when something was loaded."""
    columns = [f'"{name}"' for name in columns_of(place, mart, dataset) if name != "_synced_at"]
    rows = place.rows(f"SELECT {', '.join(columns)} FROM {dataset}.{mart}")
    return sorted(str([plain(value) for value in row]) for row in rows)


def test_every_mart_is_a_table_and_has_rows(duckdb_marts: Workspace) -> None:
    assert set(MARTS) >= PROMISED
    kinds = duckdb_marts.rows(
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'gong_analytics'"
    )
    assert {name for name, kind in kinds if kind == "VIEW"} == {file.stem for file in PROJECT.glob("staging/*.sql")}
    assert not [mart for mart in MARTS if not rows_of(duckdb_marts, mart)]


def test_both_warehouses_have_the_same_rows(duckdb_marts: Workspace, postgres_marts: Workspace) -> None:
    for mart in MARTS:
        assert columns_of(duckdb_marts, mart) == columns_of(postgres_marts, mart), mart
        assert rows_of(duckdb_marts, mart) == rows_of(postgres_marts, mart), mart


def test_every_column_is_described_and_every_description_has_a_column(duckdb_marts: Workspace) -> None:
    for file in PROJECT.glob("*/*.yml"):
        for model in yaml.safe_load(file.read_text()).get("models", ()):
            assert model["description"]
            assert [column["name"] for column in model["columns"]] == columns_of(duckdb_marts, model["name"])
            assert all(column["description"] for column in model["columns"])


def test_every_metric_stands_on_a_measure_that_both_warehouses_answer_alike(
    duckdb_marts: Workspace, postgres_marts: Workspace
) -> None:
    """What dbt's own check of the semantic layer does not see: whether expressions are SQL over columns of the mart."""
    layer = yaml.safe_load((PROJECT / "marts" / "metrics.yml").read_text())
    functions = {"sum": "sum", "average": "avg"}
    measures = set()
    for semantic in layer["semantic_models"]:
        mart = semantic["model"].split("'")[1]
        names = {entity["expr"] for entity in semantic["entities"]} | {d["name"] for d in semantic["dimensions"]}
        assert names <= set(columns_of(duckdb_marts, mart))
        for measure in semantic["measures"]:
            measures.add(measure["name"])
            sql = f"SELECT {functions[measure['agg']]}({measure['expr']}) FROM gong_analytics.{mart}"
            ((first,),), ((second,),) = duckdb_marts.rows(sql), postgres_marts.rows(sql)
            assert first is not None
            assert plain(float(first)) == plain(float(second)), measure["name"]
    simple = [metric for metric in layer["metrics"] if metric["type"] == "simple"]
    assert {metric["type_params"]["measure"] for metric in simple} == measures


def test_the_page_of_the_marts_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_sources_are_tables_of_ours() -> None:
    (source,) = yaml.safe_load((PROJECT / "staging" / "sources.yml").read_text())["sources"]
    assert {table["name"] for table in source["tables"]} <= {table.name for table in TABLES}


def test_neither_private_nor_deleted_calls_are_in_any_mart(marts_gong: SimulatedGong, duckdb_marts: Workspace) -> None:
    readable = {call.id for call in public_calls(marts_gong)}
    assert {call for (call,) in duckdb_marts.rows("SELECT call_id FROM gong_analytics.calls_enriched")} == readable
    for mart in MARTS:
        if "call_id" in columns_of(duckdb_marts, mart) and mart != "library_shelf":
            assert {call for (call,) in duckdb_marts.rows(f"SELECT call_id FROM gong_analytics.{mart}")} <= readable, (
                mart
            )


def test_figures_of_hosts_are_those_of_gong(duckdb_marts: Workspace) -> None:
    """Talk ratios to a thousandth and stretches to a millisecond: the simulated Gong measures the same sentences."""
    compared = duckdb_marts.rows(
        "SELECT stats.name, calls.talk_ratio, calls.longest_monologue_seconds, calls.longest_customer_story_seconds,"
        " calls.interactivity, stats.value FROM gong_analytics.calls_enriched AS calls"
        " JOIN gong.call_interaction_stats AS stats ON stats.call_id = calls.call_id WHERE calls.talk_ratio IS NOT NULL"
    )
    of = {"Talk Ratio": 1, "Longest Monologue": 2, "Longest Customer Story": 3, "Interactivity": 4}
    tolerance = {"Talk Ratio": 0.001, "Interactivity": 0.05}
    seen = dict.fromkeys(of, 0)
    for row in compared:
        name, gongs = row[0], row[5]
        if name in of:
            seen[name] += 1
            assert abs((row[of[name]] or 0.0) - gongs) <= tolerance.get(name, 0.001), row
    assert min(seen.values()) > 20


def test_patience_is_gongs_where_the_host_is_alone(duckdb_marts: Workspace) -> None:
    """With colleagues on the call the simulated Gong counts their pauses too; only customers' are asked for."""
    compared = duckdb_marts.rows(
        "SELECT calls.patience_seconds, stats.value FROM gong_analytics.calls_enriched AS calls"
        " JOIN gong.call_interaction_stats AS stats ON stats.call_id = calls.call_id AND stats.name = 'Patience'"
        " WHERE calls.patience_seconds IS NOT NULL AND (SELECT count(*) FROM gong_analytics.call_participants AS people"
        " WHERE people.call_id = calls.call_id AND people.spoke AND people.side = 'company') = 1"
    )
    assert len(compared) > 10
    assert all(abs(ours - gongs) < 0.01 for ours, gongs in compared)


def test_a_reps_talk_ratio_is_the_mean_of_single_calls(duckdb_marts: Workspace) -> None:
    rows = duckdb_marts.rows(
        "SELECT abs(rep.talk_ratio - (SELECT avg(people.talk_ratio) FROM gong_analytics.call_participants AS people"
        " WHERE people.user_id = rep.user_id AND people.side = 'company'"
        " AND date_trunc('month', people.started) = rep.month))"
        " FROM gong_analytics.rep_month AS rep WHERE rep.talk_ratio IS NOT NULL"
    )
    assert rows
    assert all(difference < 1e-9 for (difference,) in rows)


def test_the_documentation_is_one_file(duckdb_marts: Workspace) -> None:
    page = duckdb_marts.folder / "docs" / "index.html"
    assert "calls_enriched" in page.read_text(encoding="utf-8")
    assert [file.name for file in page.parent.iterdir()] == ["index.html"]


def test_nothing_is_left_in_the_users_folder(duckdb_marts: Workspace) -> None:
    names = {file.name for file in duckdb_marts.folder.iterdir()} - {"home", "working"}
    assert names == {"warehouse.duckdb", "docs"}


def test_a_build_after_changes_costs_what_changed_and_is_like_one_from_scratch(tmp_path: Path) -> None:
    gong = build_recent_gong(calls=60, days=6)
    with sync_company(Workspace(tmp_path), gong) as place:
        build_models(place)
        with_words = [call for call in public_calls(gong) if call.transcript_json]
        renamed, hidden, shortened, gone, emptied = with_words[:5]
        for party in renamed.record["parties"]:
            party["name"] = "Renamed Person"
        gong.replace_call(renamed.id, renamed.record)
        gong.edit_call(hidden.id, isPrivate=True)
        gong.replace_transcript(shortened.id, msgspec.json.decode(shortened.transcript_json or b"[]")[:2])
        gong.delete_call(gone.id)
        gong.replace_transcript(emptied.id, [])
        heard = {call for (call,) in place.rows("SELECT DISTINCT call_id FROM gong_analytics.tracker_mentions")}
        kept = next(call for call in with_words[5:] if call.id in heard)
        _rename_the_host_of_another(gong, kept, with_words)
        place.sync("--since", days_ago(10))
        assert place.run("reconcile", "--json", "--force").code == 0
        marks = dict.fromkeys(("transcript_lines", "speaker_turns", "transcript_chunks"), "text")
        marks["tracker_mentions"] = "phrase"
        for mart, column in marks.items():
            place.execute(f"UPDATE gong_analytics.{mart} SET {column} = 'not built again' WHERE call_id = ?", [kept.id])
        build_models(place)
        for mart, column in marks.items():
            words = place.rows(f"SELECT DISTINCT {column} FROM gong_analytics.{mart} WHERE call_id = ?", [kept.id])
            assert words == [("not built again",)], mart
        # Another word for a deal that is won, in marts of their own.
        (stage, deals), *_ = place.rows(
            "SELECT stage_now, count(*) FROM gong_analytics.deal_activity WHERE NOT is_closed AND stage_now IS NOT NULL"
            " GROUP BY 1 ORDER BY 1"
        )
        won = json.dumps({"gong_won_stages": [stage, "It's signed"]})
        build_models(place, "--analytics", "other_stages", "--vars", won, "--select", "+deal_activity")
        assert place.rows("SELECT count(*) FROM other_stages.deal_activity WHERE is_won") == [(deals,)]
        build_models(place, "--full-refresh", "--analytics", "from_scratch")
        for mart in MARTS:
            whole = [row for row in rows_of(place, mart, "from_scratch") if kept.id not in row]
            assert [row for row in rows_of(place, mart) if kept.id not in row] == whole, mart
        said = "SELECT 1 FROM gong_analytics.transcript_lines WHERE speaker_name = 'Renamed Person'"
        assert place.rows(said)
        for mart in ("tracker_mentions", "transcript_chunks"):
            assert place.rows(f"SELECT 1 FROM gong_analytics.{mart} WHERE host_name LIKE '% Renamed-Host'"), mart
        for left in (hidden, gone):
            assert not place.rows("SELECT 1 FROM gong_analytics.transcript_lines WHERE call_id = ?", [left.id])
        _what_is_said_is_no_markup(place, kept.id)
        _marts_of_older_models_say_what_to_do(place)
        _a_test_that_warns_is_named(place)
        _a_test_that_fails_is_named(place)


@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"])
def test_what_reconcile_erases_leaves_marts_and_index_at_once(tmp_path: Path, warehouse: str) -> None:
    gong = build_recent_gong(calls=20, days=6)
    with ExitStack() as running:
        address = running.enter_context(postgres_server()).create_database() if warehouse == "postgres" else None
        place = running.enter_context(sync_company(Workspace(tmp_path, postgres=address), gong))
        build_models(place)
        assert place.run("search", "price").code == 0
        assert list(place.folder.rglob("search/gong_analytics/parts/*"))
        gone, hidden, kept = [call for call in public_calls(gong) if call.transcript_json][:3]
        gong.delete_call(gone.id)
        gong.edit_call(hidden.id, isPrivate=True)
        for arguments, left in ((("--dry-run",), True), ((), False)):
            assert place.run("reconcile", "--force", *arguments).code == 0
            for call, stays in ((gone, left), (hidden, left), (kept, True)):
                for mart in ("transcript_lines", "transcript_chunks", "calls_enriched", "call_participants"):
                    rows = place.rows(f"SELECT 1 FROM gong_analytics.{mart} WHERE call_id = ?", [call.id])
                    assert bool(rows) == stays, (mart, arguments)
            assert bool(list(place.folder.rglob("search/gong_analytics/parts/*"))) == left
        assert place.run("search", "price").code == 0
        build_models(place)
        assert not place.rows("SELECT 1 FROM gong_analytics.transcript_lines WHERE call_id = ?", [gone.id])


def _rename_the_host_of_another(gong: SimulatedGong, kept: Call, calls: list[Call]) -> None:
    """What a call's rows remember of the people around it changes without the call."""
    users = {user["id"]: user for user in gong.company.users}
    hosts = [users[call.record["metaData"]["primaryUserId"]] for call in (kept, *calls)]
    of_kept = (hosts[0]["id"], hosts[0]["managerId"])
    next(host for host in hosts if host["id"] not in of_kept)["lastName"] = "Renamed-Host"


def _marts_of_older_models_say_what_to_do(place: Workspace) -> None:
    place.execute("ALTER TABLE gong_analytics.int_speech DROP COLUMN _synced_at")
    (line,) = build_models(place, code=1)["failed"]
    assert "int_speech was built by older models, without _synced_at: build it once with --full-refresh" in line
    assert build_models(place, "--full-refresh")["status"] == "done"


def _a_test_that_warns_is_named(place: Workspace) -> None:
    place.execute("UPDATE gong.call_interaction_stats SET value = 0.999 WHERE name = 'Talk Ratio'")
    summary = build_models(place, "--select", "host_figures_are_gongs")
    (line,) = summary["warnings"]
    assert line.startswith("test host_figures_are_gongs: ")
    assert (summary["status"], summary["failed"]) == ("done", [])


def _what_is_said_is_no_markup(place: Workspace, call_id: str) -> None:
    place.execute(
        "UPDATE gong_analytics.calls_enriched SET title = ?, host_name = 'A hostile host' WHERE call_id = ?",
        ["<script>alert(1)</script>\n# *Title* [x](y)", call_id],
    )
    ended = place.run("export", "transcripts", "--format", "markdown", "--rep", "HOSTILE_TEXT")
    assert ended.code == 0
    assert ended.out.startswith("# \\<script\\>alert(1)\\</script\\> \\# \\*Title\\* \\[x\\](y)\n")


def _a_test_that_fails_is_named(place: Workspace) -> None:
    """A key twice, where DuckDB looks at single calls and where at rows; then half a key."""
    for table in ("call_topics", "call_tracker_occurrences"):
        place.execute(f"INSERT INTO gong.{table} SELECT * FROM gong.{table} LIMIT 1")
    place.execute("ALTER TABLE gong.scorecard_questions ALTER COLUMN question_id DROP NOT NULL")
    place.execute("UPDATE gong.scorecard_questions SET question_id = NULL WHERE position = 0")
    summary = build_models(
        place, "--select", "stg_call_topics,stg_call_tracker_occurrences,stg_scorecard_questions", code=1
    )
    assert summary["status"] == "failed"
    assert sorted(line.partition(": ")[0] for line in summary["failed"]) == [
        "test primary_key_stg_call_topics_call_id__position",
        "test primary_key_stg_call_tracker_occurrences_call_id__tracker_id__position",
        "test primary_key_stg_scorecard_questions_scorecard_id__question_id",
    ]
    ended = place.run("models", "--select", "stg_call_topics")
    assert ended.code == 1
    assert "Traceback" not in ended.err + ended.out


def test_a_company_without_any_call_has_empty_marts(workspace: Workspace) -> None:
    with sync_company(workspace, SimulatedGong(Company(name="Empty", until=datetime.now(UTC)))) as place:
        assert build_models(place)["status"] == "done"
        assert place.rows("SELECT count(*) FROM gong_analytics.calls_enriched") == [(0,)]
        assert export_transcripts(place) == []


def test_without_a_sync_there_is_nothing_to_build(workspace: Workspace) -> None:
    ended = workspace.run("models")
    assert ended.code == 2
    assert "run gong-elt sync" in ended.err
    assert not (workspace.folder / "warehouse.duckdb").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--analytics", "gong"), "the dataset of the loaded tables"),
        (("--analytics", "a b"), "no name of a dataset"),
        (("--analytics", "warehouse"), "DuckDB cannot tell"),
        (("--select", "no_such_model"), "names no model"),
        (("--select", "stg_workspaces", "--docs", "warehouse.duckdb"), "cannot be written"),
        (("--vars", "{'a"), "no JSON object"),
        (("--vars", '{"gong_dataset": "x"}'), "gong_won_stages"),
        (("--vars", '{"gong_won_stages": "Won"}'), "another kind"),
        (("--vars", '{"gong_won_stages": []}'), "another kind"),
    ],
)
def test_what_cannot_be_built_is_told_in_one_line(
    duckdb_marts: Workspace, arguments: tuple[str, ...], words: str
) -> None:
    ended = duckdb_marts.run("models", *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1
