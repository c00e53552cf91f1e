"""The marts on DuckDB and PostgreSQL: figures against Gong's, incremental builds, erasure, usage errors."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from pipelines.analytics.dbt_build import PROJECT, relation_name
from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Company
from pipelines.demo.server.app import SimulatedGong
from tests.support.companies import build_recent_gong, public_calls
from tests.support.marts import build_models, columns_of, dataset_of, export_transcripts, plain, sync_company
from tests.support.servers.postgres import postgres_server
from tests.support.workspace import Workspace, days_ago

MARTS = tuple(sorted(relation_name(file.stem) for file in (PROJECT / "marts").glob("*.sql")))
DOCUMENTED_MARTS = {
    *("calls_enriched", "call_participants", "speaker_turns", "transcript_lines", "tracker_mentions", "topic_time"),
    *("rep_week", "rep_month", "deal_activity", "scorecard_results", "library_shelf", "data_quality"),
    "transcript_chunks",
}


def rows_of(place: Workspace, mart: str, dataset: str = "gong_analytics") -> list[str]:
    """Return the rows of a mart as sorted texts, without the time of their load."""
    columns = [
        f'"{name}"' for name in columns_of(place, mart, dataset) if name not in ("_synced_at", "_synced_epoch_ms")
    ]
    rows = place.rows(f"SELECT {', '.join(columns)} FROM {dataset}.{mart}")
    return sorted(str([plain(value) for value in row]) for row in rows)


def test_marts_are_tables_with_rows(duckdb_marts: Workspace) -> None:
    """Marts are tables, staging models are views, each folder has a dataset of its own, and no mart is empty."""
    assert set(MARTS) >= DOCUMENTED_MARTS
    built = {
        (dataset, name, kind)
        for dataset, name, kind in duckdb_marts.rows(
            "SELECT table_schema, table_name, table_type FROM information_schema.tables"
            " WHERE starts_with(table_schema, 'gong_analytics') AND table_name <> '_marts'"
        )
    }
    assert built == {
        (dataset_of(folder), relation_name(file.stem), "VIEW" if folder == "staging" else "BASE TABLE")
        for folder in ("staging", "intermediate", "marts")
        for file in PROJECT.glob(f"{folder}/*.sql")
    }
    assert not [mart for mart in MARTS if not rows_of(duckdb_marts, mart)]


def test_both_warehouses_have_the_same_rows(duckdb_marts: Workspace, postgres_marts: Workspace) -> None:
    """All marts have the same columns and rows in DuckDB and PostgreSQL."""
    for mart in MARTS:
        assert columns_of(duckdb_marts, mart) == columns_of(postgres_marts, mart), mart
        assert rows_of(duckdb_marts, mart) == rows_of(postgres_marts, mart), mart


def test_tables_of_marts_are_vacuumed_on_postgres(postgres_marts: Workspace) -> None:
    """Tests of keys then read indexes, and space of replaced rows is used again."""
    times = dict(
        postgres_marts.rows(
            "SELECT relname, last_vacuum FROM pg_stat_user_tables"
            " WHERE schemaname = 'gong_analytics' AND relname <> '_marts'"
        )
    )
    assert {"transcript_lines", "speaker_turns", "calls_enriched"} <= times.keys()
    assert all(times.values()), times


def test_private_and_deleted_calls_are_in_no_mart(marts_gong: SimulatedGong, duckdb_marts: Workspace) -> None:
    """All marts contain visible calls only."""
    readable = {call.id for call in public_calls(marts_gong)}
    assert {call for (call,) in duckdb_marts.rows("SELECT call_id FROM gong_analytics.calls_enriched")} == readable
    for mart in MARTS:
        if "call_id" in columns_of(duckdb_marts, mart) and mart != "library_shelf":
            assert {call for (call,) in duckdb_marts.rows(f"SELECT call_id FROM gong_analytics.{mart}")} <= readable, (
                mart
            )


def test_figures_of_hosts_equal_those_of_gong(duckdb_marts: Workspace) -> None:
    """Talk ratios agree to 0.001 and durations to 1 ms: the simulated Gong measures the same sentences."""
    rows = duckdb_marts.rows(
        "SELECT stats.name, calls.host_talk_ratio, calls.longest_monologue_seconds,"
        " calls.longest_customer_story_seconds, calls.interactivity, stats.value"
        " FROM gong_analytics.calls_enriched AS calls"
        " JOIN gong.call_interaction_stats AS stats ON stats.call_id = calls.call_id"
        " WHERE calls.host_talk_ratio IS NOT NULL"
    )
    positions = {"Talk Ratio": 1, "Longest Monologue": 2, "Longest Customer Story": 3, "Interactivity": 4}
    tolerance = {"Talk Ratio": 0.001, "Interactivity": 0.05}
    seen = dict.fromkeys(positions, 0)
    for row in rows:
        name, gong_value = row[0], row[5]
        if name in positions:
            seen[name] += 1
            assert abs((row[positions[name]] or 0.0) - gong_value) <= tolerance.get(name, 0.001), row

    assert min(seen.values()) > 20


def test_patience_equals_gongs_if_the_host_is_alone(duckdb_marts: Workspace) -> None:
    """With colleagues on the call the simulated Gong also counts their pauses, so only single hosts are compared."""
    rows = duckdb_marts.rows(
        "SELECT calls.patience_seconds, stats.value FROM gong_analytics.calls_enriched AS calls"
        " JOIN gong.call_interaction_stats AS stats ON stats.call_id = calls.call_id AND stats.name = 'Patience'"
        " WHERE calls.patience_seconds IS NOT NULL AND (SELECT count(*) FROM gong_analytics.call_participants AS people"
        " WHERE people.call_id = calls.call_id AND people.spoke AND people.side = 'company') = 1"
    )

    assert len(rows) > 10
    assert all(abs(patience - gong_value) < 0.01 for patience, gong_value in rows)


def test_a_reps_talk_ratio_is_the_mean_over_calls(duckdb_marts: Workspace) -> None:
    """Monthly figures are means over external calls, not ratios of sums."""
    rows = duckdb_marts.rows(
        "SELECT abs(rep.talk_ratio - (SELECT avg(people.talk_ratio) FROM gong_analytics.call_participants AS people"
        " WHERE people.user_id = rep.user_id AND people.side = 'company' AND people.is_external"
        " AND date_trunc('month', people.started) = rep.month))"
        " FROM gong_analytics.rep_month AS rep WHERE rep.talk_ratio IS NOT NULL"
    )

    assert rows
    assert all(difference < 1e-9 for (difference,) in rows)


def test_the_documentation_is_one_file(duckdb_marts: Workspace) -> None:
    """`--docs` writes one self-contained HTML file."""
    page = duckdb_marts.folder / "docs" / "index.html"
    assert "calls_enriched" in page.read_text(encoding="utf-8")
    assert [file.name for file in page.parent.iterdir()] == ["index.html"]


def test_a_build_leaves_no_files_behind(duckdb_marts: Workspace) -> None:
    """Working files of dbt are not written to the current folder."""
    names = {file.name for file in duckdb_marts.folder.iterdir()} - {"home", "working"}
    assert names == {"warehouse.duckdb", ".warehouse.duckdb.gong.lock", "docs"}


@pytest.mark.slow
@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"])
def test_an_incremental_build_equals_a_full_one(tmp_path: Path, warehouse: str) -> None:
    """Only changed calls are rebuilt, and the result equals a build from scratch; warnings and failures are named."""
    gong = build_recent_gong(calls=60, days=6)
    with ExitStack() as stack:
        address = stack.enter_context(postgres_server()).create_database() if warehouse == "postgres" else None
        place = stack.enter_context(sync_company(Workspace(tmp_path, postgres=address), gong))
        build_models(place)

        transcribed = [call for call in public_calls(gong) if call.transcript_json]
        renamed, hidden, shortened, deleted, emptied = transcribed[:5]
        for party in renamed.record["parties"]:
            party["name"] = "Renamed Person"
        gong.replace_call(renamed.id, renamed.record)
        gong.edit_call(hidden.id, isPrivate=True)
        gong.replace_transcript(shortened.id, msgspec.json.decode(shortened.transcript_json or b"[]")[:2])
        gong.delete_call(deleted.id)
        gong.replace_transcript(emptied.id, [])
        with_mentions = {call for (call,) in place.rows("SELECT DISTINCT call_id FROM gong_analytics.tracker_mentions")}
        kept = next(call for call in transcribed[5:] if call.id in with_mentions)
        _rename_another_host(gong, kept, transcribed)

        place.sync("--since", days_ago(10))
        assert place.run("reconcile", "--json", "--force").code == 0

        text_columns = dict.fromkeys(("transcript_lines", "speaker_turns", "transcript_chunks"), "text")
        text_columns["tracker_mentions"] = "phrase"
        for mart, column in text_columns.items():
            place.execute(f"UPDATE gong_analytics.{mart} SET {column} = 'not built again' WHERE call_id = ?", [kept.id])
        build_models(place)
        for mart, column in text_columns.items():
            words = place.rows(f"SELECT DISTINCT {column} FROM gong_analytics.{mart} WHERE call_id = ?", [kept.id])
            assert words == [("not built again",)], mart

        # Other stages for won deals, in a separate dataset of marts.
        (stage, deals), *_ = place.rows(
            "SELECT stage_now, count(*) FROM gong_analytics.deal_activity WHERE NOT is_closed AND stage_now IS NOT NULL"
            " GROUP BY 1 ORDER BY 1"
        )
        won = json.dumps({"gong_won_stages": [stage, "It's signed"]})
        build_models(place, "--analytics", "other_stages", "--vars", won, "--select", "+deal_activity")

        assert place.rows("SELECT count(*) FROM other_stages.deal_activity WHERE is_won") == [(deals,)]

        build_models(place, "--full-refresh", "--analytics", "from_scratch")
        for mart in MARTS:
            full = [row for row in rows_of(place, mart, "from_scratch") if kept.id not in row]
            assert [row for row in rows_of(place, mart) if kept.id not in row] == full, mart
        renamed_lines = "SELECT 1 FROM gong_analytics.transcript_lines WHERE speaker_name = 'Renamed Person'"

        assert place.rows(renamed_lines)

        for mart in ("tracker_mentions", "transcript_chunks"):
            assert place.rows(f"SELECT 1 FROM gong_analytics.{mart} WHERE host_name LIKE '% Renamed-Host'"), mart
        for erased in (hidden, deleted):
            assert not place.rows("SELECT 1 FROM gong_analytics.transcript_lines WHERE call_id = ?", [erased.id])
        _assert_markup_is_escaped(place, kept.id)
        _assert_outdated_marts_are_reported(place)
        _assert_warning_tests_are_named(place)
        _assert_failing_tests_are_named(place)


@pytest.mark.slow
@pytest.mark.parametrize("warehouse", ["duckdb", pytest.param("postgres", marks=pytest.mark.slow)])
def test_reconcile_erases_calls_from_marts_and_index(tmp_path: Path, warehouse: str) -> None:
    """Deleted and now private calls leave all marts and the search index in the same run, not with `--dry-run`."""
    gong = build_recent_gong(calls=20, days=6)
    with ExitStack() as stack:
        address = stack.enter_context(postgres_server()).create_database() if warehouse == "postgres" else None
        place = stack.enter_context(sync_company(Workspace(tmp_path, postgres=address), gong))
        build_models(place)

        assert place.run("search", "price").code == 0
        assert list(place.folder.rglob("search/gong_analytics/parts/*"))

        deleted, hidden, kept = [call for call in public_calls(gong) if call.transcript_json][:3]
        gong.delete_call(deleted.id)
        gong.edit_call(hidden.id, isPrivate=True)

        for arguments, remains in ((("--dry-run",), True), ((), False)):
            assert place.run("reconcile", "--force", *arguments).code == 0
            for call, expected in ((deleted, remains), (hidden, remains), (kept, True)):
                for mart in ("transcript_lines", "transcript_chunks", "calls_enriched", "call_participants"):
                    rows = place.rows(f"SELECT 1 FROM gong_analytics.{mart} WHERE call_id = ?", [call.id])
                    assert bool(rows) == expected, (mart, arguments)
            assert bool(list(place.folder.rglob("search/gong_analytics/parts/*"))) == remains

        assert place.run("search", "price").code == 0

        build_models(place)
        assert not place.rows("SELECT 1 FROM gong_analytics.transcript_lines WHERE call_id = ?", [deleted.id])


def _rename_another_host(gong: SimulatedGong, kept: Call, calls: list[Call]) -> None:
    """Rename a host who is not on the kept call: other calls remember the name without being changed."""
    users = {user["id"]: user for user in gong.company.users}
    hosts = [users[call.record["metaData"]["primaryUserId"]] for call in (kept, *calls)]
    of_kept = (hosts[0]["id"], hosts[0]["managerId"])
    next(host for host in hosts if host["id"] not in of_kept)["lastName"] = "Renamed-Host"


def _assert_outdated_marts_are_reported(place: Workspace) -> None:
    place.execute("ALTER TABLE gong_analytics_intermediate.int_speech DROP COLUMN _synced_at")
    (line,) = build_models(place, code=1)["failed"]
    assert "int_speech was built by an earlier version, without column _synced_at" in line
    assert "build it once with --full-refresh" in line
    assert build_models(place, "--full-refresh")["status"] == "done"


def _assert_warning_tests_are_named(place: Workspace) -> None:
    place.execute("UPDATE gong.call_interaction_stats SET value = 0.999 WHERE name = 'Talk Ratio'")
    summary = build_models(place, "--select", "host_figures_are_gongs")
    (line,) = summary["warnings"]
    assert line.startswith("test host_figures_are_gongs: ")
    assert (summary["status"], summary["failed"]) == ("done", [])


def _assert_markup_is_escaped(place: Workspace, call_id: str) -> None:
    place.execute(
        "UPDATE gong_analytics.calls_enriched SET title = ?, host_name = 'A hostile host' WHERE call_id = ?",
        ["<script>alert(1)</script>\n# *Title* [x](y)", call_id],
    )
    ended = place.run("export", "transcripts", "--format", "markdown", "--rep", "HOSTILE")
    assert ended.code == 0
    assert ended.out.startswith("# \\<script\\>alert(1)\\</script\\> \\# \\*Title\\* \\[x\\](y)\n")


def _assert_failing_tests_are_named(place: Workspace) -> None:
    """Duplicate keys, which DuckDB finds by call or by row, are reported by test name; an id that is missing warns."""
    for table in ("call_topics", "call_tracker_occurrences"):
        place.execute(f"INSERT INTO gong.{table} SELECT * FROM gong.{table} LIMIT 1")
    place.execute("ALTER TABLE gong.scorecard_questions ALTER COLUMN question_id DROP NOT NULL")
    place.execute("UPDATE gong.scorecard_questions SET question_id = NULL WHERE position = 0")
    summary = build_models(
        place, "--select", "stg_call_topics,stg_call_tracker_occurrences,stg_scorecard_questions", code=1
    )
    assert summary["status"] == "failed"
    assert sorted(line.partition(": ")[0] for line in summary["failed"]) == [
        "test primary_key_stg_gong__call_topics_call_id__position",
        "test primary_key_stg_gong__call_tracker_occurrences_call_id__tracker_id__position",
    ]
    assert any(line.endswith("questions of scorecards without an id") for line in summary["warnings"])
    ended = place.run("models", "--select", "stg_call_topics")
    assert ended.code == 1
    assert "Traceback" not in ended.err + ended.out


@pytest.mark.slow
def test_a_company_without_calls_has_empty_marts(workspace: Workspace) -> None:
    """Models build without calls, and an export is empty."""
    with sync_company(workspace, SimulatedGong(Company(name="Empty", until=datetime.now(UTC)))) as place:
        assert build_models(place)["status"] == "done"
        assert place.rows("SELECT count(*) FROM gong_analytics.calls_enriched") == [(0,)]
        assert export_transcripts(place) == []


def test_models_need_a_sync(workspace: Workspace) -> None:
    """Without loaded data the command ends with exit code 2 and creates no file."""
    ended = workspace.run("models")
    assert ended.code == 2
    assert "run gong-elt sync" in ended.err
    assert not (workspace.folder / "warehouse.duckdb").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--analytics", "gong"), "the dataset of the loaded tables"),
        (("--analytics", "a b"), "is not a dataset name: use a_b"),
        (("--analytics", "warehouse"), "DuckDB cannot distinguish"),
        (("--analytics", "gong_staging"), "of the loaded tables, or of their loads"),
        (("--select", "no_such_model"), "matches no model"),
        (("--select", "stg_workspaces", "--docs", "warehouse.duckdb"), "cannot be written"),
        (("--vars", "{'a"), "not a JSON object"),
        (("--vars", '{"gong_dataset": "x"}'), "gong_won_stages"),
        (("--vars", '{"gong_won_stages": "Won"}'), "use the type of the default"),
        (("--vars", '{"gong_won_stages": []}'), "use the type of the default"),
    ],
)
def test_an_invalid_option_is_one_line(duckdb_marts: Workspace, arguments: tuple[str, ...], message: str) -> None:
    """Usage errors end with exit code 2 and one line that names the problem."""
    ended = duckdb_marts.run("models", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
